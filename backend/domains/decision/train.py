"""Training a WOE scorecard from a table of people with a known end (A3-37).

Monotone binning (optbinning), logistic regression on WOE, scaled to 600 at odds 50:1 with 20 points to double the
odds, points rounded to whole numbers: a scorecard that may decide. Tables, splits, reports and everything free of
the catalogue are in `domains/models/training`. The heavy libraries are imported inside: nothing that serves
people may load them.
"""

import math
import warnings
from datetime import date
from typing import Any

from backend.core.errors import Invalid
from backend.domains.decision import features, scorecard
from backend.domains.decision.facts import catalogue

CANDIDATES: dict[str, str] = {
    "bureau_history_months": scorecard.ASCENDING,
    "bureau_queries_6m": scorecard.DESCENDING,
    "bureau_overdue_months_24m": scorecard.DESCENDING,
    "bureau_lenders_open": scorecard.DESCENDING,
    "core_relationship_months": scorecard.ASCENDING,
    "core_deposit_average_6m": scorecard.ASCENDING,
    "core_inflow_months_12m": scorecard.ASCENDING,
    "core_payroll_months": scorecard.ASCENDING,
    "household_years_resident": scorecard.ASCENDING,
    "social_security_months_24m": scorecard.ASCENDING,
    "housing_fund_months": scorecard.ASCENDING,
    "debt_to_income_bp": scorecard.DESCENDING,
    "card_use_bp": scorecard.DESCENDING,
}
"""Features that may enter, and the direction in which more points must go. Age and family are not among them:
they may exclude by law but must not price (D3-03)."""

BASE_SCORE, BASE_ODDS, POINTS_TO_DOUBLE = 600, 50, 20
MIN_IV = 0.02


class TableUnfit(Invalid):
    code = "training_table_unfit"
    message = "这份数据不能训练：{why}"


def needed() -> set[str]:
    """The facts a table must have as columns before a model that decides can be trained on it."""
    return features.closure(set(CANDIDATES))[0]


def columns_of(rows: list[dict[str, str]]) -> dict[str, list[int]]:
    """Candidate features by name from rows of facts, numbered from 2 as in a file. Raises `TableUnfit`."""
    import polars

    numbers: dict[str, list[int]] = {name: [] for name in sorted(needed())}
    for number, row in enumerate(rows, 2):
        try:
            for name, column in numbers.items():
                column.append(int(row[name]))
        except (TypeError, ValueError) as cause:
            raise TableUnfit(why=f"第 {number} 行有空的或不是整数的值，审批用的数据项不能缺") from cause
    if any(abs(value) >= 2**63 for column in numbers.values() for value in column):
        raise TableUnfit(why="有的数太大，不可能是真的")
    day = date(2000, 1, 1)  # no candidate depends on the day
    made = features.frame(polars.DataFrame(numbers), list(CANDIDATES), day)
    unusable = [name for name in CANDIDATES if made[name].null_count()]
    if unusable:
        number = int(made[unusable[0]].is_null().arg_true()[0]) + 2
        raise TableUnfit(why=f"第 {number} 行的 {unusable[0]} 不在可能的范围内")
    return {name: made[name].to_list() for name in CANDIDATES}


def train(
    columns: dict[str, list[int]], outcomes: list[int], fit: Any, *, seed: int, version: int, data: str
) -> scorecard.Scorecard:
    """Fit on the rows named by `fit`. Deterministic for equal input and seed. Raises `TableUnfit`."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    bad = numpy.array(outcomes)
    table = {name: numpy.array(values, dtype=float) for name, values in columns.items()}
    bins = {name: _bin(name, table[name][fit], bad[fit]) for name in columns}
    ivs = {name: float(found.binning_table.iv) for name, found in bins.items()}
    names = [name for name in columns if ivs[name] >= MIN_IV and len(bins[name].splits)]
    while True:
        if not names:
            raise TableUnfit(why="没有一项数据能区分好坏")
        woe = numpy.column_stack([bins[name].transform(table[name], metric="woe") for name in names])
        fitted = LogisticRegression(C=1e6, max_iter=1000, random_state=seed).fit(woe[fit], bad[fit])
        wrong = [name for name, weight in zip(names, fitted.coef_[0], strict=True) if weight >= 0]
        if not wrong:
            break
        names = [name for name in names if name not in wrong]  # its effect is carried by others
    base, parts = _scaled(names, bins, fitted, {name: table[name][fit] for name in names})
    card = scorecard.Scorecard(
        format=1,
        name="personal_credit",
        version=version,
        base_points=base,
        characteristics=parts,
        scale={"score": BASE_SCORE, "odds": BASE_ODDS, "points_to_double": POINTS_TO_DOUBLE},
        trained={"data_sha256": data, "seed": seed, "people": len(bad), "bad": int(bad.sum())},
    )
    scorecard.CompiledScorecard(card, catalogue())  # whatever training made, the check is the same
    return card


def _bin(name: str, values: Any, bad: Any) -> Any:
    from optbinning import OptimalBinning

    # optbinning's trend is of the event rate, which falls where points rise.
    trend = "descending" if CANDIDATES[name] == scorecard.ASCENDING else "ascending"
    found = OptimalBinning(
        name=name, dtype="numerical", monotonic_trend=trend, max_n_bins=6, min_bin_size=0.04, solver="cp"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optbinning 1.0 writes to frames in a way pandas 4 will refuse
        found.fit(values, bad)
        found.binning_table.build()
    return found


def _scaled(
    names: list[str], bins: dict[str, Any], fitted: Any, values: dict[str, Any]
) -> tuple[int, list[scorecard.Characteristic]]:
    """Log odds of being good to points: `factor * ln(odds) + offset`."""
    factor = POINTS_TO_DOUBLE / math.log(2)
    offset = BASE_SCORE - factor * math.log(BASE_ODDS)
    parts = []
    for name, weight in zip(names, fitted.coef_[0], strict=True):
        splits = [math.ceil(split) for split in bins[name].splits]
        middles = [splits[0] - 1, *splits]  # a value in each bin: values are whole numbers
        woe = bins[name].transform([float(value) for value in middles], metric="woe")
        points = [round(-factor * float(weight) * float(each)) for each in woe]
        mean = sum(points[sum(value >= split for split in splits)] for value in values[name])
        parts.append(
            scorecard.Characteristic(
                name=name,
                trend=CANDIDATES[name],
                splits=splits,
                points=points,
                mean=round(mean / len(values[name])),
            )
        )
    return round(offset - factor * float(fitted.intercept_[0])), parts
