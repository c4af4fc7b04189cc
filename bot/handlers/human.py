"""人工: a person answers; the one who asked gets a number and a time."""

from bot.handlers import desk
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    """The officer whose code brought the person owns the ticket, else the service desk."""
    ticket = await desk.open(talk, "human")
    return say("human/show.txt", owner=await desk.owner_name(talk, ticket), **desk.told(talk, ticket))
