"""The judge of “not looser than head office” sees what is looser, in each way there is (N4).

The thousands of random overlays prove nothing if it were blind: there it only ever has to say "nothing".
"""

from typing import Any

import msgspec
import pytest

from backend.domains.decision.assessment import Assessment, Contact
from backend.domains.decision.model import Outcome, Stage
from backend.domains.strategies import verdicts
from tests.domains.decision.conftest import decide, read

FLOOR = decide(read("approved_payroll"))  # grade A, 20,000 yuan, 5.35 %, 12 months
BAND = (-20, 100)


@pytest.mark.parametrize(
    "changed, said",
    [
        ({}, ""),
        ({"amount_fen": 1_900_000, "annual_rate_bp": 635, "term_months": 6}, ""),
        ({"annual_rate_bp": 515}, ""),
        ({"grade": "B", "annual_rate_bp": 900}, ""),
        ({"outcome": Outcome.REFERRED}, ""),
        ({"outcome": Outcome.DECLINED}, ""),
        ({"amount_fen": 2_000_001}, "金额更高"),
        ({"amount_fen": None}, "金额更高"),
        ({"term_months": 13}, "期限更长"),
        ({"annual_rate_bp": 514}, "利率低于省联社允许的"),
        ({"annual_rate_bp": None}, "利率低于省联社允许的"),
        ({"annual_rate_bp": 636}, "利率高于省联社允许的"),
    ],
)
def test_a_looser_decision_is_named_by_what_is_looser(changed: dict[str, Any], said: str) -> None:
    assert verdicts.looser_than(FLOOR, msgspec.structs.replace(FLOOR, **changed), BAND) == said


def test_a_better_grade_is_looser() -> None:
    worse = msgspec.structs.replace(FLOOR, grade="B")
    assert verdicts.looser_than(worse, msgspec.structs.replace(FLOOR, grade="A"), BAND) == "等级更好"


@pytest.mark.parametrize(
    "floor, county, said",
    [
        (Outcome.DECLINED, Outcome.APPROVED, "结果更宽"),
        (Outcome.DECLINED, Outcome.REFERRED, "结果更宽"),
        (Outcome.REFERRED, Outcome.APPROVED, "结果更宽"),
        (Outcome.REFERRED, Outcome.DECLINED, ""),
    ],
)
def test_an_outcome_further_towards_money_is_looser(floor: Outcome, county: Outcome, said: str) -> None:
    before, after = (msgspec.structs.replace(FLOOR, outcome=each) for each in (floor, county))
    assert verdicts.looser_answer(before, after, BAND) == said


def moment(stage: Stage, outcome: str, *actions: str, contact: Contact | None = None) -> Assessment:
    return Assessment(
        stage=str(stage), outcome=outcome, actions=list(actions), contact=contact, reasons=[], gaps=[],
        completeness_bp=10_000, strategy="", catalogue="", code="", trace=[],
    )  # fmt: skip


@pytest.mark.parametrize("stage", [Stage.MARKETING_GATE, Stage.PRE_SCREEN, Stage.DRAWDOWN_CHECK])
def test_a_gate_that_opens_further_is_looser(stage: Stage) -> None:
    order = ("allowed", "ask", "not_allowed")
    for at, floor in enumerate(order):
        for place, county in enumerate(order):
            said = verdicts.looser_moment(moment(stage, floor), moment(stage, county))
            assert said == ("结果更宽" if place < at else ""), (floor, county)


def test_a_warning_that_comes_later_or_drops_an_action_is_looser() -> None:
    floor = moment(Stage.EARLY_WARNING, "visit", "call", "visit")
    county = moment(Stage.EARLY_WARNING, "freeze", "call", "visit", "freeze")
    assert verdicts.looser_moment(floor, county) == ""
    assert verdicts.looser_moment(county, floor) == "少了预警的动作"
    assert verdicts.looser_moment(floor, msgspec.structs.replace(floor, outcome="call")) == "结果更宽"


def plan(outcome: str = "negotiate", *held: str, **changed: Any) -> Assessment:
    contact = Contact(action="negotiate", channel="sms", pace_days=7, held=list(held))
    contact = msgspec.structs.replace(contact, **changed)
    return moment(Stage.COLLECTION, outcome, contact=contact)


@pytest.mark.parametrize(
    "floor, county, said",
    [
        (plan(), plan(), ""),
        (plan(), plan("remind", action="remind", channel="app", pace_days=9), ""),
        (plan(), moment(Stage.COLLECTION, "ask"), ""),
        (moment(Stage.COLLECTION, "ask"), plan(), "省联社先不联系，县行要联系"),
        (plan("none", "hours"), plan(), "省联社现在不能联系，县行能联系"),
        (plan("none"), plan(), "省联社不联系，县行要联系"),
        (plan(), plan(action="visit"), "做法更重"),
        (plan(), plan(channel="call"), "方式更打扰"),
        (plan(), plan(pace_days=6), "间隔更短"),
        (plan(), plan(channel="none", pace_days=0), ""),
    ],
)
def test_in_collection_what_presses_harder_is_looser(
    floor: Assessment, county: Assessment, said: str
) -> None:
    assert verdicts.looser_answer(floor, county, (0, 0)) == said
