"""删除信息: what goes by itself, what the law keeps, and a ticket for whoever wants it gone (D3-01, D3-07)."""

import re

from backend.core import clock
from backend.domains.regulation import service as regulation
from bot.handlers import desk, personal
from bot.replies import Reply
from bot.talk import Talk, say

_CONSENT_ONLY = re.compile(
    r"(收回|撤回|撤销|取消|停止).{0,4}授权|授权.{0,2}(收回|撤)|不(同意|让|许|准).{0,6}查(我|俺)的?(信息|征信)"
)
_ERASE = re.compile(r"删|清除|清空|清掉|注销|销户|抹掉|销毁")


async def answer(talk: Talk) -> Reply:
    """A consent is taken back on the page that lists them; everything else is a matter for a person."""
    assert talk.institution is not None
    found = await personal.standings(talk) if talk.customer_id else []
    consents = [talk.url(f"/my/{one.application.application_no}/consents") for one in found[:1]]
    only_consent = _CONSENT_ONLY.search(talk.words) is not None and not _ERASE.search(talk.words)
    if only_consent and talk.customer_id is None:
        return await personal.bind_first(talk, "consent")
    if only_consent and consents:
        return say("erasure/consents.txt", url=consents[0])
    ticket = await desk.open(talk, "erasure", about="" if _ERASE.search(talk.words) else "要删除信息：")
    rules = await regulation.in_force(talk.tx, clock.today())
    return say(
        "erasure/show.txt",
        consents=consents[0] if consents else "",
        days=rules.count("retention.abandoned_days"),
        years=rules.count("retention.identity_months") // 12,
        bureau="征信" in talk.words,
        url="" if talk.customer_id else await personal.bind_url(talk),
        minutes=personal.LINK_MINUTES,
        **desk.told(talk, ticket),
    )
