"""投诉: never argued with, never answered by rule: a number, an owner and the clock of D4-09."""

import re

from bot.handlers import desk
from bot.replies import Reply
from bot.talk import Talk, say

_ASKS_BACK = re.compile(
    r"(投诉|举报|反映).{0,12}(怎么样|咋样|结果|回复|回音|答复|进展|进度|处理|没人|几天|多久|啥时候|什么时候)"
)


async def answer(talk: Talk) -> Reply:
    """Owned by the county's administrator, not by the officer it may be about. Who asks how far theirs is, however
    old it is, means that one and no new one."""
    ticket = await desk.open(talk, "complaint", any_age=_ASKS_BACK.search(talk.words) is not None)
    return say("complaint/show.txt", **desk.told(talk, ticket))
