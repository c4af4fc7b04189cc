"""客户找您: who asked the bot for a person and was promised this officer, with the way to answer (A11-04, A2-02)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.channels import tickets
from backend.domains.channels.model import Ticket, TicketNotFound
from backend.domains.customers import service as customers
from backend.domains.customers.model import MaskedPerson
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "studio/calls/show.html"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """`phone` is the full number, only in the answer to a request that gave its reason. `errors` by field."""

    ticket: Ticket
    person: MaskedPerson | None
    phone: str = ""
    text: str = ""
    errors: dict[str, str] = {}


@get("/studio/calls/{number:str}", opt=staff.only("officer"))
async def show(request: Request, number: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, number))


@post("/studio/calls/{number:str}/phone", opt=staff.only("officer"), fields=("reason",))
async def phone(request: Request, number: FromPath[str]) -> Response:
    """The number in full, to call now: with a reason, and a row in the audit log (D3-15)."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            customer_id = (await _mine(tx, here, number)).customer_id
            if customer_id is None:
                raise TicketNotFound()
            person = await customers.reveal(tx, customer_id, form.get("reason", ""))
    except Invalid as problem:
        return here.show(SHOW, await _view(here, number, errors={"reason": problem.text}), 422)
    return here.show(SHOW, await _view(here, number, phone=person.phone or "还没有验证手机号"))


@post("/studio/calls/{number:str}", opt=staff.only("officer"), fields=("answer",))
async def answer(request: Request, number: FromPath[str]) -> Response:
    """Keep what the customer was told. Told twice by one tap, it is kept once."""
    here, text = staff.here(request), (await forms.texts(request)).get("answer", "")
    try:
        async with here.context.db.begin(here.actor) as tx:
            await _mine(tx, here, number)
            await tickets.answer(tx, number, text)
    except Invalid as problem:
        return here.show(SHOW, await _view(here, number, text=text, errors=problem.fields), 422)
    return here.go(f"/studio/calls/{number}")


async def _mine(tx: Tx, here: Here, number: str) -> Ticket:
    """Raises `TicketNotFound` for a colleague's as for an unknown one, and for every complaint: it may be about
    this officer."""
    ticket = await tickets.get(tx, number)
    if ticket.kind != "human" or ticket.owner_id != here.person.id:
        raise TicketNotFound()
    return ticket


async def _view(
    here: Here, number: str, *, phone: str = "", text: str = "", errors: dict[str, str] | None = None
) -> Call:
    async with here.context.db.read(here.actor) as tx:
        ticket = await _mine(tx, here, number)
        person = await customers.view(tx, ticket.customer_id) if ticket.customer_id else None
    return Call(ticket=ticket, person=person, phone=phone, text=text, errors=errors or {})
