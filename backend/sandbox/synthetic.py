"""The synthetic county (演练县): invented people with correlated records, the same for the same key.

`person` answers for one key all that the credit bureau, core banking and the data platform would say; the
sandbox systems use it for people without a script. `county` writes a table with a default flag to train on.
Amounts are integer fen. Nobody here is real; the default rate and the correlations are invented.
"""

import csv
import math
import random
from collections.abc import Iterator
from pathlib import Path

Value = int | bool | str
Record = dict[str, Value]


def person(key: str) -> Record:
    """All facts of the three systems about one invented person (fact names as in the decision catalogue)."""
    return _person(random.Random(f"person:{key}"))[0]


def county(count: int, seed: int) -> Iterator[Record]:
    """`count` people with what they declared and `defaulted` (0/1: 90 days past due within a year)."""
    for number in range(count):
        draw = random.Random(f"county:{seed}:{number}")
        record, quality, monthly_income = _person(draw)
        record["age_years"] = _between(draw.gauss(43, 12), 20, 64)
        record["declared_annual_income"] = _fen(monthly_income * 12 * draw.uniform(0.9, 1.3), 100_000)
        record["defaulted"] = int(draw.random() < _default_chance(record, quality))
        yield record


def write_csv(path: Path, count: int, seed: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for record in county(count, seed):
            plain = {n: int(v) if isinstance(v, bool) else v for n, v in record.items()}
            if writer is None:
                writer = csv.DictWriter(file, list(plain), lineterminator="\n")
                writer.writeheader()
            writer.writerow(plain)


def _person(draw: random.Random) -> tuple[Record, float, float]:
    """A record, the hidden quality (about -3…3, high is reliable) and the true monthly income in yuan."""
    quality = draw.gauss(0, 1)
    employed = draw.random() < _logistic(0.1 + 0.4 * quality)
    income = math.exp(draw.gauss(8.25 + 0.12 * quality + (0.15 if employed else 0), 0.4))
    record: Record = {}
    record.update(_household(draw, quality))
    record.update(_employment(draw, quality, employed, income))
    record.update(_accounts(draw, quality, income))
    record.update(_bureau(draw, quality, income))
    return record, quality, income


def _household(draw: random.Random, quality: float) -> Record:
    rating = quality + draw.gauss(0, 0.8)
    words = ((1.6, "excellent"), (0.8, "good"), (-0.2, "ordinary"))
    return {
        "blocklist_hit": "blocked" if draw.random() < 0.004 else "watch" if draw.random() < 0.01 else "none",
        "court_enforcement": draw.random() < 0.012 * math.exp(-0.8 * quality),
        "student_signal": False,
        "household_members": _between(draw.gauss(3.8, 1.4), 1, 9),
        "household_years_resident": _between(draw.gauss(18 + 4 * quality, 11), 0, 60),
        "household_rating": next((word for floor, word in words if rating > floor), "none"),
        "household_debt": _fen(draw.expovariate(1 / 30_000), 100_000) if draw.random() < 0.3 else 0,
    }


def _employment(draw: random.Random, quality: float, employed: bool, income: float) -> Record:
    payroll = draw.random() < (0.62 if employed else 0.06)
    fund = employed and draw.random() < 0.45
    insured = draw.random() < (0.9 if employed else 0.35)
    months = _between(draw.expovariate(1 / (16 + 7 * max(-1.5, quality))), 1, 120)
    return {
        "core_payroll_months": months if payroll else 0,
        "core_payroll_average": _fen(income * draw.uniform(0.85, 1.0), 10_000) if payroll else 0,
        "social_security_months_24m": _between(draw.gauss(17 + 4 * quality, 5), 1, 24) if insured else 0,
        "housing_fund_months": _between(draw.expovariate(1 / (22 + 8 * max(-1.5, quality))), 1, 200)
        if fund
        else 0,
        "housing_fund_base": _fen(income * draw.uniform(0.8, 1.05), 10_000) if fund else 0,
    }


def _accounts(draw: random.Random, quality: float, income: float) -> Record:
    known = draw.random() < 0.9
    months = _between(draw.gauss(58 + 16 * quality, 36), 1, 300) if known else 0
    flow_months = _between(draw.gauss(8.6 + 1.6 * quality, 2.6), 0, 12) if known else 0
    saved = math.exp(draw.gauss(math.log(income) + 0.4 + 0.55 * quality, 1.0))
    inflow = income * flow_months * draw.uniform(0.75, 1.35)
    return {
        "core_known": known,
        "core_relationship_months": months,
        "core_deposit_average_6m": _fen(saved, 100) if known else 0,
        "core_wealth_balance": _fen(saved * draw.uniform(0, 2), 100_000) if known and saved > 40_000 else 0,
        "core_inflow_12m": _fen(inflow, 100),
        "core_inflow_months_12m": flow_months,
        "core_loan_overdue_days": _between(draw.expovariate(1 / 25), 1, 400)
        if draw.random() < 0.01 * math.exp(-0.8 * quality)
        else 0,
        "core_internet_credit_granted": 0,
        "core_account_frozen": draw.random() < 0.003,
        "core_related_party": draw.random() < 0.004,
    }


def _bureau(draw: random.Random, quality: float, income: float) -> Record:
    found = draw.random() < 0.78
    if not found:
        return {name: False if name in _BUREAU_FLAGS else 0 for name in _BUREAU_NAMES}
    hunger = draw.gauss(0, 1) - 0.6 * quality  # how much a person looks for money
    lenders = _poisson(draw, 0.9 * math.exp(0.45 * hunger))
    queries = _poisson(draw, 1.3 * math.exp(0.55 * hunger)) + (1 if lenders > 3 else 0)
    late = _poisson(draw, 0.45 * math.exp(-0.75 * quality + 0.2 * hunger))
    balance = income * lenders * math.exp(draw.gauss(0.9, 0.6))
    card = _fen(income * draw.uniform(1.5, 5), 100_000) if draw.random() < 0.45 else 0
    internet = _fen(balance * draw.uniform(0.2, 0.8), 100_000) if lenders and draw.random() < 0.5 else 0
    return {
        "bureau_found": True,
        "bureau_history_months": _between(draw.gauss(52 + 10 * quality, 34), 1, 240),
        "bureau_queries_1m": _between(queries * draw.uniform(0, 0.5), 0, 50),
        "bureau_queries_6m": min(60, queries),
        "bureau_overdue_amount": _fen(draw.expovariate(1 / 2500), 100)
        if late and draw.random() < 0.09
        else 0,
        "bureau_overdue_months_24m": min(24, late),
        "bureau_worst_overdue_24m": min(7, _between(draw.expovariate(1 / 0.9), 1, 7)) if late else 0,
        "bureau_written_off": draw.random() < 0.006 * math.exp(-quality),
        "bureau_lenders_open": min(40, lenders),
        "bureau_balance": _fen(balance, 10_000),
        "bureau_monthly_repayment": _fen(balance * draw.uniform(0.02, 0.06), 100),
        "bureau_card_limit": card,
        "bureau_card_used": int(card * min(1.0, max(0.0, draw.gauss(0.38 + 0.13 * hunger, 0.2)))),
        "bureau_guarantee_balance": _fen(draw.expovariate(1 / 60_000), 100_000)
        if draw.random() < 0.05
        else 0,
        "bureau_internet_consumer_credit": internet,
    }


_BUREAU_FLAGS = ("bureau_found", "bureau_written_off")
_BUREAU_NAMES = (
    *_BUREAU_FLAGS,
    "bureau_history_months",
    "bureau_queries_1m",
    "bureau_queries_6m",
    "bureau_overdue_amount",
    "bureau_overdue_months_24m",
    "bureau_worst_overdue_24m",
    "bureau_lenders_open",
    "bureau_balance",
    "bureau_monthly_repayment",
    "bureau_card_limit",
    "bureau_card_used",
    "bureau_guarantee_balance",
    "bureau_internet_consumer_credit",
)


def _default_chance(record: Record, quality: float) -> float:
    """Chance of default from what is on record plus what is not (the hidden quality)."""
    income = max(1, int(record["declared_annual_income"]) // 12)
    burden = min(2.0, int(record["bureau_monthly_repayment"]) / income)
    limit = int(record["bureau_card_limit"])
    use = int(record["bureau_card_used"]) / limit if limit else 0.3
    strain = (
        -3.5
        - 0.75 * quality
        + 0.16 * min(12, int(record["bureau_queries_6m"]))
        + 0.28 * min(8, int(record["bureau_overdue_months_24m"]))
        + 0.15 * min(8, int(record["bureau_lenders_open"]))
        + 1.3 * burden
        + 0.9 * (use - 0.3)
        - 0.035 * min(24, int(record["core_payroll_months"]))
        - 0.02 * min(36, int(record["housing_fund_months"]))
        - 0.03 * int(record["social_security_months_24m"])
        - 0.05 * int(record["core_inflow_months_12m"])
        - 0.012 * min(40, int(record["household_years_resident"]))
        - 0.003 * min(120, int(record["bureau_history_months"]))
        - 0.16 * math.log1p(int(record["core_deposit_average_6m"]) / 100_000)
    )
    return _logistic(strain + 0.9)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _between(x: float, low: int, high: int) -> int:
    return max(low, min(high, round(x)))


def _fen(yuan: float, step: int) -> int:
    """Yuan to fen, rounded to `step` fen."""
    return round(yuan * 100 / step) * step


def _poisson(draw: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count


def main() -> None:
    """`python -m backend.sandbox.synthetic OUT.csv COUNT SEED`"""
    import sys

    path, count, seed = sys.argv[1:4]
    write_csv(Path(path), int(count), int(seed))


if __name__ == "__main__":
    main()
