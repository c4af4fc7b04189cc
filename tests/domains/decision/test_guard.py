"""The last look at an approval, each rule alone: what no strategy may ever grant (D1-01, A6-03, A6-04)."""

from typing import Any

import msgspec
import pytest

from backend.domains.decision import bundle, county, evaluate, guard
from backend.domains.decision.model import DECIDING, Cap, Offer, Outcome, Stage
from tests.domains.decision.conftest import decide, read
from tests.domains.decision.test_standing import GOOD, standing

OFFER = Offer(amount_fen=2_000_000, annual_rate_bp=535, term_months=12)
VALUES = {
    "product_min_amount": 100_000, "product_max_amount": 2_000_000, "requested_amount": 2_000_000,
    "product_kind": "consumer", "internet_credit_left": 2_000_000, "product_min_term_months": 12,
    "product_max_term_months": 12, "reg_term_cap_months": 12, "product_rate_floor_bp": 535, "rate_cap_bp": 535,
    "age_years": 18, "reg_min_age": 18, "id_days_left": 0,
}  # fmt: skip
CAPS = [Cap(name="income", label="收入", amount_fen=2_000_000, binding=True)]


def test_an_offer_at_every_edge_at_once_is_let_through() -> None:
    assert guard.violations(OFFER, VALUES, CAPS) == []


@pytest.mark.parametrize(
    "changed, broken",
    [
        ({"product_max_amount": 1_999_999}, "amount_outside_product"),
        ({"product_min_amount": 2_000_001}, "amount_outside_product"),
        ({"requested_amount": 1_999_999}, "more_than_asked"),
        ({"internet_credit_left": 1_999_999}, "above_internet_consumer_cap"),
        ({"product_max_term_months": 11}, "term_outside_product"),
        ({"product_min_term_months": 13}, "term_outside_product"),
        ({"reg_term_cap_months": 11}, "term_above_regulation"),
        ({"product_rate_floor_bp": 536}, "rate_outside_band"),
        ({"rate_cap_bp": 534}, "rate_outside_band"),
        ({"age_years": 17}, "under_age"),
        ({"id_days_left": -1}, "card_expired"),
    ],
)
def test_each_rule_refuses_the_first_step_beyond_it(changed: dict[str, Any], broken: str) -> None:
    assert guard.violations(OFFER, VALUES | changed, CAPS) == [broken]


def test_more_than_any_cap_is_refused_also_one_that_was_not_taken_for_the_smallest() -> None:
    small = msgspec.structs.replace(CAPS[0], amount_fen=1_999_999, binding=False)
    assert guard.violations(OFFER, VALUES, [*CAPS, small]) == ["above_a_cap"]


def test_a_business_loan_may_be_more_than_what_is_left_of_consumer_credit() -> None:
    assert (
        guard.violations(OFFER, VALUES | {"product_kind": "business", "internet_credit_left": 0}, CAPS) == []
    )


@pytest.mark.parametrize("name", [name for name in VALUES if name != "product_kind"])
def test_what_the_guard_cannot_see_it_refuses(name: str) -> None:
    values = {known: value for known, value in VALUES.items() if known != name}
    assert len(guard.violations(OFFER, values, CAPS)) == 1


@pytest.mark.parametrize("left_out", DECIDING)
def test_a_stage_that_was_never_asked_costs_the_approval(
    left_out: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever would make our own code pass one by without a word."""
    assert decide(read("approved_small")).outcome is Outcome.APPROVED
    asked = evaluate._Run.take
    monkeypatch.setattr(
        evaluate._Run, "take", lambda run, each: None if each is left_out else asked(run, each)
    )
    assert evaluate.evaluate(read("approved_small"), bundle.seeded()).decision.outcome is Outcome.REFERRED


def test_a_standing_cap_that_was_forgotten_among_the_caps_is_still_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """N19: whatever would lose it on the way, no approval goes above what a substitute carries."""
    smallest = county.smallest
    monkeypatch.setattr(
        county, "smallest", lambda found: smallest(c for c in found if not c.name.startswith("standing_"))
    )
    assert decide(GOOD).amount_fen > 100_000
    assert decide(standing(GOOD, "substitute", 100_000)).outcome is Outcome.REFERRED
