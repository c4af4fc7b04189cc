"""人工: a person answers; the one who asked gets a number and a time."""

from backend.domains.channels import tickets
from backend.domains.identity import service as identity
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    """The officer whose code brought the person owns the ticket, else the service desk."""
    owner = talk.follower.officer_id if talk.follower else None
    ticket = await tickets.open(
        talk.tx,
        kind="human",
        text=talk.message.words,
        openid=talk.openid,
        customer_id=talk.customer_id,
        owner_id=owner,
    )
    person = await identity.staff(talk.tx, owner) if owner else None
    return say(
        "human/show.txt",
        number=ticket.ticket_no,
        due=ticket.due_at,
        owner=person.name if person else "",
        phone=talk.institution.service_phone if talk.institution else "",
    )
