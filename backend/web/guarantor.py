"""Whose browser this is on a guarantor's road: a session of its own, never the borrower's, never a customer's (A1-08).

The cookie is made when a link is taken up; its session belongs to one guarantee and opens nothing else.
"""

from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import OPEN, Guarantee, LinkGone
from backend.domains.identity import service as identity
from backend.domains.identity.model import CUSTOMER_SESSION, CustomerSession
from backend.flows.context import Context
from backend.flows.require_guarantee import Standing, require_guarantee
from backend.web import cookies, customer
from backend.web.customer import GoTo, Here
from backend.web.http import Request

PATHS = {step: f"/guarantee/{step}" for step in ("identity", "phone", "liveness", "confirm")}


class Guarantor(Here):
    """A request of somebody who took a link up."""

    @property
    def session_id(self) -> str:
        assert self.session is not None, "`of` saw to it"
        return self.session.id


async def of(request: Request) -> Guarantor:
    """Raises `LinkGone` for a browser that took nothing up."""
    context: Context = request.app.state.context
    found = cookies.session(request, context.settings, cookies.GUARANTOR)
    known = await customer.live_institutions(request)
    if found is None or found[0] not in known:
        raise LinkGone()
    session = await _session(context, request, *found)
    if session is None:
        raise LinkGone()
    return Guarantor(request, context, known[found[0]], session)


async def at(request: Request, step: str) -> Guarantor:
    """The guarantee of this browser, at `step`. Raises `GoTo` to where it stands, `LinkGone`."""
    here = await of(request)
    async with here.context.db.read(here.actor) as tx:
        found = await guarantees.of_session(tx, here.session_id)
        if found is None:
            raise LinkGone()
        if found.status not in OPEN or found.over(tx.now):
            raise GoTo("/guarantee")
        standing = await require_guarantee(tx, here.session_id)
    if standing.guarantee.step != step:
        raise GoTo(PATHS[standing.guarantee.step])
    return here


async def mine(here: Guarantor) -> tuple[Guarantee, Standing | None]:
    """The guarantee, and with what it stands while it can be gone on with. Raises `LinkGone`."""
    async with here.context.db.read(here.actor) as tx:
        found = await guarantees.of_session(tx, here.session_id)
        if found is None:
            raise LinkGone()
        if found.status not in OPEN or found.over(tx.now):
            return found, None
        return found, await require_guarantee(tx, here.session_id)


def token(here: Here, link_token: str) -> str:
    """The session that this browser gets for this link, whenever it opens it: no other browser comes to it."""
    return customer.token(here.request, here.settings, link_token, "guarantee")


def keep(here: Here, session_token: str) -> None:
    """Give the browser the cookie of the guarantee's session, beside its own if it has one."""
    value = f"{here.institution.id}.{session_token}"
    seconds = int(CUSTOMER_SESSION.total_seconds())
    here.fresh = [cookies.make(here.settings, cookies.GUARANTOR, value, seconds)]


async def holds(here: Here, link_token: str, guarantee: Guarantee) -> bool:
    """Whether it was this browser that took the link up."""
    found = await _session(here.context, here.request, here.institution.id, token(here, link_token))
    return found is not None and found.id == guarantee.session_id


async def _session(
    context: Context, request: Request, institution_id: str, session_token: str
) -> CustomerSession | None:
    async with context.db.read(customer.customer(request, institution_id, "visitor")) as tx:
        return await identity.customer_session(tx, session_token)
