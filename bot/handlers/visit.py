"""网点: where they are, and a wish to be served there or at home, which a person arranges (D3-04)."""

import re

from backend.domains.institutions import service as institutions
from bot.handlers import desk
from bot.replies import Reply, Text
from bot.talk import Talk, say

MOST = 12
WHEN = re.compile(
    r"今天|明天|后天|大后天|上午|下午|中午|晌午|早上|晚上|(周|星期|礼拜)[一二三四五六日天末]|[0-9一二三四五六七八九十]+(号|日|点)"
)
_BOOKS = re.compile(r"约|上门|来(我|俺|咱)?(家|村)")


def wished(words: str) -> bool:
    """Whether a day or a visit is asked for, and not only the way."""
    return bool(_BOOKS.search(words) or WHEN.search(words))


async def answer(talk: Talk) -> Reply:
    assert talk.institution is not None
    if not wished(talk.words):
        return await places(talk)
    return await arrange(talk)


async def arrange(talk: Talk) -> Reply:
    """A person calls back and fixes it: nobody else knows who is at the counter on that day."""
    ticket = await desk.open(talk, "human", about="预约办理：")
    return say(
        "visit/asked.txt",
        owner=await desk.owner_name(talk, ticket),
        when=WHEN.search(talk.words) is not None,
        **desk.told(talk, ticket),
    )


async def places(talk: Talk) -> Text:
    assert talk.institution is not None
    found = await institutions.branches(talk.tx)
    return say(
        "visit/show.txt",
        name=talk.institution.short_name,
        branches=found[:MOST],
        more=len(found) - MOST,
        phone=talk.institution.service_phone,
    )
