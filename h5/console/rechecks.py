"""抽查: automatic approvals a person looks at again, the wrong ones until they are settled, and how it went (D2-07)."""

from datetime import datetime, timedelta

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.institutions.model import Institution
from backend.domains.reviews import rechecks
from backend.domains.reviews.model import RECHECK, RECHECK_TRIGGERS, Recheck
from backend.flows import answer_recheck, settle_recheck
from backend.overview import case_file
from backend.overview.case_file import Rechecked
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "console/rechecks/show.html"
READERS = ("reviewer", "county_admin", "risk_analyst", "auditor", "head_office_admin")
FINDINGS = (("agreed", "同意，没有问题"), ("disagreed", "不同意，有问题"))
COUNTED_DAYS = 90


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`mine` says this person may answer it; the rest is what they just wrote and what was wrong with it."""

    recheck: Recheck
    number: str
    triggers: str
    late: bool
    mine: bool
    finding: str = ""
    text: str = ""
    errors: dict[str, str] = {}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`counts`: (why, how it stands, cases) of the last `days` days; `answered` the newest, each with the number of its
    application; `open` and `unsettled` count all, the lists hold the most urgent."""

    county: Institution
    counties: tuple[Institution, ...]
    waiting: tuple[Line, ...]
    wrong: tuple[Line, ...]
    counts: tuple[tuple[str, str, int], ...]
    answered: tuple[tuple[str, Rechecked], ...]
    open: int
    unsettled: int
    days: int = COUNTED_DAYS
    findings: tuple[tuple[str, str], ...] = FINDINGS


class _Sent(msgspec.Struct, frozen=True):
    recheck_id: str
    form: dict[str, str]
    errors: dict[str, str]


@get("/console/rechecks", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, await staff.chosen(here)))


@post("/console/rechecks/{recheck_id:str}", opt=staff.only("reviewer"), fields=("finding", "why"))
async def answer(request: Request, recheck_id: FromPath[str]) -> Response:
    """The finding, with reasons; the loan stays as it is."""
    here, form = staff.here(request), await forms.texts(request)
    finding, why = form.get("finding", ""), form.get("why", "")
    try:
        await answer_recheck.answer_recheck(here.context.db, here.actor, recheck_id, finding, why)
    except Invalid as problem:
        return await _again(here, _Sent(recheck_id, form, problem.fields))
    return here.go("/console/rechecks")


@post("/console/rechecks/{recheck_id:str}/done", opt=staff.only("county_admin"), fields=("done",))
async def settle(request: Request, recheck_id: FromPath[str]) -> Response:
    """What came of one that was found wrong."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        await settle_recheck.settle_recheck(here.context.db, here.actor, recheck_id, form.get("done", ""))
    except Invalid as problem:
        return await _again(here, _Sent(recheck_id, form, problem.fields))
    return here.go("/console/rechecks")


async def _again(here: Here, sent: _Sent) -> Response:
    return here.show(SHOW, await _view(here, here.person.institution_id, sent), 422)


async def _view(here: Here, institution_id: str, sent: _Sent | None = None) -> Shown:
    since = clock.now() - timedelta(days=COUNTED_DAYS)
    own = here.person.institution_id == institution_id
    async with here.context.db.read(here.within(institution_id)) as tx:
        waiting = await _lines(tx, "open", own and here.has("reviewer"), sent)
        wrong = await _lines(tx, "disagreed", own and here.has("county_admin"), sent)
        counts = await rechecks.counts(tx, since)
        answered, totals = await _answered(tx), await rechecks.waiting(tx)
    return Shown(
        county=await staff.institution(here, institution_id),
        counties=await staff.counties(here),
        waiting=waiting,
        wrong=wrong,
        answered=answered,
        open=totals["open"],
        unsettled=totals["disagreed"],
        counts=tuple((RECHECK_TRIGGERS[why], RECHECK.labels[status], n) for why, status, n in counts),
    )


async def _lines(tx: Tx, status: str, mine: bool, sent: _Sent | None) -> tuple[Line, ...]:
    now, found = clock.now(), await rechecks.listed(tx, status)
    numbers = await applications.numbers(tx, (each.application_id for each in found))
    return tuple(_line(each, numbers[each.application_id], mine, now, sent) for each in found)


async def _answered(tx: Tx) -> tuple[tuple[str, Rechecked], ...]:
    found, names = await rechecks.answered(tx), await case_file.staff_names(tx)
    numbers = await applications.numbers(tx, (each.application_id for each in found))
    return tuple((numbers[each.application_id], case_file.told_of(each, names)) for each in found)


def _line(recheck: Recheck, number: str, mine: bool, now: datetime, sent: _Sent | None) -> Line:
    here = sent if sent is not None and sent.recheck_id == recheck.id else _Sent("", {}, {})
    return Line(
        recheck=recheck,
        number=number,
        triggers="、".join(RECHECK_TRIGGERS[each] for each in recheck.triggers),
        late=recheck.due_at < now,
        mine=mine,
        finding=here.form.get("finding", ""),
        text=here.form.get("why", "") or here.form.get("done", ""),
        errors=here.errors,
    )
