"""What was not understood. The third time in a row a person takes over, with a ticket number (A11-04)."""

from backend.domains.channels import service as channels
from bot.handlers import complaint, human
from bot.replies import Reply
from bot.talk import Talk, say

PATIENCE = 2
TICKETS = {"complaint": complaint.answer, "human": human.answer}


async def answer(talk: Talk) -> tuple[str, Reply]:
    """(topic for the log, reply). After 投诉 or 人工 the words are more about that matter."""
    last = await channels.last_topics(talk.tx, talk.openid, PATIENCE)
    if last and last[0] in TICKETS:
        return last[0], await TICKETS[last[0]](talk)
    if len(last) == PATIENCE and set(last) == {"none"}:
        return "human", await human.answer(talk)
    return "none", say("fallback/unknown.txt")


async def media(_talk: Talk) -> Reply:
    """A photograph, a place, a link: nothing the chat can use."""
    return say("fallback/media.txt")
