"""答复: what staff answered to this account's requests, for who was told by SMS or notice that there is one."""

import re

from backend.domains.channels import tickets
from bot.replies import Reply
from bot.talk import Talk, say

_ASKED = re.compile(r"(?:看|查|看看|查看)?(?:一下)?答复|(?:看|查)?(?:单号)?([RTD]\d{9})", re.I)


def asked(words: str) -> bool:
    """Only these very words, or the number itself: everything else may be a new matter."""
    return _ASKED.fullmatch(words.strip()) is not None


async def answer(talk: Talk) -> Reply:
    """Of the account that asked and no other: the number of somebody else's ticket is not there."""
    named = _ASKED.fullmatch(talk.words.strip())
    number = named[1].upper() if named and named[1] else ""
    found = [t for t in await tickets.of_openid(talk.tx, talk.openid) if number in ("", t.ticket_no)]
    answered = [ticket for ticket in found if ticket.answered_at]
    latest = max(answered, key=lambda ticket: ticket.answered_at or ticket.created_at, default=None)
    waiting = next((ticket for ticket in found if ticket.status == "open"), None)
    return say("answers/show.txt", ticket=latest, waiting=waiting)
