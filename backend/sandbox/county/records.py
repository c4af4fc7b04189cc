"""What bureau, core banking, data platform and our own records know of an adult, in the catalogue's words.

The whole-array twin of `sandbox.synthetic` for people who have a household: the same shapes, drawn by key, with
income from the household. Amounts are fen. Correlations and rates are invented.
"""

import msgspec
import numpy as np

from backend.sandbox.county.draws import Array, Draws, between, fen, logistic

Facts = dict[str, Array]


class Adult(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays by adult: what their records follow from. `month` yuan a month, `ring` true for members of a
    fraud ring (their files look clean: that is how rings work)."""

    key: Array
    age: Array
    quality: Array
    month: Array
    employed: Array
    merchant: Array
    members: Array
    residence: Array
    certificate: Array
    ring: Array


RATINGS = ("none", "ordinary", "good", "excellent")
BLOCKED = ("none", "watch", "blocked")


def facts(d: Draws, who: Adult) -> Facts:
    """By fact name. Choices are positions in `RATINGS` and `BLOCKED`."""
    found: Facts = {}
    for part in (_household, _employment, _accounts, _bureau):
        found |= part(d, who)
    return found


def _household(d: Draws, who: Adult) -> Facts:
    k = who.key
    rating = who.quality + d.normal("rating", k, 0.0, 0.8)
    hit = d.uniform("blocklist", k)
    return {
        "blocklist_hit": np.select([hit < 0.004, hit < 0.014], [2, 1], 0),
        "court_enforcement": d.chance("court", k, 0.012 * np.exp(-0.8 * who.quality)),
        "student_signal": (who.age < 23) & ~who.employed,
        "household_members": who.members,
        "household_years_resident": np.minimum(who.residence, who.age),
        "household_rating": np.digitize(rating, (-0.2, 0.8, 1.6)),
        "household_debt": np.where(
            d.chance("village debt", k, 0.3), fen(d.exponential("village debt sum", k, 30_000), 100_000), 0
        ),
    }


def _employment(d: Draws, who: Adult) -> Facts:
    k, q = who.key, np.maximum(who.quality, -1.5)
    payroll = d.chance("payroll", k, np.where(who.employed, 0.62, 0.04))
    fund = d.chance("fund", k, np.where(who.employed, 0.45, 0.0))
    insured = d.chance("insured", k, np.where(who.employed, 0.9, 0.35))
    since = np.maximum(1, (who.age - 18) * 12)
    return {
        "core_payroll_months": np.where(
            payroll, between(d.exponential("payroll months", k, 16 + 7 * q), 1, np.minimum(120, since)), 0
        ),
        "core_payroll_average": np.where(
            payroll, fen(who.month * d.uniform("payroll part", k, 0.85, 1.0), 10_000), 0
        ),
        "social_security_months_24m": np.where(
            insured, between(d.normal("social months", k, 17 + 4 * who.quality, 5.0), 1, 24), 0
        ),
        "housing_fund_months": np.where(
            fund, between(d.exponential("fund months", k, 22 + 8 * q), 1, np.minimum(200, since)), 0
        ),
        "housing_fund_base": np.where(fund, fen(who.month * d.uniform("fund part", k, 0.8, 1.05), 10_000), 0),
    }


def _accounts(d: Draws, who: Adult) -> Facts:
    k, q = who.key, who.quality
    known = d.chance("known", k, 0.93) | who.certificate
    flow_months = np.where(known, between(d.normal("flow months", k, 8.6 + 1.6 * q, 2.6), 0, 12), 0)
    saved = np.exp(d.normal("saved", k, np.log(np.maximum(who.month, 300)) + 0.4 + 0.55 * q, 1.0))
    saved = np.where(who.certificate, saved + 60_000, saved)
    turnover = np.where(who.merchant, 2.2, 1.0)
    inflow = who.month * turnover * flow_months * d.uniform("inflow part", k, 0.75, 1.35)
    late = d.chance("own overdue", k, 0.01 * np.exp(-0.8 * q))
    return {
        "core_known": known,
        "core_relationship_months": np.where(
            known, between(d.normal("relation months", k, 58 + 16 * q, 36), 1, 300), 0
        ),
        "core_deposit_average_6m": np.where(known, fen(saved), 0),
        "core_wealth_balance": np.where(
            known & (saved > 40_000), fen(saved * d.uniform("wealth part", k, 0.0, 2.0), 100_000), 0
        ),
        "core_inflow_12m": fen(inflow),
        "core_inflow_months_12m": flow_months,
        "core_loan_overdue_days": np.where(late, between(d.exponential("own days", k, 25.0), 1, 400), 0),
        "core_internet_credit_granted": np.zeros(len(k), dtype=np.int64),
        "core_account_frozen": d.chance("frozen", k, 0.003),
        "core_related_party": d.chance("related", k, 0.004),
    }


def _bureau(d: Draws, who: Adult) -> Facts:
    k, q = who.key, who.quality
    found = d.chance("bureau", k, 0.78)
    hunger = d.normal("hunger", k) - 0.6 * q  # how much a person looks for money
    lenders = np.minimum(40, d.poisson("lenders", k, 0.9 * np.exp(0.45 * hunger)))
    queries = np.minimum(60, d.poisson("queries", k, 1.3 * np.exp(0.55 * hunger)) + (lenders > 3))
    late = np.minimum(24, d.poisson("late", k, 0.45 * np.exp(-0.75 * q + 0.2 * hunger)))
    balance = who.month * lenders * np.exp(d.normal("owed", k, 0.9, 0.6))
    card = np.where(
        d.chance("card", k, 0.45), fen(who.month * d.uniform("card size", k, 1.5, 5.0), 100_000), 0
    )
    used = np.clip(d.normal("card used", k, 0.38 + 0.13 * hunger, 0.2), 0.0, 1.0)
    internet = (lenders > 0) & d.chance("internet", k, 0.5)
    overdue = (late > 0) & d.chance("overdue now", k, 0.09)
    every: Facts = {
        "bureau_history_months": np.minimum(
            between(d.normal("history", k, 52 + 10 * q, 34), 1, 240), np.maximum(1, (who.age - 18) * 12)
        ),
        "bureau_queries_1m": between(queries * d.uniform("queries now", k, 0.0, 0.5), 0, 50),
        "bureau_queries_6m": queries,
        "bureau_overdue_amount": np.where(overdue, fen(d.exponential("overdue sum", k, 2500.0)), 0),
        "bureau_overdue_months_24m": late,
        "bureau_worst_overdue_24m": np.where(late > 0, between(d.exponential("worst", k, 0.9), 1, 7), 0),
        "bureau_written_off": d.chance("written off", k, 0.006 * np.exp(-q)),
        "bureau_lenders_open": lenders,
        "bureau_balance": fen(balance, 10_000),
        "bureau_monthly_repayment": fen(balance * d.uniform("monthly part", k, 0.02, 0.06)),
        "bureau_card_limit": card,
        "bureau_card_used": (card * used).astype(np.int64),
        "bureau_guarantee_balance": np.where(
            d.chance("guarantor", k, 0.05), fen(d.exponential("guaranteed", k, 60_000.0), 100_000), 0
        ),
        "bureau_internet_consumer_credit": np.where(
            internet, fen(balance * d.uniform("internet part", k, 0.2, 0.8), 100_000), 0
        ),
    }
    return {"bureau_found": found} | {name: value * found for name, value in every.items()}


FLAGS = (
    "court_enforcement", "student_signal", "core_known", "core_account_frozen", "core_related_party",
    "bureau_found", "bureau_written_off",
)  # fmt: skip


def default_chance(f: Facts, who: Adult) -> Array:
    """Chance of 90 days past due within a year: what is on record, and the quality that is not."""
    income = np.maximum(1, f["declared_annual_income"] // 12)
    burden = np.minimum(2.0, f["bureau_monthly_repayment"] / income)
    limit = f["bureau_card_limit"]
    use = np.where(limit > 0, f["bureau_card_used"] / np.maximum(limit, 1), 0.3)
    strain = (
        -3.0
        - 0.8 * who.quality
        + 0.16 * np.minimum(12, f["bureau_queries_6m"])
        + 0.28 * np.minimum(8, f["bureau_overdue_months_24m"])
        + 0.15 * np.minimum(8, f["bureau_lenders_open"])
        + 1.3 * burden
        + 0.9 * (use - 0.3)
        - 0.035 * np.minimum(24, f["core_payroll_months"])
        - 0.02 * np.minimum(36, f["housing_fund_months"])
        - 0.03 * f["social_security_months_24m"]
        - 0.05 * f["core_inflow_months_12m"]
        - 0.012 * np.minimum(40, f["household_years_resident"])
        - 0.003 * np.minimum(120, f["bureau_history_months"])
        - 0.16 * np.log1p(f["core_deposit_average_6m"] / 100_000)
    )
    chance: Array = np.where(who.ring, 0.55, logistic(strain))
    return chance
