"""Comparing two answers to one case: is one looser than the other (N4)?"""

from backend.domains.decision import contracts, county_moments
from backend.domains.decision.assessment import ASK, NONE, Assessment, Contact
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import Case, Decision, Outcome, Stage
from backend.domains.strategies import judging
from backend.domains.strategies.judging import Answer, Using

_RANK = {Outcome.APPROVED: 0, Outcome.REFERRED: 1, Outcome.DECLINED: 2}


def looser(case: Case, floor: Using, county: Using) -> str:
    """In what the county's answer is looser than head office's; '' when in nothing."""
    band = (county.price_band if isinstance(county, Bundle) else None) or (0, 0)
    return looser_answer(judging.answer(case, floor), judging.answer(case, county), band)


def looser_answer(floor: Answer, county: Answer, band: tuple[int, int]) -> str:
    """The same of two answers of one kind."""
    if isinstance(floor, Decision):
        assert isinstance(county, Decision)
        return looser_than(floor, county, band)
    assert isinstance(county, Assessment)
    return looser_moment(floor, county)


def looser_moment(floor: Assessment, county: Assessment) -> str:
    """By the orders of `county_moments`."""
    stage = Stage(floor.stage)
    if stage is Stage.COLLECTION:
        return _harder(floor, county)
    order: tuple[str, ...] = county_moments.GATE
    if stage is Stage.EARLY_WARNING:
        order = (NONE, *contracts.ACTIONS)
        if set(floor.actions) - set(county.actions):
            return "少了预警的动作"
    return "结果更宽" if order.index(county.outcome) < order.index(floor.outcome) else ""


def _harder(floor: Assessment, county: Assessment) -> str:
    """Tighter in collection is gentler."""
    if county.contact is None:
        return ""
    if floor.contact is None:
        return "省联社先不联系，县行要联系"
    if set(floor.contact.held) - set(county.contact.held):
        return "省联社现在不能联系，县行能联系"
    if floor.outcome == NONE != county.outcome or county.outcome == ASK:
        return "省联社不联系，县行要联系"
    return _harder_plan(floor.contact, county.contact)


def _harder_plan(floor: Contact, county: Contact) -> str:
    strength, intrusion = contracts.DUNNING, county_moments.INTRUSION
    if strength.index(county.action) > strength.index(floor.action):
        return "做法更重"
    if intrusion.index(county.channel) > intrusion.index(floor.channel):
        return "方式更打扰"
    return "间隔更短" if county.channel != NONE and county.pace_days < floor.pace_days else ""


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
