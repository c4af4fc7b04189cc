"""What was not understood. The third time in a row a person takes over, with a ticket number (A11-04)."""

from backend.domains.channels import service as channels
from bot.handlers import human
from bot.replies import Reply
from bot.talk import Talk, say

PATIENCE = 2


async def answer(talk: Talk) -> Reply:
    last = await channels.last_topics(talk.tx, talk.openid, PATIENCE)
    if len(last) == PATIENCE and set(last) == {"none"}:
        return await human.answer(talk)
    return say("fallback/unknown.txt")


async def media(_talk: Talk) -> Reply:
    """A photograph, a place, a link: nothing the chat can use."""
    return say("fallback/media.txt")
