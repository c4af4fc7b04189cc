"""One version of a strategy: its tables with what the checks say, its life, and every act a person may do to it
(A3-33, A3-34): check, submit, approve or reject as a second person, drop, end."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
from litestar import post
from litestar.params import FromPath

from backend.core import clock, ids
from backend.core.actor import Actor
from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.db.database import Tx
from backend.domains.decision.model import DECIDING, MOMENTS
from backend.domains.identity import service as identity
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.strategies import (
    aside,
    carrying,
    checks,
    counties,
    course,
    effects,
    ending,
    inside,
    judging,
    nesting,
    overlays,
    scenario_book,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.carrying import Coming, Stale
from backend.domains.strategies.changes import Change
from backend.domains.strategies.counties import Overlay
from backend.domains.strategies.course import Saved
from backend.domains.strategies.model import (
    STAGES,
    CheckRun,
    Document,
    Effect,
    Move,
    NotYourStrategy,
    Scenario,
    StrategyMissing,
    UnionContent,
    Version,
)
from backend.flows import measure_strategy
from backend.web import forms, staff
from backend.web.formats import HERE
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import rounded_effects, strategy_models, strategy_scenarios, strategy_tables
from h5.console.strategies import HOME, WRITERS, overlays_of, path_of, people, product_names
from h5.console.strategy_carried import Carried
from h5.console.strategy_knobs import Knob, knobs
from h5.console.strategy_tables import Sheet

SHOW = "console/strategies/version.html"


class Acts(msgspec.Struct, frozen=True, kw_only=True):
    """Which buttons this person sees now."""

    edit: bool
    submit: bool
    answer: bool
    second: bool
    retire: bool
    usage: bool


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """`who` are names by `staff:ID`; `warned` says what of a live overlay head office overtook; `whose` the
    county. Of a stage outside a decision `tighter` says what a county can do and `kept` what there is to try on.
    `saves`: what was written on the way to it. `stale`: something newer overtook this draft; `coming`: what an
    agreed day will do; `newest` is the draft that took its place; `left` a draft this one was begun instead of.
    `newer`: cases that came since its effect was worked out, told while it waits for an approval. `saved`: it was
    a moment ago. `checked`: the numbers in the form were looked at; `wrong` is what else they upset. `seconds` are
    who may approve it. `carried`: the numbers in the form were typed on the draft before this one. `fewest`: the
    effect is on others' customers and rounded so, 0 where it is not. `afterwards`: what decides when its time is
    over; '' where it must not end."""

    version: Version
    product_name: str
    strategy_path: str
    scenarios_path: str
    stages: tuple[tuple[str, str, bool], ...]
    sheet: Sheet
    to_mend: tuple[tuple[str, str], ...]
    knobs: tuple[Knob, ...]
    changes: tuple[Change, ...]
    against: str
    run: CheckRun | None
    stopped: tuple[Scenario, ...]
    effect: Effect | None
    fewest: int
    moves: tuple[Move, ...]
    saves: tuple[Saved, ...]
    who: dict[str, str]
    acts: Acts
    seconds: tuple[str, ...]
    warned: tuple[str, ...]
    whose: str = ""
    overlays: tuple[tuple[str, Overlay], ...] = ()
    tighter: str = ""
    kept: str = ""
    answers: dict[str, str] = {}
    stale: Stale | None = None
    coming: Coming
    newest: Version | None = None
    carried: Carried | None = None
    left: str = ""
    newer: int = 0
    saved: bool = False
    checked: bool = False
    wrong: tuple[str, ...] = ()
    afterwards: str = ""
    told: str = ""
    form: dict[str, str] = {}
    errors: dict[str, str] = {}
    now: datetime


@post(
    f"{HOME}/{{version_id:str}}/act",
    opt=staff.only(*WRITERS),
    fields=("act", "reason", "effective_from", "effective_until"),
)
async def act(request: Request, version_id: FromPath[str]) -> Response:
    """One step of a version's life; `act` names the button. Nothing happens twice: the states see to that."""
    here, form = staff.here(request), await forms.texts(request)
    if form.get("act") in PROVED:
        here.require_fresh(f"{HOME}/{version_id}")
    try:
        if form.get("act") == "check":
            return here.go(await _check(here, version_id))
        async with here.context.db.begin(here.actor) as tx:
            await found(tx, version_id)
            step = _STEPS.get(form.get("act", ""))
            if step is None:
                raise Invalid(fields={"act": "请点一个按钮"})
            target = await step(tx, version_id, form)
    except (Invalid, Conflict, NotPermitted) as problem:
        return here.show(SHOW, await view(here, version_id, form, problem), code_of(problem))
    return here.go(target)


def code_of(problem: Invalid | Conflict | NotPermitted) -> int:
    return 422 if isinstance(problem, Invalid) else 409 if isinstance(problem, Conflict) else 403


async def reader(here: Here, version_id: str) -> Actor:
    """Who reads a version: head office as the county whose overlay it is, everybody else as themselves."""
    if not here.head_office or not ids.is_uuid(version_id):
        return here.actor
    async with here.context.db.read(here.reader) as tx:
        county = await counties.county_of(tx, version_id)
    return here.within(county) if county else here.actor


async def found(tx: Tx, version_id: str) -> Version:
    """The version of an address. Raises `StrategyMissing`, also for another county's."""
    if not ids.is_uuid(version_id):
        raise StrategyMissing()
    return await strategies.get(tx, version_id)


async def _check(here: Here, version_id: str) -> str:
    """Read, calculate with no transaction open, keep."""
    async with here.context.db.read(here.actor) as tx:
        ready = await checks.ready(tx, await found(tx, version_id))
    report = await aside.run(ready.report)
    async with here.context.db.begin(here.actor) as tx:
        await strategies.check(tx, version_id, report)
    return f"{HOME}/{version_id}"


async def _submit(tx: Tx, version_id: str, _: dict[str, str]) -> str:
    await strategies.submit(tx, version_id)
    return f"{HOME}/{version_id}"


async def _approve(tx: Tx, version_id: str, form: dict[str, str]) -> str:
    start, end = (_moment(form, field, tx.now, days) for field, days in LATEST.items())
    await strategies.approve(
        tx, version_id, reason=form.get("reason", ""), effective_from=start, effective_until=end
    )
    return f"{HOME}/{version_id}"


async def _measure(tx: Tx, version_id: str, _: dict[str, str]) -> str:
    """On the newest cases, before anybody approves."""
    version = await found(tx, version_id)
    if not strategies.may_write(tx.actor) or strategies.owner_of(tx.actor) != version.institution_id:
        raise NotYourStrategy()
    await effects.ask_again(tx, version)
    return f"{HOME}/{version_id}#effect"


async def _reject(tx: Tx, version_id: str, form: dict[str, str]) -> str:
    await strategies.reject(tx, version_id, reason=form.get("reason", ""))
    return f"{HOME}/{version_id}"


async def _discard(tx: Tx, version_id: str, form: dict[str, str]) -> str:
    await strategies.discard(tx, version_id, reason=form.get("reason", ""))
    return HOME


async def _retire(tx: Tx, version_id: str, form: dict[str, str]) -> str:
    await strategies.retire(tx, version_id, reason=form.get("reason", ""))
    return f"{HOME}/{version_id}"


async def _again(tx: Tx, version_id: str, form: dict[str, str]) -> str:
    """A new draft holding what this version holds."""
    old = await found(tx, version_id)
    made = await strategies.draft(
        tx, old.product_code, old.stage, reason=form.get("reason", ""), copy_of=version_id
    )
    return f"{HOME}/{made.id}"


async def _carry(tx: Tx, version_id: str, _: dict[str, str]) -> str:
    return f"{HOME}/{(await carrying.carry(tx, version_id)).id}"


async def _anew(tx: Tx, version_id: str, _: dict[str, str]) -> str:
    """The draft that was left stands beside the new one, to be read."""
    return f"{HOME}/{(await carrying.begin_anew(tx, version_id)).id}?left={version_id}"


PROVED = frozenset({"approve", "retire"})
"""Changes what decides: who does it proves again who they are (A5-01)."""

_STEPS: dict[str, Callable[[Tx, str, dict[str, str]], Awaitable[str]]] = {
    "submit": _submit,
    "measure": _measure,
    "approve": _approve,
    "reject": _reject,
    "discard": _discard,
    "retire": _retire,
    "again": _again,
    "carry": _carry,
    "anew": _anew,
}


LATEST = {"effective_from": 366, "effective_until": 3 * 366}
"""How many days ahead a version may begin and end."""


def _moment(form: dict[str, str], field: str, now: datetime, days: int) -> datetime | None:
    """A date and time of a form, of our clock; None: at once, or without an end. Raises `Invalid`."""
    if not form.get(field):
        return None
    try:
        when = datetime.fromisoformat(form[field]).replace(tzinfo=HERE)
    except ValueError as cause:
        raise Invalid(fields={field: "时间写成 2026-12-01T00:00 这样"}) from cause
    if not now - timedelta(minutes=5) <= when <= now + timedelta(days=days):
        name = {"effective_from": "生效", "effective_until": "结束"}[field]
        within = "一年" if days == LATEST["effective_from"] else "三年"
        raise Invalid(fields={field: f"{name}时间要在现在以后、{within}以内"})
    return when


async def view(
    here: Here,
    version_id: str,
    form: dict[str, str] | None = None,
    problem: Invalid | Conflict | NotPermitted | None = None,
) -> VersionPage:
    async with here.context.db.read(await reader(here, version_id)) as tx:
        version = await found(tx, version_id)
        floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
        run, moves = await strategies.last_check(tx, version_id), await course.course(tx, version)
        saves = await course.saves(tx, version)
        names = await product_names(tx)
        whos = [version.maker, version.checker, *(each.who for each in moves), *(each.who for each in saves)]
        who = await people(tx, whos)
        effect, fewest = await _effect(here, tx, version)
        before = await course.compared_with(tx, version)
        documents = _documents(version, before, floor)
        flows = await nesting.flows_of(tx, *documents)
        models = await strategy_models.known(here, tx, [*documents, *flows.values()])
        changes = await course.changes_of(tx, version, before, strategy_models.names(models))
        warned = await checks.outdated(tx, version) if version.status in ("live", "checked") else []
        stopped = await _stopped(tx, version, before)
        stale = await carrying.stale(tx, version, strategy_models.names(models))
        coming = await carrying.coming(tx, version)
        newest = await newest_draft(tx, version)
        after = "" if ending.must_decide(version) else await ending.afterwards(tx, version)
        seconds = await _seconds(tx, version)
    findings = [*(run.report.findings if run else []), *(warned if version.status == "checked" else [])]
    sheet = strategy_tables.sheet(version.stage, version.content, floor, findings, models=models, flows=flows)
    return VersionPage(
        version=version,
        product_name=names.get(version.product_code, version.product_code),
        strategy_path=path_of(version.product_code, version.stage),
        scenarios_path=strategy_scenarios.path_of(version.product_code, version.stage),
        stages=_strip(version),
        sheet=sheet,
        to_mend=strategy_tables.to_mend(sheet, findings, f"{HOME}/{version_id}"),
        knobs=knobs(version, floor, findings),
        changes=tuple(changes),
        against=against(version, before),
        run=run,
        stopped=tuple(stopped),
        effect=effect,
        fewest=fewest,
        moves=tuple(moves),
        saves=tuple(saves),
        who=who,
        acts=acts_of(here, version),
        seconds=seconds,
        warned=tuple(f"{each.place}：{each.sentence}" for each in warned) if version.status == "live" else (),
        overlays=await overlays_of(here, version.product_code, version.stage, version.content)
        if isinstance(version.content, UnionContent)
        else (),
        whose=await _whose(here, version),
        tighter=overlays.TIGHTER.get(version.stage, ""),
        kept=judging.KEPT.get(version.stage, ""),
        answers=judging.outcomes(version.stage),
        stale=stale,
        coming=coming,
        newest=newest,
        newer=await _newer(here, version, effect),
        afterwards=after.replace("本行", "县行") if here.head_office else after,
        told=_told(problem),
        form=form or {},
        errors=problem.fields if isinstance(problem, Invalid) else {},
        now=clock.now(),
    )


async def _effect(here: Here, tx: Tx, version: Version) -> tuple[Effect | None, int]:
    """The last, and the fewest customers it tells of: 0 where they are the reader's own."""
    effect = await effects.last_of(tx, version.id)
    if here.head_office or version.layer == "union":
        return await rounded_effects.of(tx, effect)
    return effect, 0


async def _newer(here: Here, version: Version, effect: Effect | None) -> int:
    if effect is None or version.status != "checked":
        return 0
    return await measure_strategy.newer(here.context, _measured_by(version), version, effect)


async def _whose(here: Here, version: Version) -> str:
    if version.layer != "county":
        return ""
    return (await staff.institution(here, version.institution_id)).short_name


def _measured_by(version: Version) -> str:
    return HEAD_OFFICE if version.layer == "union" else version.institution_id


async def _seconds(tx: Tx, version: Version) -> tuple[str, ...]:
    """Names of who wrote nothing of a version that is not approved yet, and may approve it. A county has few people:
    where all of them wrote, nobody is left, and the page has to say so."""
    if version.status not in ("draft", "checked"):
        return ()
    return tuple(
        each.name
        for each in await identity.all_staff(tx)
        if each.active
        and strategies.may_approve(
            Actor("staff", each.id, each.institution_id, frozenset(each.roles), each.name), version
        )
    )


async def newest_draft(tx: Tx, version: Version) -> Version | None:
    """The draft that took the place of one somebody went on with, opened at the same sub-flow where it still has it;
    None where this one is no such draft."""
    if version.status != "superseded":
        return None
    owner = version.institution_id
    held = await strategies.history(tx, owner, version.product_code, version.stage)
    newest = next((each for each in held if each.status in ("draft", "checked")), None)
    if newest is None or not version.within:
        return newest
    try:
        return await inside.at(tx, newest, [node for node, _ in version.within])
    except StrategyMissing:
        return newest


async def _stopped(tx: Tx, version: Version, before: Version | None) -> list[Scenario]:
    """Scenarios stopped since what is live became so: whoever approves the next one must know."""
    if version.status not in ("draft", "checked"):
        return []
    since = before.effective_from if before is not None else None
    return await scenario_book.stopped(tx, version.product_code, str(version.stage), since=since)


def _documents(version: Version, before: Version | None, floor: UnionContent) -> list[Document]:
    """Those the page draws or compares."""
    held = (version.content, floor, before.content if before else None)
    return [each.document for each in held if isinstance(each, UnionContent)]


def against(version: Version, before: Version | None) -> str:
    """What the changes of a version are told against."""
    if version.status not in ("live", "retired"):
        return "在用的"
    if before is not None:
        return (
            "所有产品的" if before.product_code != version.product_code else f"它接替的第 {before.number} 版"
        )
    return "随系统的原版" if version.layer == "union" else "没有加严层时"


def _told(problem: Invalid | Conflict | NotPermitted | None) -> str:
    return "" if problem is None or (isinstance(problem, Invalid) and problem.fields) else problem.text


def _strip(version: Version) -> tuple[tuple[str, str, bool], ...]:
    """(label, address, is this one) of the stages that run together; another moment stands alone."""
    several = DECIDING if version.stage in DECIDING else MOMENTS
    return tuple((STAGES[s], path_of(version.product_code, s), s == version.stage) for s in several)


def acts_of(here: Here, version: Version) -> Acts:
    mine = strategies.may_write(here.actor) and strategies.owner_of(here.actor) == version.institution_id
    waiting = version.status == "checked" and version.submitted_at is not None
    return Acts(
        edit=mine and version.status in ("draft", "checked"),
        submit=mine and version.status == "checked" and version.submitted_at is None,
        answer=mine and (waiting or version.status == "approved"),
        second=strategies.may_approve(here.actor, version),
        retire=mine
        and version.status == "live"
        and (version.layer == "union" or strategies.may_approve(here.actor, version))
        and not (version.layer == "union" and version.product_code == "*"),
        usage=version.stage in DECIDING and version.status in ("live", "retired") and not version.within,
    )
