"""What was not understood. The third time in a row a person takes over, with a ticket number (A11-04)."""

from backend.domains.channels import service as channels
from bot import understanding
from bot.handlers import complaint, county, erasure, human, visit
from bot.replies import Reply
from bot.talk import Talk, say
from bot.understanding import rules

PATIENCE, RECENT = 2, 3
TICKETS = {
    "complaint": complaint.answer,
    "human": human.answer,
    "erasure": erasure.answer,
    "visit": visit.arrange,
}


EVERYWHERE = frozenset({"complaint", "human"})
"""Taken before a county is known; who answers the others depends on it."""


async def answer(talk: Talk) -> tuple[str, Reply]:
    """(topic for the log, reply). After a complaint or a request the words are more about that matter."""
    last = await channels.last_topics(talk.tx, talk.openid, RECENT)
    matter = next((topic for topic in last if topic in TICKETS), None)
    if matter and (talk.institution is not None or matter in EVERYWHERE):
        return matter, await TICKETS[matter](talk)
    if last[:PATIENCE] == ["none"] * PATIENCE:
        return "human", await human.answer(talk)
    if talk.institution is None and talk.waiting:
        return "none", await county.ask(talk)
    meant = [rules.TOPICS[topic] for topic in understanding.perhaps(talk.words)]
    return "none", say("fallback/unknown.txt", meant=meant)


async def media(talk: Talk) -> Reply:
    """A photograph, a place, a link: nothing the chat can use. Who sends one to a matter that is open keeps it."""
    last = await channels.last_topics(talk.tx, talk.openid, RECENT)
    return say("fallback/media.txt", matter=any(topic in TICKETS for topic in last))
