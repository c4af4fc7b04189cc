"""客户经理和责任码: who may market until when, and one revoke that kills every printed copy (N1, D4-01)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock, ids
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import PLACEMENTS, CodeNotFound, OfficerCard, Verification
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff, StaffNotFound
from backend.domains.institutions.model import Institution
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
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
    rows: tuple[Row, ...]
    county: Institution
    counties: tuple[Institution, ...]


class Officer(msgspec.Struct, frozen=True, kw_only=True):
    person: Staff
    card: OfficerCard
    authorised: bool
    codes: tuple[Verification, ...]
    may_revoke: bool
    institution_id: str
    wrong: tuple[str, str] = ("", "")
    placements: dict[str, str] = msgspec.field(default_factory=PLACEMENTS.copy)


@get("/console/officers", opt=staff.only(*READERS))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    institution_id = await staff.chosen(here)
    async with here.context.db.read(here.within(institution_id)) as tx:
        officers = [p for p in await identity.all_staff(tx) if "officer" in p.roles]
        rows = tuple([await _row(tx, person) for person in officers])
    county = await staff.institution(here, institution_id)
    return here.show("console/officers/show_all.html", Officers(rows, county, await staff.counties(here)))


@get("/console/officers/{institution_id:str}/{staff_id:str}", opt=staff.only(*READERS))
async def show(request: Request, institution_id: FromPath[str], staff_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show("console/officers/show.html", await _view(here, institution_id, staff_id))


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
        return here.show("console/officers/show.html", view, 422)
    return here.go(f"/console/officers/{institution_id}/{code.officer_id}")


async def _row(tx: Tx, person: Staff) -> Row:
    codes = [await campaigns.verify_id(tx, c.id) for c in await campaigns.list_for_officer(tx, person.id)]
    card, today = await campaigns.officer_card(tx, person), clock.today()
    real = sum(code.usable for code in codes)
    left = (person.authority_to - today).days if person.authority_to else None
    return Row(person, card.branch_name, person.authorised(today), left, real, len(codes) - real)


async def _view(here: Here, institution_id: str, staff_id: str, wrong: tuple[str, str] = ("", "")) -> Officer:
    async with here.context.db.read(here.within(institution_id)) as tx:
        person = await identity.staff(tx, staff_id) if ids.is_uuid(staff_id) else None
        if person is None or "officer" not in person.roles:
            raise StaffNotFound()
        codes = await campaigns.list_for_officer(tx, staff_id)
        return Officer(
            person=person,
            card=await campaigns.officer_card(tx, person),
            authorised=person.authorised(clock.today()),
            codes=tuple([await campaigns.verify_id(tx, code.id) for code in codes]),
            may_revoke=here.has("county_admin") and not here.head_office,
            institution_id=institution_id,
            wrong=wrong,
        )
