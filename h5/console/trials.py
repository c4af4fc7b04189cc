"""试算: the trials of this institution, a new one, and stopping one (A3-33, A6-06). A county tries on its own past
cases and on practice counties, head office on those of all counties."""

import contextlib

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import ids
from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.db.database import Tx
from backend.domains.decision.model import DECIDING, Stage
from backend.domains.models import service as models
from backend.domains.models.model import MODEL
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import ALL_PRODUCTS, STAGES, Version
from backend.domains.trials import service as trials
from backend.domains.trials.model import RUN, Run, TrialNotFound, TrialOver
from backend.flows import start_trial
from backend.flows.name_trial_versions import Versions
from backend.flows.start_trial import Asked
from backend.overview import decided
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import ticked_counties
from h5.console.strategies import people, product_names
from h5.console.ticked_counties import Box

HOME = "/console/trials"
SHOW = "console/trials/show_all.html"
ROLES = ("risk_analyst", "county_admin", "head_office_admin")
LIVE, WARNING, DECIDED, HISTORY = "live", "early_warning", "decided", "history"
SIZES = (("1000", "1,000 个"), ("10000", "10,000 个"), ("100000", "100,000 个"), ("", "全部"))
MOST_SHOWN = 60
FIELDS = ("strategy", "model", "against", "cases", "size", *ticked_counties.FIELDS)


class NothingDecidedThen(Invalid):
    code = "nothing_decided_then"
    message = "演练县的人没有申请过，没有当时的决定可以对照。请改选在用的版本或另一版，或者在以往的申请上试"


class Choice(msgspec.Struct, frozen=True):
    value: str
    label: str


class Line(msgspec.Struct, frozen=True):
    run: Run
    state: str
    cases: str
    who: str


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a new trial is made of."""

    strategies: tuple[Choice, ...]
    models: tuple[Choice, ...]
    against: tuple[Choice, ...]
    cases: tuple[Choice, ...]
    sizes: tuple[Choice, ...]


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """`only`: the version or model whose trials alone are listed; '' for all. `left`: how often real customers
    may still be tried on today. `counties` to choose from, head office's alone."""

    lines: tuple[Line, ...]
    only: str
    choices: Choices
    form: dict[str, str]
    told: str
    past: int
    left: int
    counties: tuple[Box, ...] = ()


@get(HOME, opt=staff.only(*ROLES))
async def show_all(request: Request) -> Response:
    here, asked = staff.here(request), request.query_params
    form = {name: asked.get(name, "") for name in ("strategy", "model")}
    return here.show(SHOW, await _view(here, form))


@post(HOME, opt=staff.only(*ROLES), fields=FIELDS)
async def start(request: Request) -> Response:
    """Wait for the worker; the page of the trial shows how far it is."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        asked = msgspec.structs.replace(asked_of(form), institutions=await _institutions(here, form))
        run = await start_trial.start_trial(here.context, here.actor, asked, queued=True)
    except (Invalid, Conflict, NotFound, NotPermitted) as problem:
        return here.show(SHOW, await _view(here, form, problem.text or "请选一选要试什么"), 422)
    return here.go(f"{HOME}/{run.id}")


@post(f"{HOME}/{{run_id:str}}/cancel", opt=staff.only(*ROLES))
async def cancel(request: Request, run_id: FromPath[str]) -> Response:
    """Stops at the next chunk; what is done is kept. One that is over stays as it is."""
    here = staff.here(request)
    async with here.context.db.begin(here.actor) as tx:
        await found(tx, run_id)
        with contextlib.suppress(TrialOver):  # it ended while the page was open: the page says so
            await trials.cancel(tx, run_id)
    return here.go(f"{HOME}/{run_id}")


async def found(tx: Tx, run_id: str) -> Run:
    """A trial of this person's institution. Raises `TrialNotFound`."""
    if not ids.is_uuid(run_id):
        raise TrialNotFound()
    return await trials.get(tx, run_id)


def asked_of(form: dict[str, str]) -> Asked:
    """What the form asks for. Raises `Invalid` for what no choice of it is."""
    strategy, cases, size = form.get("strategy", ""), form.get("cases", ""), form.get("size", "")
    if not strategy or not cases or size not in dict(SIZES):
        raise Invalid(fields={"strategy": "请选要试的版本、案例和多少个"})
    draft = Versions(strategy="" if strategy in (LIVE, WARNING) else strategy, model=form.get("model", ""))
    return Asked(
        draft=draft,
        against=_against(form.get("against", ""), draft, cases),
        county="" if cases == HISTORY else cases.removeprefix("county:"),
        stage=WARNING if strategy == WARNING else "",
        limit=int(size) if size else None,
    )


async def _institutions(here: Here, form: dict[str, str]) -> tuple[str, ...]:
    """The counties head office ticked; none for a practice county, and for all of them. Raises `CountyGone`."""
    if form.get("cases") != HISTORY:
        return ()
    return tuple(each.id for each in ticked_counties.ticked(await ticked_counties.offered(here), form))


def _against(word: str, draft: Versions, cases: str) -> Versions | None:
    """None: of a history what was decided then, of a practice county nothing. Raises `NothingDecidedThen`."""
    if word == DECIDED and cases != HISTORY:
        raise NothingDecidedThen()
    if word in ("", LIVE):
        return None if draft.live and cases != HISTORY else Versions()
    return None if word == DECIDED else Versions(strategy=word)


async def _view(here: Here, form: dict[str, str], told: str = "") -> Trials:
    async with here.context.db.read(here.actor) as tx:
        strategy, model = form.get("strategy", ""), form.get("model", "")
        chosen = await _chosen(tx, strategy)
        runs = await trials.listed(
            tx,
            MOST_SHOWN,
            strategy_id=chosen.id if chosen else None,
            model_id=model if ids.is_uuid(model) else None,
        )
        who = await people(tx, [run.asked_by for run in runs])
        choices, left = await _choices(tx, chosen), await trials.left_today(tx)
    async with here.context.db.read(decided.reader_of(here.actor)) as tx:
        past = await decided.count(tx, start_trial.WHOLE)
    offered = await ticked_counties.offered(here)
    names = {each.id: each.short_name for each in offered}
    label = next((each.label for each in choices.models if each.value and each.value == model), "")
    return Trials(
        lines=tuple(line(run, who, names) for run in runs),
        only=(label_of(chosen, {}) if chosen else "") or label,
        choices=choices,
        form=form,
        told=told,
        past=past,
        left=left,
        counties=ticked_counties.boxes(offered, form),
    )


def line(run: Run, who: dict[str, str], counties: dict[str, str] | None = None) -> Line:
    """`counties` are names of those whose past cases were tried."""
    where = f"演练县“{run.county_name}”" if run.county_name else "以往的申请"
    if run.institutions:
        named = [(counties or {}).get(each, each) for each in run.institutions]
        where += f"（{'、'.join(named[:3])}{f'等 {len(named)} 个县' if len(named) > 3 else ''}）"
    return Line(run, RUN.labels[run.status], where, who.get(run.asked_by, ""))


async def _chosen(tx: Tx, strategy: str) -> Version | None:
    """The version a link named; None also for one that is not there."""
    try:
        return await strategies.get(tx, strategy) if ids.is_uuid(strategy) else None
    except NotFound:
        return None


async def _choices(tx: Tx, chosen: Version | None) -> Choices:
    """Versions in work first, then those in use; a link's own stands in front whatever its state."""
    versions = [
        *await strategies.open_drafts(tx),
        *await strategies.upcoming(tx),
        *await strategies.in_use(tx),
    ]
    if chosen is not None and chosen.id not in {each.id for each in versions}:
        versions.insert(0, chosen)
    names = await product_names(tx)
    tried = [
        Choice(each.id, label_of(each, names))
        for each in versions
        if each.stage in (*DECIDING, Stage.EARLY_WARNING)
    ]
    held = [each for each in await models.all_models(tx) if each.decides and each.status != "retired"]
    return Choices(
        strategies=(
            Choice(LIVE, "在用的审批规则"), Choice(WARNING, f"在用的{STAGES[WARNING]}"), *tried,
        ),
        models=(
            Choice("", "在用的模型"),
            *(Choice(each.id, f"{each.name}（{MODEL.labels[each.status]}）") for each in held),
        ),
        against=(Choice(LIVE, "在用的版本"), Choice(DECIDED, "当时的决定（只有以往的申请有）"), *tried),
        cases=(
            Choice(HISTORY, "以往的申请"),
            *(Choice(f"county:{name}", f"演练县“{name}”，{size:,} 户") for name, size in await trials.counties(tx)),
        ),
        sizes=tuple(Choice(*each) for each in SIZES),
    )  # fmt: skip


def label_of(version: Version, names: dict[str, str]) -> str:
    """`省联社 定额 第 3 版（草稿），所有产品`."""
    whose = "省联社" if version.layer == "union" else "本县"
    product = names.get(
        version.product_code, "" if version.product_code == ALL_PRODUCTS else version.product_code
    )
    return f"{whose}{version.label}（{version.status_label}）{'，' + product if product else ''}"
