"""What no strategy may let happen at a moment outside a decision, each rule alone and at its edge (D5-01, D5-02)."""

from typing import Any

import pytest

from backend.domains.decision import conduct
from backend.domains.decision.model import MOMENTS, Stage
from tests.domains.decision.test_assess import FINE

M, P, D, C = Stage.MARKETING_GATE, Stage.PRE_SCREEN, Stage.DRAWDOWN_CHECK, Stage.COLLECTION
FROM, TO = "contact_quiet_from_hour", "contact_quiet_to_hour"
BROKEN: list[tuple[Stage, dict[str, Any], str]] = [
    (M, {"outreach_agreed": False}, "not_agreed"),
    (M, {"outreach_opted_out": True}, "opted_out"),
    (M, {"outreach_hour": FINE[M][FROM]}, "quiet_hours"),
    (M, {"outreach_hour": FINE[M][TO] - 1}, "quiet_hours"),
    (P, {"prospect_age_years": FINE[P]["prospect_min_age"] - 1}, "under_age"),
    (P, {"prospect_risk_list": "blocked"}, "blocked"),
    (D, {"line_status": "frozen"}, "line_not_active"),
    (D, {"drawdown_amount": FINE[D]["line_available"] + 1}, "above_available"),
    (D, {"line_days_left": -1}, "expired"),
    (D, {"drawdown_purpose_forbidden": True}, "forbidden_purpose"),
    (D, {"drawdown_payee": "forbidden"}, "forbidden_payee"),
    (C, {"collection_hour": FINE[C][FROM]}, "quiet_hours"),
    (C, {"collection_hour": FINE[C][TO] - 1}, "quiet_hours"),
    (C, {"collection_calls_today": FINE[C]["contact_calls_per_day"]}, "calls_used_up"),
    (C, {"collection_do_not_contact": True}, "do_not_contact"),
    (C, {"collection_disputed": True}, "disputed"),
]


@pytest.mark.parametrize("stage, changed, code", BROKEN)
def test_each_rule_forbids_by_itself(stage: Stage, changed: dict[str, Any], code: str) -> None:
    assert [found for found, _ in conduct.violations(stage, FINE[stage] | changed, "call")] == [code]


def test_every_rule_is_tried() -> None:
    assert {(stage, code) for stage, _, code in BROKEN} == {
        (stage, code) for stage, rules in conduct.RULES.items() for code in rules
    }


@pytest.mark.parametrize("stage", MOMENTS)
def test_the_last_moment_that_is_still_allowed_is(stage: Stage) -> None:
    edges: dict[Stage, dict[str, Any]] = {
        M: {"outreach_hour": FINE[M][FROM] - 1},
        P: {"prospect_age_years": FINE[P]["prospect_min_age"], "prospect_risk_list": "watch"},
        D: {"drawdown_amount": FINE[D]["line_available"], "line_days_left": 0},
        C: {"collection_hour": FINE[C][TO], "collection_calls_today": FINE[C]["contact_calls_per_day"] - 1},
    }
    assert conduct.violations(stage, FINE[stage] | edges.get(stage, {}), "call") == []


def test_a_message_is_no_call() -> None:
    used_up = FINE[C] | {"collection_calls_today": FINE[C]["contact_calls_per_day"]}
    assert conduct.violations(C, used_up, "sms") == []


@pytest.mark.parametrize(
    "stage, name", [(stage, name) for stage in MOMENTS for name in sorted(conduct.needs(stage))]
)
def test_what_a_rule_cannot_see_it_forbids(stage: Stage, name: str) -> None:
    values = {known: value for known, value in FINE[stage].items() if known != name}
    assert conduct.violations(stage, values, "call") != []
