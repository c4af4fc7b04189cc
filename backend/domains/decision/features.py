"""Facts computed from facts: once, here, for training, live decisions and batches alike (A3-36).

Each is a `formula`: whole-number arithmetic over facts the gate has checked, so equal facts give equal features
on every machine, in one case (`extend`) and in a table (`frame`). Divisions by what may be zero are defined here
and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from backend.domains.decision import facts
from backend.domains.decision.facts import Value
from backend.domains.decision.formula import (
    TODAY,
    Formula,
    Number,
    count,
    day,
    fact,
    flag,
    greatest,
    is_one_of,
    least,
    number,
    per,
    when,
)

if TYPE_CHECKING:
    import polars

_END_MONTH = TODAY.year * 12 + TODAY.month - 1 + fact("requested_term_months")
"""Months since the year 0 of the last day of the term asked for; its day is at most the 28th."""


def _change_bp(now: Number, before: Number) -> Number:
    """By how much something grew; 0 without a before, held to -100 % … +1000 %."""
    return greatest(-10_000, least(100_000, per((now - before) * 10_000, before, nothing=0)))


_WEALTH_PLEDGE_RATE = when(
    is_one_of("asset_wealth_risk", "R1"), 80, when(is_one_of("asset_wealth_risk", "R2"), 70, 0)
)
_SMALLEST_FLOW = least(fact("trade_orders_12m"), fact("trade_logistics_12m"), fact("trade_funds_12m"))
_LARGEST_FLOW = greatest(fact("trade_orders_12m"), fact("trade_logistics_12m"), fact("trade_funds_12m"))
_ENTERPRISE_POINTS = {"AAA": 100, "AA": 85, "A": 70, "BBB": 50, "below": 20}
_STRENGTH = number(0)
for _grade, _points in _ENTERPRISE_POINTS.items():
    _STRENGTH = when(is_one_of("core_enterprise_grade", _grade), _points, _STRENGTH)

FEATURES: dict[str, Formula] = {
    "age_years": day("birth_on").years_to(TODAY),
    # Age on the last day of the term asked for.
    "age_at_end_years": _END_MONTH // 12
    - day("birth_on").year
    - when(
        (_END_MONTH - _END_MONTH // 12 * 12 + 1) * 100 + least(TODAY.day, 28)
        < day("birth_on").month * 100 + day("birth_on").day,
        1,
        0,
    ),
    "id_days_left": TODAY.days_to(day("id_expires_on")),
    # The best of three proofs of income: wages paid through us for 3 months, the housing fund's base for 6,
    # or 40 % of what came into the account (turnover is not income).
    "verified_annual_income": greatest(
        when(fact("core_payroll_months") >= 3, fact("core_payroll_average") * 12, 0),
        when(fact("housing_fund_months") >= 6, fact("housing_fund_base") * 12, 0),
        fact("core_inflow_12m") * 40 // 100,
    ),
    # Never more than the customer says and never more than there is proof of.
    "usable_annual_income": least(fact("declared_annual_income"), fact("verified_annual_income")),
    # Monthly repayments over usable monthly income; 20000 when there are debts and no proven income.
    "debt_to_income_bp": when(
        fact("bureau_monthly_repayment").equals(0),
        0,
        least(
            20_000,
            per(
                fact("bureau_monthly_repayment") * 12 * 10_000,
                fact("usable_annual_income"),
                nothing=20_000,
            ),
        ),
    ),
    # Used share of all credit cards; 0 without a card, 20000 when something is used of no limit.
    "card_use_bp": least(
        20_000,
        per(
            fact("bureau_card_used") * 10_000,
            fact("bureau_card_limit"),
            nothing=when(fact("bureau_card_used").equals(0), 0, 20_000),
        ),
    ),
    # A6-08: deposits in full, wealth products at 80 % of their value.
    "counted_assets": fact("core_deposit_average_6m") + fact("core_wealth_balance") * 80 // 100,
    # D1-01: the cap over the person's total internet consumer credit, less the larger of what the bureau and
    # our own books know (the bureau lags behind, our books see only the union).
    "internet_credit_left": greatest(
        0,
        fact("reg_internet_consumer_cap")
        - greatest(fact("bureau_internet_consumer_credit"), fact("core_internet_credit_granted")),
    ),
    # D1-01 and D2-05 bind consumer loans: the longest term, shorter when the principal falls due at once.
    "reg_term_cap_months": when(
        is_one_of("product_kind", "consumer"),
        when(
            is_one_of("product_repayment_method", "interest_first", "on_demand"),
            least(fact("reg_consumer_max_term_months"), fact("reg_bullet_max_term_months")),
            fact("reg_consumer_max_term_months"),
        ),
        number(360),
    ),
    "rate_cap_bp": least(fact("product_rate_cap_bp"), fact("reg_all_in_cost_cap_bp")),
    # A6-14: large CDs at 90 %, term deposits at 95 %, wealth products by risk, less what is pledged already;
    # nothing under a court's freeze.
    "pledge_value": when(
        is_one_of("asset_freeze", "judicial"),
        0,
        greatest(
            0,
            fact("asset_large_cd_pledgeable") * 90 // 100
            + fact("asset_term_deposit_pledgeable") * 95 // 100
            + fact("asset_wealth_pledgeable") * _WEALTH_PLEDGE_RATE // 100
            - fact("asset_pledged"),
        ),
    ),
    # A6-09: what stays, how much of the year the best three months bring, and whether it comes evenly, from
    # several payers and not out of the person's own other pocket.
    "settle_net_12m": fact("settle_in_12m") - fact("settle_out_12m"),
    "settle_seasonality_bp": least(
        10_000, per(fact("settle_peak_3m") * 10_000, fact("settle_in_12m"), nothing=0)
    ),
    "settle_steady": (fact("settle_months_12m") >= 10)
    & (fact("settle_variation_bp") <= 8000)
    & (fact("settle_largest_payer_bp") <= 6000)
    & (fact("settle_own_transfer_bp") <= 3000),
    # A6-11
    "payroll_trend_bp": _change_bp(fact("payroll_recent_3m"), fact("payroll_before_9m")),
    # A6-10: round sums, in and out on one day, circles, related parties, one payer: signs of a made-up turnover.
    "turnover_growth_bp": _change_bp(fact("turnover_12m"), fact("turnover_before_12m")),
    "turnover_alarms": count(
        fact("turnover_round_bp") > 3000,
        fact("turnover_same_day_bp") > 5000,
        fact("turnover_circular_bp") > 2000,
        fact("turnover_related_bp") > 3000,
        fact("turnover_largest_payer_bp") > 7000,
    ),
    "turnover_counted_12m": fact("turnover_12m")
    * (
        10_000
        - greatest(fact("turnover_same_day_bp"), fact("turnover_circular_bp"), fact("turnover_related_bp"))
    )
    // 10_000,
    # A6-17
    "pos_counted_12m": fact("pos_volume_12m") * (10_000 - fact("pos_refund_bp")) // 10_000,
    "pos_alarms": count(
        fact("pos_refund_bp") > 1500,
        fact("pos_night_bp") > 4000,
        fact("pos_credit_card_bp") > 8000,
        fact("pos_largest_bp") > 3000,
    ),
    # A6-18
    "tax_growth_bp": _change_bp(fact("tax_paid_12m"), fact("tax_paid_before_12m")),
    "tax_clear": fact("tax_arrears").equals(0)
    & is_one_of("tax_grade", "A", "B", "M")
    & (fact("tax_late_filings_24m") <= 1)
    & (fact("tax_months_12m") >= 10),
    # A6-15: orders, goods that arrived and money that was paid tell one story; without any trade they do not.
    "three_flow_gap_bp": per((_LARGEST_FLOW - _SMALLEST_FLOW) * 10_000, _LARGEST_FLOW, nothing=10_000),
    "three_flows_agree": (fact("three_flow_gap_bp") <= 2000)
    & (fact("trade_months_12m") >= 6)
    & (fact("trade_returns_bp") <= 1500),
    # A6-19: both scored 0…100; the limit is three average months of the smallest of the three flows, times both.
    "chain_control": when(flag("chain_closed_account"), 35, 0)
    + when(flag("chain_goods_watched"), 25, 0)
    + when(flag("chain_buy_back"), 20, 0)
    + when(fact("chain_years") >= 3, 20, 0),
    "core_enterprise_strength": _STRENGTH,
    "chain_limit_cap": least(
        fact("core_enterprise_room"),
        _SMALLEST_FLOW // 12 * 3 * fact("chain_control") * fact("core_enterprise_strength") // 10_000,
    ),
    # A6-20: what an officer saw counts when it was seen on the spot, photographed, confirmed by a second person
    # and nothing known elsewhere speaks against it.
    "survey_reliable": flag("survey_in_place")
    & flag("survey_second_confirmed")
    & (fact("survey_photos") >= 3)
    & fact("survey_failed_cross_checks").equals(0),
    "survey_net_income": when(
        flag("survey_reliable"),
        greatest(0, fact("survey_annual_income") - fact("survey_annual_cost")),
        0,
    ),
}
"""In an order in which each comes after what it needs; without one of its needs a feature does not exist."""


def extend(
    values: dict[str, Value], on: date, wanted: tuple[str, ...], before: Mapping[str, Value] | None = None
) -> None:
    """Add every wanted feature whose needs are there. `before`: what this gave, on the same day, of values of which
    most are the same; a feature whose needs all are is not computed again."""
    known = before or {}
    moved = {name for name, value in values.items() if known.get(name) != value} if known else set()
    for name in wanted:
        feature = FEATURES[name]
        if not all(map(values.__contains__, feature.needs)):
            continue
        if known and moved.isdisjoint(feature.needs):
            values[name] = known[name]
            continue
        values[name] = found = feature.scalar(values, on)
        if known and known.get(name) != found:
            moved.add(name)


def closure(names: Iterable[str]) -> tuple[set[str], tuple[str, ...]]:
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


def frame(
    table: polars.DataFrame, wanted: Sequence[str], on: date | str, *, keep: Sequence[str] = ()
) -> polars.DataFrame:
    """The wanted facts and features of every row, after the columns to `keep`; row order stays.

    `on` is the day all rows are judged on, or the name of a date column. What the catalogue does not allow
    (a wrong type, out of range) is null as if it were missing, as the gate treats it live; so is a column that
    is not there, and every feature that needs what is null. Numbers may come as whole floats, dates as ISO
    text, yes and no as 0 and 1. Freshness and consent are the caller's.
    """
    import polars as pl

    from backend.domains.decision import columns

    known = facts.catalogue()
    plain, computed = closure(wanted)
    day_on = (
        pl.lit(on, dtype=pl.Date) if isinstance(on, date) else columns.as_date(table.schema[on], pl.col(on))
    )
    typed = table.lazy().select(
        *(pl.col(name).alias(f"_keep.{name}") for name in keep),
        *(columns.usable(known[name], table.schema.get(name)) for name in sorted(plain)),
        day_on.alias("_on"),
    )
    for name in computed:
        feature = FEATURES[name]
        whole = pl.all_horizontal([pl.col(need).is_not_null() for need in feature.needs])
        typed = typed.with_columns(pl.when(whole).then(feature.column(pl.col("_on"))).alias(name))
    return typed.select(*(pl.col(f"_keep.{name}").alias(name) for name in keep), *wanted).collect()
