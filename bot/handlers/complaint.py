"""投诉: never argued with, never answered by rule: a number, an owner and the clock of D4-09."""

from backend.domains.channels import tickets
from backend.domains.identity import service as identity
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    """Owned by the county's administrator, not by the officer it may be about."""
    staff = await identity.all_staff(talk.tx)
    owner = next((s for s in staff if s.active and "county_admin" in s.roles), None)
    ticket = await tickets.open(
        talk.tx,
        kind="complaint",
        text=talk.message.said,
        openid=talk.openid,
        customer_id=talk.customer_id,
        owner_id=owner.id if owner else None,
    )
    return say(
        "complaint/show.txt",
        number=ticket.ticket_no,
        due=ticket.due_at,
        late=ticket.due_at < talk.tx.now,
        known=ticket.created_at < talk.tx.now,
        phone=talk.institution.service_phone if talk.institution else "",
    )
