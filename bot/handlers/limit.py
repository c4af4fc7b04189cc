"""额度: what was granted, what is used, what is left; where there is none, what the application says of it."""

import re

from backend.core import clock
from backend.domains.contracts import rules as contract_rules
from backend.domains.products import service as products
from backend.overview import application_result
from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

OFFERED = frozenset({"approved", "handed_off"})
IN_USE = frozenset({"signed", "drawn", "repaid"})
WAITING = frozenset({"draft", "submitted", "deciding", "held", "referred", "declined"})
_WHY_SO_LITTLE = re.compile(
    r"低|少(?!钱)|不够|提额|涨|加一?点|高一?点|多(给|批|借)|为(啥|什么|何)|怎么才|咋才"
)


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    found = await personal.standings(talk)
    lines = [await _line(talk, one) for one in found if _stands(one)]
    if lines:
        return say("limit/show.txt", lines=lines)
    newest = next((one for one in found if one.application.status in WAITING), None)
    return say("limit/none.txt", case=await _case(talk, newest) if newest else None)


def _stands(one: personal.Standing) -> bool:
    """Offered or in use; a line that was paid back may be drawn again until its last day (A3-13)."""
    if one.contract is None or one.application.status not in OFFERED | IN_USE:
        return False
    return one.application.status != "repaid" or contract_rules.line_until(one.contract) >= clock.today()


async def _line(talk: Talk, one: personal.Standing) -> dict[str, object]:
    assert one.contract is not None
    asked_why = _WHY_SO_LITTLE.search(talk.words) is not None
    result = await application_result.of(talk.tx, one.application) if asked_why else None
    return {
        "number": one.application.application_no,
        "product": one.contract.product_name,
        "limit": one.contract.limit_fen,
        "rate": one.contract.annual_rate,
        "used": one.outstanding_fen,
        "left": max(0, one.contract.limit_fen - one.outstanding_fen),
        "until": one.contract.valid_until,
        "offered": one.application.status in OFFERED,
        "why": [reason.text.rstrip("。") for reason in result.reasons] if result else [],
        "nearest": result.nearest if result else "",
        "review": result is not None and result.review is None and one.application.status == "approved",
        "url": talk.url(f"/my/{one.application.application_no}"),
    }


async def _case(talk: Talk, one: personal.Standing) -> dict[str, object]:
    case = one.application
    result = await application_result.of(talk.tx, case) if case.status == "declined" else None
    return {
        "product": await products.name_of(talk.tx, case.institution_id, case.product_code),
        "number": case.application_no,
        "status": case.status,
        "promised_at": case.promised_at,
        "late": case.promised_at is not None and case.promised_at < talk.tx.now,
        "reasons": [r.text.rstrip("。") for r in result.reasons if r.effect == "minus"] if result else [],
    }
