"""客户经理和责任码: who may market until when, and one revoke that kills every printed copy (N1, D4-01)."""

from collections.abc import Sequence

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock, ids
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.campaigns import sentinel
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import PLACEMENTS, CodeNotFound, OfficerCard, Verification
from backend.domains.campaigns.sentinel import Frozen
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff
from backend.domains.institutions.model import Institution
from backend.flows import end_posting, hand_over_customers
from backend.flows.end_posting import ADMINS
from backend.overview import left_behind
from backend.overview.left_behind import LeftBehind
from backend.overview.officer_day import Line
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
SHOW = "console/officers/show.html"
SHORTEST, LONGEST = 2, 60


class Row(msgspec.Struct, frozen=True):
    """An officer of the list. `real` and `closed` count codes by whether they may be used now."""

    person: Staff
    branch: str
    authorised: bool
    days_left: int | None
    real: int
    closed: int


class Officers(msgspec.Struct, frozen=True):
    """`alone` are those who left and whose customers nobody looks after; `frozen` are placements that stopped by
    themselves and wait for a person (N15)."""

    rows: tuple[Row, ...]
    alone: tuple[LeftBehind, ...]
    frozen: tuple[tuple[Frozen, str], ...]
    county: Institution
    counties: tuple[Institution, ...]


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin may do about an officer who leaves or left. `cases` are of those nobody looks after, at most a
    page of them (`more`); `colleagues` may take them."""

    may_end: bool
    fresh: bool
    behind: LeftBehind | None
    cases: tuple[Line, ...] = ()
    more: bool = False
    colleagues: tuple[Staff, ...] = ()
    may_hand_over: bool = False
    reason: str = ""
    to: str = ""
    errors: dict[str, str] = {}


class Officer(msgspec.Struct, frozen=True, kw_only=True):
    person: Staff
    card: OfficerCard
    authorised: bool
    codes: tuple[Verification, ...]
    may_revoke: bool
    institution_id: str
    leaving: Leaving
    frozen: dict[str, Frozen]
    may_release: bool
    wrong: tuple[str, str] = ("", "")
    release_wrong: tuple[str, str] = ("", "")
    placements: dict[str, str] = msgspec.field(default_factory=PLACEMENTS.copy)


@get("/console/officers", opt=staff.only(*READERS))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    institution_id = await staff.chosen(here)
    async with here.context.db.read(here.within(institution_id)) as tx:
        officers = [p for p in await identity.all_staff(tx) if "officer" in p.roles]
        rows = await _rows(tx, officers)
        alone = tuple(await left_behind.of_county(tx))
        names = {person.id: person.name for person in officers}
        frozen = tuple((each, names.get(each.officer_id, "")) for each in await sentinel.standing(tx))
    county = await staff.institution(here, institution_id)
    view = Officers(rows, alone, frozen, county, await staff.counties(here))
    return here.show("console/officers/show_all.html", view)


@get("/console/officers/{institution_id:str}/{staff_id:str}", opt=staff.only(*READERS))
async def show(request: Request, institution_id: FromPath[str], staff_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, institution_id, staff_id))


@post(
    "/console/officers/{institution_id:str}/{staff_id:str}/leave",
    opt=staff.only(*ADMINS),
    fields=("reason",),
)
async def leave(request: Request, institution_id: FromPath[str], staff_id: FromPath[str]) -> Response:
    """离岗: cannot be taken back, so with a reason and a fresh proof of who does it."""
    here, form = staff.here(request), await forms.texts(request)
    actor, path = here.within(institution_id), f"/console/officers/{institution_id}/{staff_id}"
    await _exists(here, institution_id, staff_id)
    here.require_fresh(path)
    try:
        await end_posting.end_posting(here.context, actor, staff_id, form.get("reason", ""))
    except Invalid as problem:
        view = await _view(here, institution_id, staff_id, form=form, errors=problem.fields)
        return here.show(SHOW, view, 422)
    return here.go(path)


@post(
    "/console/officers/{institution_id:str}/{staff_id:str}/hand-over",
    opt=staff.only(*ADMINS),
    fields=("to",),
)
async def hand_over(request: Request, institution_id: FromPath[str], staff_id: FromPath[str]) -> Response:
    """Everybody whom nobody looks after goes to one colleague."""
    here, form = staff.here(request), await forms.texts(request)
    actor, path = here.within(institution_id), f"/console/officers/{institution_id}/{staff_id}"
    await _exists(here, institution_id, staff_id)
    try:
        await hand_over_customers.hand_over_customers(here.context, actor, staff_id, form.get("to", ""))
    except Invalid as problem:
        view = await _view(here, institution_id, staff_id, form=form, errors=problem.fields)
        return here.show(SHOW, view, 422)
    return here.go(path)


@post("/console/codes/{code_id:str}/revoke", opt=staff.only("county_admin"), fields=("reason",))
async def revoke(request: Request, code_id: FromPath[str]) -> Response:
    """From the commit on every copy of the code says that it is void; revoking again changes nothing."""
    here, reason = staff.here(request), (await forms.texts(request)).get("reason", "")
    institution_id = here.person.institution_id
    async with here.context.db.begin(here.actor) as tx:
        if not ids.is_uuid(code_id):
            raise CodeNotFound()
        code = await campaigns.get_code(tx, code_id)
        if len(reason) >= SHORTEST:
            await campaigns.revoke(tx, code_id, reason[:LONGEST])
    if len(reason) < SHORTEST:
        problem = Invalid(fields={"reason": "请写明为什么作废，扫码的人会看到"})
        view = await _view(here, institution_id, code.officer_id, (code_id, problem.fields["reason"]))
        return here.show(SHOW, view, 422)
    return here.go(f"/console/officers/{institution_id}/{code.officer_id}")


@post("/console/codes/{code_id:str}/release", opt=staff.only("county_admin"), fields=("reason",))
async def release(request: Request, code_id: FromPath[str]) -> Response:
    """Looked into: the placement goes on, with the reason kept; what was before does not count again (N15)."""
    here, reason = staff.here(request), (await forms.texts(request)).get("reason", "")
    institution_id = here.person.institution_id
    if not ids.is_uuid(code_id):
        raise CodeNotFound()
    async with here.context.db.read(here.actor) as tx:
        code = await campaigns.get_code(tx, code_id)
    try:
        async with here.context.db.begin(here.actor) as tx:
            await sentinel.release(tx, code_id, reason)
    except Invalid as problem:
        wrong = (code_id, problem.fields["release"])
        view = await _view(here, institution_id, code.officer_id, release_wrong=wrong)
        return here.show("console/officers/show.html", view, 422)
    return here.go(f"/console/officers/{institution_id}/{code.officer_id}")


async def _rows(tx: Tx, officers: Sequence[Staff]) -> tuple[Row, ...]:
    codes, cards = await campaigns.verified(tx, officers), await campaigns.officer_cards(tx, officers)
    return tuple(_row(each, cards[each.id].branch_name, codes[each.id]) for each in officers)


def _row(person: Staff, branch: str, codes: Sequence[Verification]) -> Row:
    today, real = clock.today(), sum(code.usable for code in codes)
    left = (person.authority_to - today).days if person.authority_to else None
    return Row(person, branch, person.authorised(today), left, real, len(codes) - real)


async def _officer(tx: Tx, staff_id: str) -> Staff:
    person = await identity.staff(tx, staff_id) if ids.is_uuid(staff_id) else None
    end_posting.require_officer(person)
    assert person is not None
    return person


async def _exists(here: Here, institution_id: str, staff_id: str) -> None:
    """Raises `StaffNotFound`."""
    async with here.context.db.read(here.within(institution_id)) as tx:
        await _officer(tx, staff_id)


async def _view(
    here: Here,
    institution_id: str,
    staff_id: str,
    wrong: tuple[str, str] = ("", ""),
    release_wrong: tuple[str, str] = ("", ""),
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Officer:
    async with here.context.db.read(here.within(institution_id)) as tx:
        person = await _officer(tx, staff_id)
        return Officer(
            person=person,
            card=await campaigns.officer_card(tx, person),
            authorised=person.authorised(clock.today()),
            codes=tuple((await campaigns.verified(tx, [person]))[person.id]),
            may_revoke=here.has("county_admin") and not here.head_office,
            institution_id=institution_id,
            leaving=await _leaving(here, tx, person, form or {}, errors or {}),
            frozen={each.code_id: each for each in await sentinel.standing(tx)},
            may_release=here.has("county_admin") and not here.head_office,
            wrong=wrong,
            release_wrong=release_wrong,
        )


async def _leaving(
    here: Here, tx: Tx, person: Staff, form: dict[str, str], errors: dict[str, str]
) -> Leaving:
    behind = None if person.active else await left_behind.of_officer(tx, person.id)
    cases, more = await left_behind.cases(tx, person.id) if behind else ([], False)
    team = await identity.all_staff(tx) if behind else []
    return Leaving(
        may_end=here.has(*ADMINS) and person.active and person.id != here.person.id,
        fresh=here.fresh(),
        behind=behind,
        cases=tuple(cases),
        more=more,
        colleagues=tuple(each for each in team if each.active and "officer" in each.roles),
        may_hand_over=here.has(*ADMINS),
        reason=form.get("reason", ""),
        to=form.get("to", ""),
        errors=errors,
    )
