"""One model version: what it is, its way so far, its validation report, who uses it, and every act a person may do
to it (A3-33, A3-37, D1-04, D1-05, N14)."""

import litestar
import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid, Problem
from backend.db.database import Tx
from backend.domains.evidence import sources
from backend.domains.identity import service as identity
from backend.domains.institutions.model import HEAD_OFFICE, UNION
from backend.domains.models import offsets, report, watching
from backend.domains.models import service as models
from backend.domains.models.model import MODEL, TYPES, Event, Model, ReportMissing, ReportUnfit, WhyMissing
from backend.flows import take_model_report
from backend.overview import model_monitors
from backend.overview.model_monitors import RECHECKED_FOR, Rechecked, Tried
from backend.web import customer, forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import model_charts
from h5.console import models as register
from h5.console.charts import Chart
from h5.console.models import HOME, READERS, code_of, known, uploaded, who

SHOW = "console/models/version.html"
SOURCES = {"table": "训练表里的列", "derived": "由别的数据算出"}
BUTTONS: dict[tuple[str, str], str] = {
    ("tested", "reviewed"): "评审通过",
    ("tested", "draft"): "退回重做",
    ("reviewed", "approved"): "批准",
    ("reviewed", "draft"): "不批准，退回",
    ("approved", "shadow"): "开始影子运行",
    ("shadow", "live"): "启用",
    ("live", "watch"): "转入观察",
    ("watch", "live"): "恢复启用",
}
"""By status now and wanted; everything may be retired. A draft is tested by handing in its report."""
STEP_NAMES = ("draft", "tested", "reviewed", "approved", "shadow", "live", "watch", "retired")


class Told(msgspec.Struct, frozen=True):
    """One step of a model's life, in words; `file` is the number of the report it brought, 0 for none."""

    event: Event
    state: str
    who: str
    file: int


class County(msgspec.Struct, frozen=True):
    name: str
    offset: offsets.County


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks it: `strategies` call it by a node of their own (label, address), `decided` and
    `rechecked` by county of 90 days."""

    standing: str
    strategies: tuple[tuple[str, str], ...]
    decided: tuple[tuple[str, int], ...]
    rechecked: tuple[tuple[str, Rechecked], ...]
    trials: tuple[Tried, ...]


class Acts(msgspec.Struct, frozen=True, kw_only=True):
    """`steps`: (status wanted, words of the button, is it a step back). `blocked`: a role would allow it, but this
    person had a hand in it."""

    report: bool
    steps: tuple[tuple[str, str, bool], ...]
    blocked: bool


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The page. `figures`, `charts` and `bins` are empty for a draft without a report; `file` its newest files."""

    model: Model
    kind: str
    state: str
    family: str
    owner: str
    road: tuple[tuple[str, bool, bool], ...]
    data: tuple[tuple[str, str], ...]
    history: tuple[Told, ...]
    figures: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    charts: tuple[Chart, ...]
    bins: tuple[Chart, ...]
    features: int
    file: int
    use: Use
    counties: tuple[County, ...]
    changes: tuple[str, ...]
    acts: Acts
    told: str = ""
    form: dict[str, str] = {}
    errors: dict[str, str] = {}


@get(f"{HOME}/{{model_id:str}}", opt=staff.only(*READERS))
async def show(request: Request, model_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await view(here, known(model_id)))


@get(f"{HOME}/{{model_id:str}}/report/{{seq:int}}/{{form:str}}", opt=staff.only(*READERS))
async def download(
    request: Request, model_id: FromPath[str], seq: FromPath[int], form: FromPath[str]
) -> Response:
    """The report as it lay before those who reviewed: html or pdf. Never shown within our own address."""
    here = staff.here(request)
    if form not in ("html", "pdf") or not 0 < seq < 2**31:
        raise ReportMissing()
    async with here.context.db.read(here.actor) as tx:
        model = await models.get(tx, known(model_id))
        drawn = await models.report_file(tx, model.id, seq)
    name = f"model-report-{model.artefact[:12]}.{form}"
    if form == "pdf":
        return attached(drawn.pdf, "application/pdf", name)
    return attached(drawn.html.encode(), "text/html; charset=utf-8", name)


def attached(body: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    answer: Response = litestar.Response(body, media_type=kind, headers=headers)
    return answer


@post(
    f"{HOME}/{{model_id:str}}/report",
    opt=staff.only("risk_analyst"),
    fields=("why",),
    files=("report",),
    request_max_body_size=forms.PHOTOGRAPH_BODY,
)
async def take(request: Request, model_id: FromPath[str]) -> Response:
    """交测试: the report of this very artefact; we draw its files ourselves."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        await take_model_report.take_model_report(
            here.context, here.actor, known(model_id), await uploaded(request, "report"), form.get("why", "")
        )
    except register.REFUSED as problem:
        return here.show(SHOW, await view(here, model_id, form, problem), code_of(problem))
    return here.go(f"{HOME}/{model_id}")


@post(f"{HOME}/{{model_id:str}}/act", opt=staff.only(*READERS), fields=("act", "why"))
async def act(request: Request, model_id: FromPath[str]) -> Response:
    """One step of a model's life; `act` names the status wanted."""
    here, form = staff.here(request), await forms.texts(request)
    here.require_fresh(f"{HOME}/{model_id}")
    try:
        async with here.context.db.begin(here.actor) as tx:
            await step(tx, known(model_id), form.get("act", ""), form.get("why", ""))
    except register.REFUSED as problem:
        return here.show(SHOW, await view(here, model_id, form, problem), code_of(problem))
    return here.go(f"{HOME}/{model_id}")


async def step(tx: Tx, model_id: str, status: str, why: str) -> None:
    """Raises what the register raises, and `Invalid` for what is no button."""
    if not why.strip():
        raise WhyMissing()
    model = await models.get(tx, model_id)
    if status == "reviewed":
        await models.review(tx, model_id, why, agreed=True)
    elif status == "approved":
        await models.approve(tx, model_id, why)
    elif status == "draft" and model.status == "reviewed":
        await models.approve(tx, model_id, why, agreed=False)
    elif status == "draft":
        await models.review(tx, model_id, why, agreed=False)
    elif status in ("shadow", "live", "watch", "retired"):
        await models.bring(tx, model_id, status, why)
    else:
        raise Invalid(fields={"act": "请点一个按钮"})


async def view(
    here: Here, model_id: str, form: dict[str, str] | None = None, problem: Problem | None = None
) -> Sheet:
    live = await customer.live_institutions(here.request)
    names = {UNION: HEAD_OFFICE.short_name, **{each.id: each.short_name for each in live.values()}}
    async with here.context.db.read(here.reader) as tx:
        model = await models.get(tx, model_id)
        history, files = await models.history(tx, model_id), await models.reports(tx, model_id)
        counties = _counties(await models.offsets_of(tx, model), names)
        changes = await _changes(tx, model)
        use = await _use(tx, model, names)
    async with here.context.db.read(here.actor) as tx:
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        calling = await _calling(tx, model)
    found = _readable(model)
    fields = problem.fields if isinstance(problem, Invalid) else {}
    return Sheet(
        model=model,
        kind=TYPES[model.type],
        state=MODEL.labels[model.status],
        family=models.families().get(model.family, model.family),
        owner=who(model.owner, people),
        road=_road(model, history),
        data=tuple((each["label"], _source(each["source"])) for each in model.data_list),
        history=tuple(
            Told(e, MODEL.labels[e.to_status], who(e.who, people), e.seq if e.seq in files else 0)
            for e in history
        ),
        figures=() if found is None else figures_of(found),
        notes=() if found is None else (*found.notes, found.split),
        charts=() if found is None else model_charts.of_report(found),
        bins=() if found is None else model_charts.bins(found),
        features=0 if found is None else len(found.features),
        file=files[-1] if files and model.report is not None else 0,
        use=msgspec.structs.replace(use, strategies=calling),
        counties=counties,
        changes=tuple(changes),
        acts=_acts(here, model),
        told="" if problem is None or fields else problem.text,
        form=form or {},
        errors=fields,
    )


def _readable(model: Model) -> report.Report | None:
    """The report, unless it was kept before reports had to hold all of this."""
    try:
        return None if model.report is None else report.check(model.report)
    except ReportUnfit:
        return None


def _source(name: str) -> str:
    known_ = sources.every().get(name)
    return known_.label if known_ is not None else SOURCES.get(name, name)


def _road(model: Model, history: list[Event]) -> tuple[tuple[str, bool, bool], ...]:
    """(status in words, was there, is there) of the way from draft to retired."""
    been = {event.to_status for event in history}
    return tuple((MODEL.labels[each], each in been, each == model.status) for each in STEP_NAMES)


def figures_of(found: report.Report) -> tuple[tuple[str, str, str], ...]:
    test = found.test
    return (
        (
            "AUC",
            f"{test.auc:.3f}",
            f"95% 区间 {test.auc_low:.3f} 至 {test.auc_high:.3f}"
            + ("" if test.auc_low > 0.5 else "：和随便排一样，分不开好坏"),
        ),
        ("KS", f"{test.ks:.3f}", f"训练 {found.train.ks:.3f}"),
        ("PSI", f"{found.psi.psi:.3f}", "训练和测试之间"),
        ("坏账率", f"{test.bad / test.people:.2%}", f"测试 {test.people:,} 人"),
    )


def _counties(found: list[offsets.County], names: dict[str, str]) -> tuple[County, ...]:
    return tuple(County(names.get(each.county, each.county), each) for each in found)


async def _changes(tx: Tx, model: Model) -> list[str]:
    """Against the champion of its family, in sentences."""
    current = await models.current(tx, model.family)
    if current is None or current.champion in (None, model.id):
        return []
    return await models.compare(tx, str(current.champion), model.id)


async def _use(tx: Tx, model: Model, names: dict[str, str]) -> Use:
    decided = await watching.usage(tx, model.artefact)
    rechecked = await model_monitors.rechecked(tx, model.artefact, tx.now - RECHECKED_FOR)
    return Use(
        standing=register.standing(model, await models.current(tx, model.family)),
        strategies=(),
        decided=tuple((names.get(at, at), int(each["cases"])) for at, each in decided.items()),
        rechecked=tuple((names.get(each.institution_id, each.institution_id), each) for each in rechecked),
        trials=tuple(await model_monitors.trials_of(tx, model.artefact)),
    )


async def _calling(tx: Tx, model: Model) -> tuple[tuple[str, str], ...]:
    """Strategies whose graph asks this model by a node of its own."""
    return (await register.calling(tx)).get(model.artefact, ())


def _acts(here: Here, model: Model) -> Acts:
    allowed = models.next_acts(here.actor, model)
    words = {status: BUTTONS.get((model.status, status), "") for status in allowed} | dict.fromkeys(
        {"retired"} & set(allowed), "退出使用"
    )
    steps = tuple((status, said, status in ("draft", "retired")) for status, said in words.items() if said)
    return Acts(report="tested" in allowed, steps=steps, blocked=models.blocked(here.actor, model))
