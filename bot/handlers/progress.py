"""进度: where each application stands, and what comes next."""

from backend.core import clock
from backend.domains.products import service as products
from backend.domains.regulation import service as regulation
from backend.overview import application_result
from backend.overview import guarantors as asked_for
from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

MOST = 3
EXPLAINED = frozenset(
    {"held", "referred", "approved", "handed_off", "signed", "drawn", "declined", "cancelled"}
)
"""Statuses whose answer holds figures, reasons, since when and for what is waited (A3-09)."""


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    found = await personal.standings(talk)
    if not found:
        return await personal.nothing_yet(talk)
    days = (await regulation.in_force(talk.tx, clock.today())).count("human_review.working_days")
    cases = [await _case(talk, one) for one in found[:MOST]]
    return say("progress/show.txt", cases=cases, review_days=days, more=len(found) - MOST)


async def _case(talk: Talk, one: personal.Standing) -> dict[str, object]:
    case, result = one.application, None
    if case.status in EXPLAINED:
        result = await application_result.of(talk.tx, case)
    reasons = [r.text.rstrip("。") for r in result.reasons if r.effect == "minus"] if result else []
    return {
        "number": case.application_no,
        "product": await products.name_of(talk.tx, talk.tx.institution_id, case.product_code),
        "label": "用现在的资料重新审批" if result and result.goes_on else case.label,
        "status": case.status,
        "promised_at": case.promised_at,
        "late": case.promised_at is not None and case.promised_at < talk.tx.now,
        "offer": result.offer if result else None,
        "reasons": reasons,
        "advice": result.advice if result else "",
        "nearest": result.nearest if result else "",
        "review": result.review if result else None,
        "review_late": _late(result.review) if result and result.review else False,
        "waiting_for": result.waiting_for if result else "",
        "since": result.since if result else None,
        "drawdown": result.drawdown.rstrip("。") if result else "",
        "missing": await asked_for.missing(talk.tx, one.contract) if one.contract else 0,
        "outstanding": one.outstanding_fen,
        "goes_on": result.goes_on if result else "",
        "url": talk.url(f"/my/{case.application_no}" if case.status != "draft" else "/resume"),
    }


def _late(review: application_result.ReviewState) -> bool:
    return not review.answer and review.answer_by < clock.today()
