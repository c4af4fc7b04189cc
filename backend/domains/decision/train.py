"""Training a WOE scorecard from a table of people with a known end (A3-37).

Split by seed, monotone binning (optbinning), logistic regression on WOE, scaled to 600 at odds 50:1 with 20
points to double the odds, points rounded to whole numbers. The heavy libraries are imported inside: nothing
that serves people may load them.
"""

import csv
import hashlib
import math
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from backend.core.errors import Invalid
from backend.domains.decision import features, model, scorecard
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
TEST_SHARE = 0.3
MIN_IV = 0.02


class TableUnfit(Invalid):
    code = "training_table_unfit"
    message = "这份数据不能训练：{why}"


class Trained(msgspec.Struct, frozen=True):
    card: scorecard.Scorecard
    report: dict[str, Any]


def read_table(path: Path, target: str) -> tuple[dict[str, list[int]], list[int], str]:
    """Candidate features by name, the target, and the SHA-256 of the file. Raises `TableUnfit`."""
    try:
        raw = path.read_bytes()
        rows = list(csv.DictReader(raw.decode("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as cause:
        raise TableUnfit(why=f"读不到 {path}") from cause
    if not rows or target not in rows[0]:
        raise TableUnfit(why=f"没有 {target} 这一列，或没有数据行")
    outcomes = [row[target] for row in rows]
    if set(outcomes) != {"0", "1"}:
        raise TableUnfit(why=f"{target} 要同时有 0 和 1 两种值，且没有别的值")
    if min(outcomes.count("0"), outcomes.count("1")) < 100:
        raise TableUnfit(why="好样本和坏样本都要至少 100 个")
    columns = _columns(rows)
    return columns, [int(value) for value in outcomes], hashlib.sha256(raw).hexdigest()


def _columns(rows: list[dict[str, str]]) -> dict[str, list[int]]:
    plain, _ = features.closure(CANDIDATES)
    missing = sorted(plain - set(rows[0]))
    if missing:
        raise TableUnfit(why="缺少列 " + "、".join(missing))
    import polars

    numbers: dict[str, list[int]] = {name: [] for name in sorted(plain)}
    for number, row in enumerate(rows, 2):
        try:
            for name, column in numbers.items():
                column.append(int(row[name]))
        except (TypeError, ValueError) as cause:
            raise TableUnfit(why=f"第 {number} 行有不是整数的值") from cause
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
    columns: dict[str, list[int]], outcomes: list[int], *, seed: int, version: int, data: str
) -> Trained:
    """Fit on one part, measure on the other. Deterministic for equal input and seed."""
    import numpy
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    bad = numpy.array(outcomes)
    index = numpy.arange(len(bad))
    fit, held = train_test_split(index, test_size=TEST_SHARE, random_state=seed, stratify=bad)
    table = {name: numpy.array(values, dtype=float) for name, values in columns.items()}
    bins = {name: _bin(name, table[name][fit], bad[fit]) for name in CANDIDATES}
    ivs = {name: float(found.binning_table.iv) for name, found in bins.items()}
    names = [name for name in CANDIDATES if ivs[name] >= MIN_IV and len(bins[name].splits)]
    while True:
        woe = numpy.column_stack([bins[name].transform(table[name], metric="woe") for name in names])
        fitted = LogisticRegression(C=1e6, max_iter=1000, random_state=seed).fit(woe[fit], bad[fit])
        wrong = [name for name, weight in zip(names, fitted.coef_[0], strict=True) if weight >= 0]
        if not wrong:
            break
        names = [name for name in names if name not in wrong]  # its effect is carried by others
        if not names:
            raise TableUnfit(why="没有一项数据能区分好坏")
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
    served = scorecard.CompiledScorecard(card, catalogue())
    chances = fitted.predict_proba(woe)[:, 1]
    scores = numpy.array(
        [served.score({name: columns[name][i] for name in names}).score for i in range(len(bad))]
    )
    report = _report(scores, chances, bad, fit, held)
    report |= {"iv": {name: round(ivs[name], 4) for name in CANDIDATES}, "features": names}
    report |= {"scorecard_sha256": served.hash, "data_sha256": data, "seed": seed, "version": version}
    report["catalogue_sha256"] = catalogue().hash
    return Trained(card, report)


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


def _report(scores: Any, chances: Any, bad: Any, fit: Any, held: Any) -> dict[str, Any]:
    """KS and AUC of both parts, PSI between them, and what rounding to whole points cost."""
    import numpy
    from sklearn.metrics import roc_auc_score, roc_curve

    def measured(part: Any) -> dict[str, float | int]:
        false, true, _ = roc_curve(bad[part], -scores[part])
        return {
            "people": len(part),
            "bad": int(bad[part].sum()),
            "auc": round(float(roc_auc_score(bad[part], -scores[part])), 4),
            "auc_before_rounding": round(float(roc_auc_score(bad[part], chances[part])), 4),
            "ks": round(float(max(true - false)), 4),
        }

    edges = numpy.quantile(scores[fit], [i / 10 for i in range(1, 10)])
    shares = [
        numpy.bincount(numpy.digitize(scores[part], edges), minlength=10) / len(part) for part in (fit, held)
    ]
    safe = [numpy.maximum(share, 1e-6) for share in shares]
    psi = float(sum((safe[1] - safe[0]) * numpy.log(safe[1] / safe[0])))
    bands = []
    for low in range(480, 720, 20):
        inside = held[(scores[held] >= low) & (scores[held] < low + 20)]
        if len(inside):
            rate = round(float(bad[inside].mean()), 4)
            bands.append({"from": low, "people": len(inside), "bad_rate": rate})
    return {"train": measured(fit), "test": measured(held), "psi": round(psi, 5), "bands": bands}


def write(trained: Trained, out: Path) -> tuple[Path, Path]:
    """`scorecard.json` and `report.json` in `out`; the report carries the scorecard's hash."""
    out.mkdir(parents=True, exist_ok=True)
    card, report = out / "scorecard.json", out / "report.json"
    card.write_bytes(msgspec.json.format(model.canonical(trained.card), indent=1) + b"\n")
    report.write_bytes(msgspec.json.format(model.canonical(trained.report), indent=1) + b"\n")
    return card, report
