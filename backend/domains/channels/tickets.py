"""人工, 投诉 and 删除信息: what the bot cannot answer gets a number, an owner and a clock (A11-04, D4-09)."""

from datetime import datetime, timedelta
from typing import Any, Literal

from backend.core import clock, ids
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.model import TICKET, Ticket, TicketNotFound
from backend.domains.channels.statements import Q
from backend.domains.regulation import calendar
from backend.domains.regulation import service as regulation

Kind = Literal["human", "complaint", "erasure"]
LETTERS: dict[Kind, str] = {"human": "R", "complaint": "T", "erasure": "D"}

SHORTEST, LONGEST = 4, 1000  # characters of an answer
LONGEST_SENT = 500
"""Of an answer that is sent: with its frame it still fits a customer-service message (2048 bytes of UTF-8)."""
HUMAN_WORKING_DAYS = 1
ERASURE_WORKING_DAYS = 15
"""Inside the thirty days that GB/T 35273-2020 (8.7) leaves for an answer to who wants their information erased."""
LONGEST_TEXT = 4000
"""What one ticket holds; what is said beyond it opens another, so that no word of the first is lost."""
SAME_MATTER = timedelta(hours=24)
"""Who complains again within a day means the same matter; later it is another one, with a clock of its own."""

_TABLE = "channels.tickets"


async def open(
    tx: Tx,
    *,
    kind: Kind,
    text: str,
    openid: str = "",
    customer_id: str | None = None,
    owner_id: str | None = None,
    any_age: bool = False,
) -> Ticket:
    """A new ticket, or the open one of this account with the text added.

    A wish for a person is the same matter for as long as it is open, a complaint for a day, or as long with
    `any_age`. `created_at` before `tx.now` says that it was there already.
    """
    if openid:
        since = tx.now - SAME_MATTER if kind == "complaint" and not any_age else None
        row = await Q.open_ticket_of(
            tx, institution_id=tx.institution_id, openid=openid, kind=kind, since=since
        )
        known = _ticket(tx, row) if row is not None else None
        if known is not None and len(known.text) + len(text) < LONGEST_TEXT:
            return await _added(tx, known, text)
    ticket_id, ticket_no = ids.new(), await _number(tx, kind)
    await Q.insert_ticket(
        tx,
        institution_id=tx.institution_id,
        id=ticket_id,
        ticket_no=ticket_no,
        kind=kind,
        openid=openid,
        customer_id=customer_id,
        owner_id=owner_id,
        text=tx.vault.encrypt(_TABLE, "text", ticket_id, text),
        due_at=await _due(tx, kind),
        now=tx.now,
    )
    audit.add(tx, "ticket.open", ticket_no, kind=kind)
    return await get(tx, ticket_no)


async def get(tx: Tx, ticket_no: str) -> Ticket:
    row = await Q.ticket(tx, institution_id=tx.institution_id, ticket_no=ticket_no)
    if row is None:
        raise TicketNotFound()
    return _ticket(tx, row)


async def list_open(tx: Tx, most: int = 100) -> list[Ticket]:
    """What waits for an answer, the most urgent first."""
    rows = await Q.open_tickets(tx, institution_id=tx.institution_id, most=most)
    return [_ticket(tx, row) for row in rows]


async def calls(tx: Tx, owner_id: str, most: int = 50) -> list[Ticket]:
    """Who was told that this member of staff calls back, the most urgent first; never a complaint."""
    rows = await Q.open_calls(tx, institution_id=tx.institution_id, owner_id=owner_id, most=most)
    return [_ticket(tx, row) for row in rows]


async def complains(tx: Tx, customer_id: str) -> bool:
    """Whether a complaint of this person is still open."""
    return bool(await Q.complains(tx, institution_id=tx.institution_id, customer_id=customer_id))


async def of_openid(tx: Tx, openid: str) -> list[Ticket]:
    rows = await Q.tickets_of(tx, institution_id=tx.institution_id, openid=openid)
    return [_ticket(tx, row) for row in rows]


async def are_of(tx: Tx, openid: str, customer_id: str) -> None:
    """The account was proved to be this person's: what it asked and nobody answered yet is theirs."""
    await Q.claim_tickets(tx, institution_id=tx.institution_id, openid=openid, customer_id=customer_id)


def kept(answer: str) -> str:
    """An answer as it is kept: at most `LONGEST` characters. Raises Invalid for one that tells nobody anything."""
    if len(answer) < SHORTEST:
        raise Invalid(fields={"answer": "请写明怎么答复的，以后查得到"})
    return answer[:LONGEST]


async def answer(tx: Tx, ticket_no: str, text: str) -> Ticket:
    """Keep what the customer was told; the same answer again, of a second tap, is kept once.

    Raises Invalid as `kept`, `ForbiddenMove` when another answer was kept before.
    """
    text = kept(text)
    ticket = await get(tx, ticket_no)
    if ticket.status == "answered" and ticket.answer == text:
        return ticket
    TICKET.check(ticket.status, "answered")
    sealed = tx.vault.encrypt(_TABLE, "answer", ticket.id, text)
    await Q.answer_ticket(tx, institution_id=tx.institution_id, id=ticket.id, answer=sealed, now=tx.now)
    audit.add(tx, "ticket.answer", ticket_no)
    return await get(tx, ticket_no)


async def _added(tx: Tx, ticket: Ticket, text: str) -> Ticket:
    if text and text not in ticket.text.splitlines():
        sealed = tx.vault.encrypt(_TABLE, "text", ticket.id, f"{ticket.text}\n{text}".strip())
        await Q.set_ticket_text(tx, institution_id=tx.institution_id, id=ticket.id, text=sealed)
        audit.add(tx, "ticket.add", ticket.ticket_no)
    return await get(tx, ticket.ticket_no)


async def _number(tx: Tx, kind: Kind) -> str:
    """A number people can read out: letter, month and day, then a serial."""
    return f"{LETTERS[kind]}{clock.today():%m%d}{await Q.next_ticket(tx) % 10**5:05d}"


async def _due(tx: Tx, kind: Kind) -> datetime:
    days = ERASURE_WORKING_DAYS if kind == "erasure" else HUMAN_WORKING_DAYS
    if kind == "complaint":
        days = (await regulation.in_force(tx, clock.today())).count("complaint.working_days")
    return await calendar.due(tx, days)


def _ticket(tx: Tx, row: Any) -> Ticket:
    values = dict(row)
    for column in ("text", "answer"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_TABLE, column, values["id"], stored) if stored else ""
    return Ticket(**values)
