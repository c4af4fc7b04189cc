"""Comparing two answers to one case: is one looser than the other (N4)?"""

from backend.domains.decision import evaluate
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import Case, Decision, Outcome

_RANK = {Outcome.APPROVED: 0, Outcome.REFERRED: 1, Outcome.DECLINED: 2}


def looser(case: Case, floor: Bundle, county: Bundle) -> str:
    """In what the county's answer is looser than head office's; '' when in nothing."""
    one, other = evaluate.evaluate(case, floor).decision, evaluate.evaluate(case, county).decision
    return looser_than(one, other, county.price_band or (0, 0))


def looser_than(floor: Decision, county: Decision, band: tuple[int, int]) -> str:
    """`band`: the basis points head office lets the county add to its price."""
    if _RANK[county.outcome] < _RANK[floor.outcome]:
        return "结果更宽"
    if county.outcome is not Outcome.APPROVED:
        return ""
    assert floor.amount_fen is not None
    assert floor.annual_rate_bp is not None
    if county.amount_fen is None or county.amount_fen > floor.amount_fen:
        return "金额更高"
    if (county.term_months or 0) > (floor.term_months or 0):
        return "期限更长"
    if county.annual_rate_bp is None or county.annual_rate_bp < floor.annual_rate_bp + min(band[0], 0):
        return "利率低于省联社允许的"
    if county.grade == floor.grade and county.annual_rate_bp > floor.annual_rate_bp + max(band[1], 0):
        return "利率高于省联社允许的"
    if (county.grade or "") < (floor.grade or ""):
        return "等级更好"
    return ""
