"""Whose desk a matter lands on, with the number and the time that the person is told (A11-04, D4-09)."""

from backend.domains.channels import tickets
from backend.domains.channels.model import Ticket
from backend.domains.identity import service as identity
from backend.domains.identity.model import Staff
from bot.talk import Talk


async def open(talk: Talk, kind: tickets.Kind, *, about: str = "", any_age: bool = False) -> Ticket:
    """A ticket with what the person said, or more of it for the open one (`tickets.open`). `about` stands before
    words that do not say by themselves what is wanted."""
    owner = await (_officer(talk) if kind == "human" else _administrator(talk))
    return await tickets.open(
        talk.tx,
        kind=kind,
        text=f"{about}{talk.message.said}",
        openid=talk.openid,
        customer_id=talk.customer_id,
        owner_id=owner.id if owner else None,
        any_age=any_age,
    )


async def owner_name(talk: Talk, ticket: Ticket) -> str:
    owner = await identity.staff(talk.tx, ticket.owner_id) if ticket.owner_id else None
    return owner.name if owner else ""


def told(talk: Talk, ticket: Ticket) -> dict[str, object]:
    """What every text about a ticket is made of. `known`: it was there before."""
    return {
        "number": ticket.ticket_no,
        "due": ticket.due_at,
        "late": ticket.due_at < talk.tx.now,
        "known": ticket.created_at < talk.tx.now,
        "phone": talk.institution.service_phone if talk.institution else "",
    }


async def _administrator(talk: Talk) -> Staff | None:
    """Not the officer whom a complaint may be about."""
    staff = await identity.all_staff(talk.tx)
    return next((s for s in staff if s.active and "county_admin" in s.roles), None)


async def _officer(talk: Talk) -> Staff | None:
    """Whose code brought the person. None also for one who has left: nobody would see the ticket."""
    if talk.follower is None or talk.follower.officer_id is None:
        return None
    person = await identity.staff(talk.tx, talk.follower.officer_id)
    return person if person and person.active else None
