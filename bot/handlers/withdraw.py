"""取消申请: what can be taken back and where, and what happens when nothing is done (A3-08).

The withdrawal itself is the page's, which asks once more: an offer is taken back at the bank, and no call goes outside
from the chat.
"""

from backend.core import clock
from backend.domains.products import service as products
from backend.domains.regulation import service as regulation
from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

UNDER_WAY = frozenset(
    {"draft", "submitted", "deciding", "held", "referred", "approved", "handed_off", "signed", "drawn"}
)
MOST = 3


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk, "withdraw")
    found = [one for one in await personal.standings(talk) if one.application.status in UNDER_WAY]
    days = (await regulation.in_force(talk.tx, clock.today())).count("retention.abandoned_days")
    cases = [await _case(talk, one) for one in found[:MOST]]
    return say("withdraw/show.txt", cases=cases, more=len(found) - MOST, days=days)


async def _case(talk: Talk, one: personal.Standing) -> dict[str, object]:
    case = one.application
    draft = case.status == "draft"
    path = f"/p/{case.institution_id}/{case.product_code}" if draft else f"/my/{case.application_no}"
    return {
        "product": await products.name_of(talk.tx, case.institution_id, case.product_code),
        "number": case.application_no,
        "label": case.label,
        "status": case.status,
        "until": one.contract.valid_until if one.contract else None,
        "url": talk.url(path),
    }
