"""投诉: never argued with, never answered by rule: a number, an owner and the clock of D4-09."""

import re

from backend.domains.channels import tickets
from bot.handlers import answers, desk
from bot.replies import Reply
from bot.talk import Talk, say

_ASKS_BACK = re.compile(
    r"(投诉|举报|反映).{0,12}(怎么样|咋样|结果|回复|回音|答复|进展|进度|处理|没人|几天|多久|啥时候|什么时候)"
)


_ONLY_ASKS = re.compile(r"怎么样|咋样|结果|回复|回音|答复|进展|进度")


async def answer(talk: Talk) -> Reply:
    """Owned by the county's administrator, not by the officer it may be about. Who asks how far theirs is, however
    old it is, means that one and no new one; once it is answered, they are told the answer."""
    asks = _ASKS_BACK.search(talk.words) is not None
    if asks and _ONLY_ASKS.search(talk.words) and await _answered(talk):
        return await answers.answer(talk)
    ticket = await desk.open(talk, "complaint", any_age=asks)
    return say("complaint/show.txt", **desk.told(talk, ticket))


async def _answered(talk: Talk) -> bool:
    found = [t for t in await tickets.of_openid(talk.tx, talk.openid) if t.kind == "complaint"]
    return bool(found) and all(ticket.answered_at for ticket in found)
