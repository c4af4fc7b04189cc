"""用款核实和预警: drawdowns that wait for a person, warnings of a county, how many were false (A7-06, A6-06)."""

from datetime import timedelta

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.customers import service as customers
from backend.domains.identity import service as identity
from backend.domains.institutions.model import Institution
from backend.domains.post_loan import drawdowns, warnings
from backend.domains.post_loan.model import ACTIONS, OBSERVED, DrawdownCheck, Warning
from backend.flows import answer_drawdown, answer_warning
from backend.overview import warning_outcomes
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.turning import Turn, turn

PATH = "/console/post-loan"
SHOW = "console/post_loan/show.html"
READERS = ("reviewer", "county_admin", "risk_analyst", "auditor", "head_office_admin")
ANSWERERS = ("reviewer", "county_admin")
VERDICTS = (("released", "核实无误，可以用"), ("rejected", "不能用"))
COUNTED_DAYS, PAGE = 180, 50


class HeldLine(msgspec.Struct, frozen=True, kw_only=True):
    """`number` of the application. The rest is what was just written and what was wrong with it."""

    check: DrawdownCheck
    number: str
    name: str
    sent: dict[str, str] = {}
    errors: dict[str, str] = {}


class WarningLine(msgspec.Struct, frozen=True, kw_only=True):
    """`findings` are those this person may choose."""

    warning: Warning
    number: str
    name: str
    owner: str
    late: bool
    findings: tuple[tuple[str, str], ...]
    sent: dict[str, str] = {}
    errors: dict[str, str] = {}


class Held(msgspec.Struct, frozen=True):
    lines: tuple[HeldLine, ...]
    turn: Turn


class Part(msgspec.Struct, frozen=True):
    """One page of the warnings of one status."""

    lines: tuple[WarningLine, ...]
    turn: Turn


class Counted(msgspec.Struct, frozen=True):
    """Of one action: raised, answered, share of false alarms among those in hundredths or None; of `known`, whose time
    to come true is over, `true` did."""

    action: str
    raised: int
    answered: int
    false: int | None
    known: int
    true: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`counts` of the last `days` days; of them `true` speaks of those that are `within` days old."""

    county: Institution
    counties: tuple[Institution, ...]
    mine: bool
    held: Held
    open: Part
    standing: Part
    counts: tuple[Counted, ...]
    within: int
    arrears: int
    days: int = COUNTED_DAYS
    verdicts: tuple[tuple[str, str], ...] = VERDICTS
    observable: tuple[tuple[str, str], ...] = tuple(OBSERVED.items())


class _Sent(msgspec.Struct, frozen=True):
    """A form that came back: whose, what was in it, what was wrong."""

    id: str = ""
    form: dict[str, str] = {}
    errors: dict[str, str] = {}


@get(PATH, opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, await staff.chosen(here), _Sent()))


@post("/console/drawdowns/{check_id:str}", opt=staff.only(*ANSWERERS), fields=("verdict", "found"))
async def answer_held(request: Request, check_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    verdict, found = form.get("verdict", ""), form.get("found", "")
    try:
        await answer_drawdown.answer_drawdown(here.context.db, here.actor, check_id, verdict, found)
    except Invalid as problem:
        return await _again(here, _Sent(check_id, form, problem.fields))
    return here.go(PATH)


@post(
    "/console/warnings/{warning_id:str}", opt=staff.only(*ANSWERERS), fields=("finding", "done", "observed")
)
async def answer_warned(request: Request, warning_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    finding, done = form.get("finding", ""), form.get("done", "")
    try:
        await answer_warning.answer_warning(
            here.context.db, here.actor, warning_id, finding, done, form.get("observed", "")
        )
    except Invalid as problem:
        return await _again(here, _Sent(warning_id, form, problem.fields))
    return here.go(PATH)


async def _again(here: Here, sent: _Sent) -> Response:
    return here.show(SHOW, await _view(here, here.person.institution_id, sent), 422)


async def _view(here: Here, institution_id: str, sent: _Sent) -> Shown:
    mine = here.person.institution_id == institution_id and here.has(*ANSWERERS)
    since = clock.today() - timedelta(days=COUNTED_DAYS)
    async with here.context.db.read(here.within(institution_id)) as tx:
        held = await _held(tx, here, institution_id, sent)
        waiting = await _part(tx, here, institution_id, "open", sent)
        standing = await _part(tx, here, institution_id, "standing", sent)
        counts = await warnings.counts(tx, since)
        ends = await warning_outcomes.warning_outcomes(tx, since, clock.today())
    return Shown(
        county=await staff.institution(here, institution_id),
        counties=await staff.counties(here),
        mine=mine,
        held=held,
        open=waiting,
        standing=standing,
        counts=tuple(
            Counted(
                ACTIONS[each.action],
                each.raised,
                each.answered,
                _hundredths(each.false_alarm_bp),
                ends.known.get(each.action, 0),
                ends.true.get(each.action, 0),
            )
            for each in counts
        ),
        within=ends.within,
        arrears=ends.days,
    )


def _hundredths(bp: int | None) -> int | None:
    return None if bp is None else round(bp / 100)


async def _held(tx: Tx, here: Here, institution_id: str, sent: _Sent) -> Held:
    turned = turn(here, PATH, institution_id, "held", await drawdowns.held_total(tx), PAGE)
    found = await drawdowns.held(tx, PAGE, turned.skipped)
    numbers = await applications.numbers(tx, (each.application_id for each in found))
    names = await customers.names_marked(tx, (each.customer_id for each in found))
    lines = tuple(
        HeldLine(
            check=each,
            number=numbers[each.application_id],
            name=names.get(each.customer_id, "客户"),
            sent=sent.form if sent.id == each.id else {},
            errors=sent.errors if sent.id == each.id else {},
        )
        for each in found
    )
    return Held(lines, turned)


async def _part(tx: Tx, here: Here, institution_id: str, status: str, sent: _Sent) -> Part:
    turned = turn(here, PATH, institution_id, status, (await warnings.totals(tx))[status], PAGE)
    return Part(await _warned(tx, here, status, sent, turned.skipped), turned)


async def _warned(tx: Tx, here: Here, status: str, sent: _Sent, skipped: int) -> tuple[WarningLine, ...]:
    found, today = await warnings.listed(tx, [status], PAGE, skipped), clock.today()
    numbers = await applications.numbers(tx, (each.application_id for each in found))
    names = await customers.names_marked(tx, (each.customer_id for each in found))
    owners = {person.id: person.name for person in await identity.all_staff(tx)}
    return tuple(
        WarningLine(
            warning=each,
            number=numbers[each.application_id],
            name=names.get(each.customer_id, "客户"),
            owner=owners.get(each.owner_id or "", "还没有人，县行管理员处理"),
            late=status == "open" and each.due_on < today,
            findings=warnings.findings_for(each, here.actor),
            sent=sent.form if sent.id == each.id else {},
            errors=sent.errors if sent.id == each.id else {},
        )
        for each in found
    )
