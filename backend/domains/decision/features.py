"""Facts computed from facts: once, here, for training, live decisions and batches alike (A3-36).

Each function is whole-number arithmetic over facts the gate has checked, so equal facts give equal features
on every machine. Divisions by what may be zero are defined here and nowhere else.
"""

from collections.abc import Callable, Mapping
from datetime import date

import msgspec

from backend.core import clock
from backend.domains.decision.facts import Value

Values = Mapping[str, Value]


class Feature(msgspec.Struct, frozen=True):
    """`needs` are facts (or earlier features); without one of them the feature does not exist."""

    needs: tuple[str, ...]
    compute: Callable[[Values, date], int]


def _int(values: Values, name: str) -> int:
    return int(values[name])


def _day(values: Values, name: str) -> date:
    return date.fromisoformat(str(values[name]))


def age_years(values: Values, on: date) -> int:
    return clock.years_between(_day(values, "birth_on"), on)


def age_at_end_years(values: Values, on: date) -> int:
    """Age on the last day of the term asked for."""
    months = on.year * 12 + on.month - 1 + _int(values, "requested_term_months")
    end = date(months // 12, months % 12 + 1, min(on.day, 28))
    return clock.years_between(_day(values, "birth_on"), end)


def id_days_left(values: Values, on: date) -> int:
    return (_day(values, "id_expires_on") - on).days


def verified_annual_income(values: Values, _: date) -> int:
    """The best of three proofs of income: wages paid through us for 3 months, the housing fund's base for 6,
    or 40 % of what came into the account (turnover is not income)."""
    wages = _int(values, "core_payroll_average") * 12 if _int(values, "core_payroll_months") >= 3 else 0
    fund = _int(values, "housing_fund_base") * 12 if _int(values, "housing_fund_months") >= 6 else 0
    return max(wages, fund, _int(values, "core_inflow_12m") * 40 // 100)


def usable_annual_income(values: Values, _: date) -> int:
    """Never more than the customer says and never more than there is proof of."""
    return min(_int(values, "declared_annual_income"), _int(values, "verified_annual_income"))


def debt_to_income_bp(values: Values, _: date) -> int:
    """Monthly repayments over usable monthly income; 20000 when there are debts and no proven income."""
    owed, income = _int(values, "bureau_monthly_repayment") * 12, _int(values, "usable_annual_income")
    if not owed:
        return 0
    return min(20_000, owed * 10_000 // income) if income else 20_000


def card_use_bp(values: Values, _: date) -> int:
    """Used share of all credit cards; 0 without a card, 20000 when something is used of no limit."""
    used, limit = _int(values, "bureau_card_used"), _int(values, "bureau_card_limit")
    if not limit:
        return 20_000 if used else 0
    return min(20_000, used * 10_000 // limit)


def counted_assets(values: Values, _: date) -> int:
    """A6-08: deposits in full, wealth products at 80 % of their value."""
    return _int(values, "core_deposit_average_6m") + _int(values, "core_wealth_balance") * 80 // 100


def internet_credit_left(values: Values, _: date) -> int:
    """D1-01: the cap over the person's total internet consumer credit, less the larger of what the bureau and
    our own books know (the bureau lags behind, our books see only the union)."""
    granted = max(
        _int(values, "bureau_internet_consumer_credit"), _int(values, "core_internet_credit_granted")
    )
    return max(0, _int(values, "reg_internet_consumer_cap") - granted)


def reg_term_cap_months(values: Values, _: date) -> int:
    """D1-01 and D2-05 bind consumer loans: the longest term, shorter when the principal falls due at once."""
    if values["product_kind"] != "consumer":
        return 360
    longest = _int(values, "reg_consumer_max_term_months")
    if values["product_repayment_method"] in ("interest_first", "on_demand"):
        return min(longest, _int(values, "reg_bullet_max_term_months"))
    return longest


def rate_cap_bp(values: Values, _: date) -> int:
    return min(_int(values, "product_rate_cap_bp"), _int(values, "reg_all_in_cost_cap_bp"))


FEATURES: dict[str, Feature] = {
    "age_years": Feature(("birth_on",), age_years),
    "age_at_end_years": Feature(("birth_on", "requested_term_months"), age_at_end_years),
    "id_days_left": Feature(("id_expires_on",), id_days_left),
    "verified_annual_income": Feature(
        (
            "core_payroll_average",
            "core_payroll_months",
            "housing_fund_base",
            "housing_fund_months",
            "core_inflow_12m",
        ),
        verified_annual_income,
    ),
    "usable_annual_income": Feature(
        ("declared_annual_income", "verified_annual_income"), usable_annual_income
    ),
    "debt_to_income_bp": Feature(("bureau_monthly_repayment", "usable_annual_income"), debt_to_income_bp),
    "card_use_bp": Feature(("bureau_card_used", "bureau_card_limit"), card_use_bp),
    "counted_assets": Feature(("core_deposit_average_6m", "core_wealth_balance"), counted_assets),
    "internet_credit_left": Feature(
        ("bureau_internet_consumer_credit", "core_internet_credit_granted", "reg_internet_consumer_cap"),
        internet_credit_left,
    ),
    "reg_term_cap_months": Feature(
        (
            "product_kind",
            "product_repayment_method",
            "reg_consumer_max_term_months",
            "reg_bullet_max_term_months",
        ),
        reg_term_cap_months,
    ),
    "rate_cap_bp": Feature(("product_rate_cap_bp", "reg_all_in_cost_cap_bp"), rate_cap_bp),
}
"""In an order in which each comes after what it needs."""


def extend(values: dict[str, Value], on: date, wanted: tuple[str, ...]) -> None:
    """Add every wanted feature whose needs are there."""
    for name in wanted:
        feature = FEATURES[name]
        if all(need in values for need in feature.needs):
            values[name] = feature.compute(values, on)


def closure(names: set[str]) -> tuple[set[str], tuple[str, ...]]:
    """The plain facts and the features (in order) behind these names."""
    wanted: set[str] = set()
    plain: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        feature = FEATURES.get(name)
        if feature is None:
            plain.add(name)
        elif name not in wanted:
            wanted.add(name)
            queue.extend(feature.needs)
    return plain, tuple(name for name in FEATURES if name in wanted)
