"""The last look at an approval, each rule alone: what no strategy may ever grant (D1-01, A6-03, A6-04)."""

from typing import Any

import msgspec
import pytest

from backend.domains.decision import guard
from backend.domains.decision.model import Cap, Offer

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
