"""What more the systems know of an invented person: assets, flows, work, trade, tax (A6-08…A6-19).

Drawn from the key and from what `synthetic` says of the same person, so that the two agree: the payroll here is
the payroll there, a shop's POS volume is part of its turnover. The same key gives the same record. Amounts are
integer fen, shares basis points. What an officer's survey finds (A6-20) nobody outside knows.
"""

import random

from backend.sandbox.synthetic import Record

PEAK_SHARE = (0.26, 0.6)  # of a year's inflow in its three best months; a harvest comes at once


def person(key: str, known: Record) -> Record:
    """All further facts, by fact name; `known` is what `synthetic.person` or a script says of the person."""
    draw = random.Random(f"business:{key}")
    record = _assets(draw, known) | _settlement(draw, known) | _payroll(draw, known)
    record |= _mortgage(draw) | _fund(draw, known) | _insurance(draw, known)
    owner = draw.random() < 0.35
    turnover = _int(known, "core_inflow_12m") * 5 if owner else 0
    months = _int(known, "core_inflow_months_12m") if turnover else 0
    return (
        record
        | _turnover(draw, turnover, months)
        | _pos(draw, turnover, months)
        | _trade(draw, turnover, months)
    )


def _int(known: Record, name: str) -> int:
    return int(known.get(name, 0))


def _part(draw: random.Random, whole: int, low: float, high: float) -> int:
    """A share of an amount in whole yuan."""
    return int(whole * draw.uniform(low, high)) // 100 * 100


def _share(draw: random.Random, typical: int) -> int:
    """A share in basis points, mostly about `typical`, rarely far above."""
    return min(10_000, int(draw.expovariate(1 / typical)))


def _assets(draw: random.Random, known: Record) -> Record:
    saved, wealth = _int(known, "core_deposit_average_6m"), _int(known, "core_wealth_balance")
    large = _part(draw, saved, 1, 3) // 100_000 * 100_000 if saved >= 20_000_000 else 0
    term = _part(draw, saved, 0.2, 1.5) if draw.random() < 0.4 else 0
    frozen = bool(known.get("core_account_frozen"))
    pledged = _part(draw, large + term, 0.2, 0.6) if large + term and draw.random() < 0.08 else 0
    risk = draw.choices(("R1", "R2", "R3", "R4"), (35, 45, 17, 3))[0] if wealth else "none"
    ladder = large + term + wealth
    soon, middle = _part(draw, ladder, 0.1, 0.3), _part(draw, ladder, 0.2, 0.5)
    return {
        "asset_large_cd": large,
        "asset_large_cd_pledgeable": large if not frozen else 0,
        "asset_term_deposit": term,
        "asset_term_deposit_pledgeable": term if not frozen else 0,
        "asset_wealth_pledgeable": wealth if risk in ("R1", "R2") and not frozen else 0,
        "asset_wealth_risk": risk,
        "asset_pledged": pledged,
        "asset_freeze": "judicial" if frozen else "pledge" if pledged else "none",
        "asset_due_3m": soon,
        "asset_due_12m": middle,
        "asset_due_later": ladder - soon - middle,
    }


def _settlement(draw: random.Random, known: Record) -> Record:
    inflow, months = _int(known, "core_inflow_12m"), _int(known, "core_inflow_months_12m")
    peak = _part(draw, inflow, *PEAK_SHARE) if months else 0
    return {
        "settle_in_12m": inflow,
        "settle_out_12m": _part(draw, inflow, 0.7, 1.05) if months else 0,
        "settle_months_12m": months,
        "settle_peak_3m": peak,
        "settle_lean_3m": _part(draw, max(0, inflow - peak) // 3, 0, 0.6),
        "settle_variation_bp": max(0, int(draw.gauss(6000, 2500))) if months else 0,
        "settle_counterparties_12m": int(draw.expovariate(1 / 14)) + 1 if months else 0,
        "settle_largest_payer_bp": min(10_000, 1500 + _share(draw, 2200)) if months else 0,
        "settle_own_transfer_bp": _share(draw, 900) if months else 0,
    }


def _payroll(draw: random.Random, known: Record) -> Record:
    months, average = _int(known, "core_payroll_months"), _int(known, "core_payroll_average")
    kinds = ("government", "institution", "state_enterprise", "listed", "private", "individual")
    return {
        "payroll_employer_kind": draw.choices(kinds, (10, 18, 12, 6, 44, 10))[0] if months else "none",
        "payroll_employer_months": _part(draw, months * 100, 0.5, 1) // 100 if months else 0,
        "payroll_employers_24m": 1 + (draw.random() < 0.25) if months else 0,
        "payroll_gap_months_24m": max(0, 24 - months - draw.randint(0, 12)) if months else 0,
        "payroll_recent_3m": _part(draw, average, 0.9, 1.15),
        "payroll_before_9m": _part(draw, average, 0.92, 1.05),
    }


def _mortgage(draw: random.Random) -> Record:
    opened = draw.random() < 0.28
    monthly = draw.randrange(120_000, 520_000, 10_000) if opened else 0
    months = draw.randint(1, 240) if opened else 0
    return {
        "bureau_mortgage_open": opened,
        "bureau_mortgage_months": months,
        "bureau_mortgage_balance": monthly * (300 - months) * 7 // 10 if opened else 0,
        "bureau_mortgage_monthly": monthly,
        "bureau_mortgage_late_24m": min(24, int(draw.expovariate(1 / 0.4))) if opened else 0,
    }


def _fund(draw: random.Random, known: Record) -> Record:
    months, base = _int(known, "housing_fund_months"), _int(known, "housing_fund_base")
    return {
        "housing_fund_employer_months": draw.randint(1, months) if months else 0,
        "housing_fund_employers_24m": 1 + (draw.random() < 0.2) if months else 0,
        "housing_fund_monthly": base * 24 // 100,
        "housing_fund_loan": draw.randrange(5_000_000, 40_000_000, 100_000)
        if months and draw.random() < 0.3
        else 0,
    }


def _insurance(draw: random.Random, known: Record) -> Record:
    months = _int(known, "social_security_months_24m")
    kind = (
        "employee"
        if _int(known, "housing_fund_months")
        else draw.choice(("resident", "flexible", "employee"))
    )
    return {
        "social_security_kind": kind if months else "none",
        "social_security_gap_months_24m": 24 - months,
        "social_security_employer_months": draw.randint(1, months) if months and kind == "employee" else 0,
        "social_security_base": draw.randrange(350_000, 900_000, 10_000) if months else 0,
    }


def _turnover(draw: random.Random, turnover: int, months: int) -> Record:
    faked = draw.random() < 0.06  # a turnover made to be seen: round sums in circles
    return {
        "turnover_12m": turnover,
        "turnover_before_12m": _part(draw, turnover, 0.7, 1.2),
        "turnover_months_12m": months,
        "turnover_round_bp": 0 if not turnover else 5500 if faked else _share(draw, 900),
        "turnover_same_day_bp": 0 if not turnover else 7000 if faked else _share(draw, 1100),
        "turnover_circular_bp": 0 if not turnover else 3500 if faked else _share(draw, 300),
        "turnover_related_bp": 0 if not turnover else _share(draw, 700),
        "turnover_largest_payer_bp": 0 if not turnover else min(10_000, 1000 + _share(draw, 1800)),
    }


def _pos(draw: random.Random, turnover: int, months: int) -> Record:
    shop = turnover > 0 and draw.random() < 0.5
    volume = _part(draw, turnover, 0.2, 0.7) if shop else 0
    tax = turnover > 0 and draw.random() < 0.6
    paid = _part(draw, turnover, 0.01, 0.04) if tax else 0
    return {
        "pos_months_12m": months if shop else 0,
        "pos_volume_12m": volume,
        "pos_recent_3m": _part(draw, volume // 12, 0.7, 1.3),
        "pos_refund_bp": _share(draw, 250) if shop else 0,
        "pos_night_bp": _share(draw, 700) if shop else 0,
        "pos_credit_card_bp": min(10_000, 1500 + _share(draw, 1500)) if shop else 0,
        "pos_largest_bp": _share(draw, 400) if shop else 0,
        "tax_paid_12m": paid,
        "tax_paid_before_12m": _part(draw, paid, 0.7, 1.2),
        "tax_months_12m": months if tax else 0,
        "tax_revenue_12m": _part(draw, turnover, 0.5, 0.95) if tax else 0,
        "tax_grade": draw.choices(("A", "B", "M", "C", "D"), (14, 45, 30, 8, 3))[0] if tax else "none",
        "tax_arrears": _part(draw, paid, 0.1, 0.8) if tax and draw.random() < 0.05 else 0,
        "tax_late_filings_24m": min(24, int(draw.expovariate(1 / 0.6))) if tax else 0,
    }


def _trade(draw: random.Random, turnover: int, months: int) -> Record:
    chained = turnover > 0 and draw.random() < 0.4
    orders = _part(draw, turnover, 0.3, 0.8) if chained else 0
    arrived = _part(draw, orders, 0.85, 1)
    return {
        "trade_orders_12m": orders,
        "trade_logistics_12m": arrived,
        "trade_funds_12m": _part(draw, arrived, 0.8, 1),
        "trade_months_12m": months if chained else 0,
        "trade_partners_12m": draw.randint(1, 12) if chained else 0,
        "trade_returns_bp": _share(draw, 300) if chained else 0,
        "chain_years": draw.randint(0, 12) if chained else 0,
        "chain_closed_account": chained and draw.random() < 0.5,
        "chain_goods_watched": chained and draw.random() < 0.3,
        "chain_buy_back": chained and draw.random() < 0.25,
        "chain_acknowledged_12m": _part(draw, orders, 0, 0.5),
    }


NAMES = tuple(person("", {}))
CORE_NAMES = tuple(n for n in NAMES if n.startswith(("asset_", "settle_", "payroll_")))
PLATFORM_NAMES = tuple(n for n in NAMES if not n.startswith(("asset_", "settle_", "payroll_", "bureau_")))
