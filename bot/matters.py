"""What is said while a matter is with a person belongs to it, also where it sounds like something else (D4-09)."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from backend.domains.channels import service as channels
from bot.handlers import desk, visit
from bot.replies import Reply, Text
from bot.talk import Talk, say

RECENT = 2
WORTH_KEEPING = 8
"""Characters: a shorter one is a command, as 进度, and tells nobody anything."""
HERE = frozenset({"none", "officer", "products"})
"""What a day and a place of a booking are taken for."""

Answer = Callable[[Talk, str], Awaitable[tuple[str, Reply]]]


async def follow(talk: Talk, topic: str, answer: Answer) -> tuple[str, Reply]:
    """(topic for the log, reply): answered as what it is, and added to the complaint or request it follows."""
    last = await channels.last_topics(talk.tx, talk.openid, RECENT)
    if "visit" in last and topic in HERE and visit.WHEN.search(talk.words) and talk.institution is not None:
        return "visit", await visit.arrange(talk)
    found, reply = await answer(talk, topic)
    kind = next((one for one in last if one in ("complaint", "human")), None)
    if kind is None or topic in UNKEPT or len(talk.words) < WORTH_KEEPING or not isinstance(reply, Text):
        return found, reply
    ticket = await desk.open(talk, "complaint" if kind == "complaint" else "human")
    added = say("matters/added.txt", number=ticket.ticket_no)
    return found, replace(reply, content=f"{added.content}\n{reply.content}")


UNKEPT = frozenset({"none", "complaint", "human", "erasure", "visit", "thanks", "greeting"})
"""Kept by their own handler, or nothing to keep."""
