"""人工: a person answers; the one who asked gets a number and a time."""

from backend.domains.channels import tickets
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    """The officer whose code brought the person owns the ticket, else the service desk."""
    officer = await _officer(talk)
    ticket = await tickets.open(
        talk.tx,
        kind="human",
        text=talk.message.said,
        openid=talk.openid,
        customer_id=talk.customer_id,
        owner_id=officer.id if officer else None,
    )
    owner = await identity.staff(talk.tx, ticket.owner_id) if ticket.owner_id else None
    return say(
        "human/show.txt",
        number=ticket.ticket_no,
        due=ticket.due_at,
        late=ticket.due_at < talk.tx.now,
        known=ticket.created_at < talk.tx.now,
        owner=owner.name if owner else "",
        phone=talk.institution.service_phone if talk.institution else "",
    )


async def _officer(talk: Talk) -> Staff | None:
    """None also for one who has left: nobody would see the ticket."""
    if talk.follower is None or talk.follower.officer_id is None:
        return None
    person = await identity.staff(talk.tx, talk.follower.officer_id)
    return person if person and person.active else None
