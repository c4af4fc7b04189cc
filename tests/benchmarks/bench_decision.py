"""Figures of the decision domain, each as a ratio to a ceiling measured in the same run (issue §8).

CPU time of this thread, not wall time: the machine is shared. Best of several rounds.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from backend.core import clock
from backend.domains.decision import bundle, evaluate, facts, features, model
from tests.benchmarks import figure
from tests.benchmarks.figure import Figure

_CASE = Path(__file__).parents[1] / "data" / "cases" / "approved_payroll.json"
_ROUNDS, _CALLS = 15, 200


def run() -> list[Figure]:
    """Decision with trace against the same rules as if/else; scorecard with reasons against bare look-ups."""
    case = msgspec.json.decode(_CASE.read_bytes(), type=model.Case)
    using = bundle.seeded()
    values = dict(facts.check(case, using.needed, using.catalogue).values)
    features.extend(values, clock.local(case.as_of).date(), using.features)
    plain_facts = {name: value for held in case.sources.values() for name, value in held.facts.items()}
    day = clock.local(case.as_of).date()
    decision = evaluate.evaluate(case, using).decision
    assert plain_rules(plain_facts, day, using) == (
        decision.outcome,
        decision.amount_fen,
        decision.annual_rate_bp,
    )
    decided = _micros(lambda: model.canonical(evaluate.evaluate(case, using)))
    plain = _micros(lambda: plain_rules(plain_facts, day, using))
    scored = _micros(lambda: using.card.score(values))
    looked = _micros(lambda: _bare_points(using, values))
    return [
        figure.over("decision with trace, as bytes", decided, "us", 100, plain, "same rules as if/else"),
        figure.at_most("scorecard with reasons", scored, "us", 15, looked, "bare look-ups and a sum"),
    ]


def _micros(call: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.thread_time_ns()
        for _ in range(_CALLS):
            call()
        best = min(best, (time.thread_time_ns() - started) / _CALLS / 1000)
    return best


def _bare_points(using: bundle.Bundle, values: Mapping[str, Any]) -> int:
    total = using.card.card.base_points
    for part in using.card.card.characteristics:
        total += part.points[bisect_right(part.splits, values[part.name])]
    return total


def plain_rules(f: Mapping[str, Any], day: date, using: bundle.Bundle) -> tuple[str, int | None, int | None]:
    """The seeded strategies of 随享贷 as a programmer would write them: no types, no trace, no reasons."""
    v = _plain_features(f, day)
    decline, refer = _plain_verdict(f, v)
    score = _bare_points(using, {**f, **v})
    grade = (
        "A"
        if score >= 640
        else "B"
        if score >= 610
        else "C"
        if score >= 575
        else "D"
        if score >= 545
        else "E"
    )
    if grade == "E" or decline:
        return "declined", None, None
    share, base, weight, room = {
        "A": (1.0, 10_000_000, 1.0, 0.55),
        "B": (0.8, 6_000_000, 0.8, 0.5),
        "C": (0.6, 3_000_000, 0.5, 0.45),
        "D": (0.4, 1_000_000, 0.3, 0.35),
    }[grade]
    income = v["usable_annual_income"]
    amount = min(
        f["product_max_amount"],
        v["internet_credit_left"] if f["product_kind"] == "consumer" else f["product_max_amount"],
        int(income * share),
        int(base + v["counted_assets"] * weight),
        int(income * room / 12 - f["bureau_monthly_repayment"] - f["bureau_card_used"] * 0.1)
        * f["requested_term_months"],
        int(
            income * 4
            - f["bureau_balance"]
            - max(f["bureau_guarantee_balance"], f["own_guarantee_balance"]) * 0.5
            - f["household_debt"] * 0.3
        ),
        f["requested_amount"],
        3_000_000 if not f["bureau_found"] else f["requested_amount"],
    )
    amount = amount // 100_000 * 100_000
    if refer:
        return "referred", None, None
    if amount < f["product_min_amount"]:
        return "declined", None, None
    rate = f["lpr_1y_bp"] + 150 + {"A": 120, "B": 220, "C": 380, "D": 600}[grade]
    rate += 30 if f["requested_term_months"] > 12 else 0
    rate -= {"excellent": 30, "good": 15}.get(f["household_rating"], 0)
    rate -= 20 if f["core_payroll_months"] >= 12 else 0
    rate -= f["campaign_discount_bp"]
    cap = min(f["product_rate_cap_bp"], f["reg_all_in_cost_cap_bp"])
    return "approved", amount, min(max(rate, f["product_rate_floor_bp"]), cap)


def _plain_features(f: Mapping[str, Any], day: date) -> dict[str, int]:
    wages = f["core_payroll_average"] * 12 if f["core_payroll_months"] >= 3 else 0
    fund = f["housing_fund_base"] * 12 if f["housing_fund_months"] >= 6 else 0
    income = min(f["declared_annual_income"], max(wages, fund, f["core_inflow_12m"] * 40 // 100))
    owed, limit = f["bureau_monthly_repayment"] * 12, f["bureau_card_limit"]
    age = clock.years_between(date.fromisoformat(f["birth_on"]), day)
    months = day.month - 1 + f["requested_term_months"]
    end = date(day.year + months // 12, months % 12 + 1, min(day.day, 28))
    granted = max(f["bureau_internet_consumer_credit"], f["core_internet_credit_granted"])
    granted += f["own_promised_credit"]
    return {
        "age_years": age,
        "age_at_end_years": clock.years_between(date.fromisoformat(f["birth_on"]), end),
        "id_days_left": (date.fromisoformat(f["id_expires_on"]) - day).days,
        "usable_annual_income": income,
        "debt_to_income_bp": 0 if not owed else min(20_000, owed * 10_000 // income) if income else 20_000,
        "card_use_bp": f["bureau_card_used"] * 10_000 // limit if limit else 0,
        "counted_assets": f["core_deposit_average_6m"] + f["core_wealth_balance"] * 80 // 100,
        "internet_credit_left": max(0, f["reg_internet_consumer_cap"] - granted),
        "reg_term_cap_months": min(f["reg_consumer_max_term_months"], f["reg_bullet_max_term_months"]),
    }


def _plain_verdict(f: Mapping[str, Any], v: Mapping[str, int]) -> tuple[bool, bool]:
    decline = (
        f["identity_match"] in ("name_mismatch", "photo_mismatch")
        or f["phone_match"] == "mismatch"
        or v["id_days_left"] < 0
        or f["blocklist_hit"] == "blocked"
        or f["own_list_hit"] == "blocked"
        or f["court_enforcement"]
        or f["core_account_frozen"]
        or v["age_years"] < f["reg_min_age"]
        or v["age_years"] < f["product_min_age"]
        or v["age_at_end_years"] > f["product_max_age"]
        or not f["in_service_area"]
        or f["student_signal"]
        or f["occupation"] == "student"
        or f["purpose_forbidden"]
        or (not f["purpose_in_product"] and f["purpose"] != "other")
        or f["requested_amount"] < f["product_min_amount"]
        or f["requested_term_months"] < f["product_min_term_months"]
        or f["requested_term_months"] > f["product_max_term_months"]
        or f["requested_term_months"] > v["reg_term_cap_months"]
        or f["bureau_overdue_amount"] > 0
        or f["bureau_written_off"]
        or f["bureau_queries_1m"] > 4
        or f["bureau_queries_6m"] >= 8
        or f["bureau_worst_overdue_24m"] >= 3
        or f["bureau_overdue_months_24m"] > 6
        or f["bureau_lenders_open"] > 6
        or f["core_loan_overdue_days"] > 0
        or (v["usable_annual_income"] >= 600_000 and v["debt_to_income_bp"] > 7000)
    )
    refer = (
        f["identity_match"] == "no_record"
        or f["phone_match"] == "unknown"
        or f["liveness_result"] in ("failed", "skipped")
        or f["blocklist_hit"] == "watch"
        or f["core_related_party"]
        or f["device_customers_30d"] > 3
        or f["person_applications_30d"] > 5
        or f["address_applications_90d"] > 6
        or f["own_list_hit"] == "watch"
        or f["device_customers_24h"] > 2
        or f["phone_customers_90d"] > 1
        or f["relation_ring_households"] > 8
        or f["relation_device_households"] > 4
        or f["relation_payee_households"] > 2
        or f["relation_helper_households_7d"] > 3
        or f["relation_guarantee_ring"]
        or f["relation_impersonation"] == "likely"
        or f["relation_money_returns"]
        or f["relation_staff_contact"]
        or (f["purpose"] == "other" and not f["purpose_forbidden"])
        or f["requested_amount"] > f["reg_on_site_skip_amount"]
        or f["bureau_guarantee_balance"] > 50_000_000
        or v["usable_annual_income"] < 600_000
    )
    return bool(decline), bool(refer)
