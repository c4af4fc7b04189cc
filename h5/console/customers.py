"""冻结和解除: a customer's page for who may stop everything with them, and the list of who is stopped.

A county freezes its own; head office whomever. Releasing takes two people.
"""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.core.lifecycle import ForbiddenMove
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import freezing
from backend.domains.customers import service as customers
from backend.domains.customers.freezing import Freeze, NotFrozen, ReleaseAsked, ReleaseYours
from backend.domains.customers.model import MaskedPerson
from backend.domains.identity import service as identity
from backend.domains.institutions.model import Institution
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW, FROZEN = "console/customers/show.html", "console/customers/frozen.html"
READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
FREEZERS = ("county_admin", "risk_analyst", "head_office_admin")


class Line(msgspec.Struct, frozen=True):
    """A freeze with the names of who acted; `mine` when whoever looks asked for its end."""

    freeze: Freeze
    frozen_by: str
    asked_by: str
    released_by: str
    mine: bool
    person: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`standing` is the freeze that holds now; `told` what happened to the act just sent."""

    institution_id: str
    person: MaskedPerson
    cases: tuple[Application, ...]
    standing: Line | None
    past: tuple[Line, ...]
    may_freeze: bool
    action: str
    reason: str = ""
    error: str = ""
    told: str = ""


class Frozen(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...]
    county: Institution
    counties: tuple[Institution, ...]


@get("/console/frozen", opt=staff.only(*READERS))
async def show_frozen(request: Request) -> Response:
    here = staff.here(request)
    counties = tuple(await staff.counties(here)) if here.head_office else ()
    own = counties[0].id if counties else here.person.institution_id
    county = await staff.institution(here, request.query_params.get("in", own))
    async with here.context.db.read(here.within(county.id)) as tx:
        found = await freezing.standing(tx)
        people = await customers.names(tx, [each.customer_id for each in found])
        lines = [_line(here, each, await _names(tx), people.get(each.customer_id, "")) for each in found]
    return here.show(FROZEN, Frozen(tuple(lines), county, counties))


@get("/console/customers/{institution_id:str}/{customer_id:str}", opt=staff.only(*READERS))
async def show(request: Request, institution_id: FromPath[str], customer_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, institution_id, customer_id))


@post(
    "/console/customers/{institution_id:str}/{customer_id:str}/freeze",
    opt=staff.only(*FREEZERS),
    fields=("reason",),
)
async def freeze(request: Request, institution_id: FromPath[str], customer_id: FromPath[str]) -> Response:
    """At once, because it protects."""
    here, reason = staff.here(request), (await forms.texts(request)).get("reason", "")
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            await freezing.freeze(tx, customer_id, reason)
    except Invalid as problem:
        view = await _view(here, institution_id, customer_id, reason=reason, error=problem.fields["reason"])
        return here.show(SHOW, view, 422)
    except ForbiddenMove:
        told = "这位客户已经冻结了"
        return here.show(SHOW, await _view(here, institution_id, customer_id, told=told), 409)
    return here.go(f"/console/customers/{institution_id}/{customer_id}")


@post(
    "/console/customers/{institution_id:str}/{customer_id:str}/release",
    opt=staff.only(*FREEZERS),
    fields=("act", "reason"),
)
async def release(request: Request, institution_id: FromPath[str], customer_id: FromPath[str]) -> Response:
    """One asks, another agrees or leaves it frozen."""
    here, form = staff.here(request), await forms.texts(request)
    reason = form.get("reason", "")
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            await customers.view(tx, customer_id)
            await _release(tx, customer_id, form.get("act", ""), reason)
    except Invalid as problem:
        view = await _view(here, institution_id, customer_id, reason=reason, error=problem.fields["reason"])
        return here.show(SHOW, view, 422)
    except (NotFrozen, ReleaseAsked, ReleaseYours) as late:
        return here.show(SHOW, await _view(here, institution_id, customer_id, told=late.text), 409)
    return here.go(f"/console/customers/{institution_id}/{customer_id}")


async def _release(tx: Tx, customer_id: str, act: str, reason: str) -> None:
    if act == "agree":
        await freezing.release(tx, customer_id)
    elif act == "keep":
        await freezing.keep(tx, customer_id)
    elif act == "ask":
        await freezing.ask_release(tx, customer_id, reason)
    else:
        raise Invalid(fields={"reason": "请选怎么办"})


async def _names(tx: Tx) -> dict[str, str]:
    return {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}


def _line(here: Here, each: Freeze, names: dict[str, str], person: str = "") -> Line:
    def who(actor: str | None) -> str:
        return names.get(actor, "省联社") if actor else ""

    mine = each.release_asked_by == f"staff:{here.person.id}"
    return Line(each, who(each.frozen_by), who(each.release_asked_by), who(each.released_by), mine, person)


async def _view(
    here: Here, institution_id: str, customer_id: str, *, reason: str = "", error: str = "", told: str = ""
) -> Shown:
    async with here.context.db.read(here.within(institution_id)) as tx:
        person = await customers.view(tx, customer_id)
        names = await _names(tx)
        lines = [_line(here, each, names) for each in await freezing.of_customer(tx, customer_id)]
        cases = await applications.of_customer(tx, customer_id)
    return Shown(
        institution_id=institution_id,
        person=person,
        cases=tuple(cases),
        standing=next((each for each in lines if each.freeze.released_at is None), None),
        past=tuple(each for each in lines if each.freeze.released_at is not None),
        may_freeze=here.has(*FREEZERS) and person.status != "erased",
        action=f"/console/customers/{institution_id}/{customer_id}",
        reason=reason,
        error=error,
        told=told,
    )
