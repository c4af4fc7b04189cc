"""One definition, two forms: a case and a table give the same features (A3-36, A6-08)."""

import random
import subprocess
import sys
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from backend.domains.decision import facts, features, formula, model, scorecard
from backend.domains.decision.formula import fact, greatest, least, per, when

ROWS = 10_000
KNOWN = facts.catalogue()
PLAIN, COMPUTED = features.closure(features.FEATURES)
ON = date(2026, 2, 28)


def _value(draw: random.Random, known: facts.Fact) -> facts.Value:
    """Often an edge of what the catalogue allows, often small, sometimes anything between."""
    if known.kind == "date":
        days = [1, date.max.toordinal(), date(2000, 2, 29).toordinal(), draw.randint(1, date.max.toordinal())]
        return date.fromordinal(draw.choice(days)).isoformat()
    if known.kind == "bool":
        return draw.random() < 0.5
    if known.kind == "enum":
        return draw.choice(known.members)
    small = min(known.high, max(known.low, draw.randint(-3, 30)))
    return draw.choice([known.low, known.high, small, draw.randint(known.low, known.high)])


def _rows(seed: int, missing: float, count: int) -> list[dict[str, facts.Value]]:
    draw = random.Random(seed)
    names = sorted(PLAIN)
    return [
        {name: _value(draw, KNOWN[name]) for name in names if draw.random() >= missing} for _ in range(count)
    ]


def _table(rows: list[dict[str, facts.Value]]) -> pl.DataFrame:
    kinds = {"bool": pl.Boolean, "enum": pl.String, "date": pl.String}
    return pl.DataFrame(
        {
            name: pl.Series(
                name, [row.get(name) for row in rows], dtype=kinds.get(KNOWN[name].kind, pl.Int64)
            )
            for name in sorted(PLAIN)
        }
    )


@pytest.mark.parametrize(
    "count, missing, on",
    [(ROWS, 0.01, ON), (2000, 0.0, date(2028, 2, 29)), (2000, 0.0, date(2026, 12, 31))],
    ids=str,
)
def test_a_table_gives_what_ten_thousand_cases_give(count, missing, on):
    """Whole numbers and yes or no, equal in value and type; a gap in a need is a gap in the feature."""
    rows = _rows(5, missing, count)
    wanted = [*sorted(PLAIN), *COMPUTED]
    dates = [name for name in PLAIN if KNOWN[name].kind == "date"]
    found = features.frame(_table(rows), wanted, on).rows(named=True)
    told = 0
    for row, line in zip(rows, found, strict=True):
        features.extend(row, on, COMPUTED)
        for name in dates:
            row[name] = date.fromisoformat(str(row[name])) if name in row else None  # type: ignore[assignment]
        assert repr(line) == repr({name: row.get(name) for name in wanted})
        told += sum(name in row for name in COMPUTED)
    assert told > count * len(COMPUTED) * 0.9


def test_what_stayed_the_same_is_not_computed_again_and_all_else_is(monkeypatch):
    """After what was computed of values most of which are the same, all comes out as if there had been nothing."""
    draw, known, spared, moved = random.Random(7), _rows(6, 0.02, 400), 0, 0
    ways = {name: features.FEATURES[name].scalar for name in COMPUTED}
    ran: list[str] = []
    for name, way in ways.items():
        monkeypatch.setattr(
            features.FEATURES[name],
            "scalar",
            lambda values, on, name=name, way=way: ran.append(name) or way(values, on),
        )
    for one, other in pairwise(known):
        before = dict(one)
        features.extend(before, ON, COMPUTED)
        for count in (0, 1, 3, len(PLAIN)):
            changed = set(draw.sample(sorted(PLAIN), count))
            values = {n: v for n, v in one.items() if n not in changed}
            values |= {n: v for n, v in other.items() if n in changed}
            fresh = dict(values)
            features.extend(fresh, ON, COMPUTED)
            ran.clear()
            features.extend(values, ON, COMPUTED, before)
            assert list(values.items()) == list(fresh.items())
            spared += len(COMPUTED) - len(ran)
            moved += len(ran)
            assert count or not ran
    assert spared > moved > 1000


def test_the_day_may_stand_in_a_column():
    rows = _rows(6, 0.0, 200)
    days = [date(2020, 1, 1 + number % 28) for number in range(200)]
    table = _table(rows).with_columns(pl.Series("applied_on", days))
    found = features.frame(table, ["age_years"], "applied_on", keep=["applied_on"])
    for row, on, line in zip(rows, days, found.rows(named=True), strict=True):
        features.extend(row, on, ("age_years",))
        assert line == {"applied_on": on, "age_years": row["age_years"]}


def test_what_the_gate_would_refuse_is_missing_in_a_table_too():
    """Out of range, not whole, not an option, no date: null, and null in every feature that needs it."""
    bad: dict[str, list[Any]] = {
        "core_payroll_months": [241, -1, 3],
        "core_payroll_average": [100.5, float("nan"), 500_000.0],
        "product_kind": ["loan", None, "consumer"],
        "birth_on": ["1980-02-30", "0000-01-01", "1980-02-29"],
        "bureau_found": [2, -1, 1],
    }
    found = features.frame(pl.DataFrame(bad), [*bad, "age_years"], ON)
    assert found.rows() == [
        (None, None, None, None, None, None),
        (None, None, None, None, None, None),
        (3, 500_000, "consumer", date(1980, 2, 29), True, 45),
    ]


def test_a_column_that_is_not_there_leaves_its_features_out():
    found = features.frame(
        pl.DataFrame({"core_wealth_balance": [100]}), ["counted_assets", "core_wealth_balance"], ON
    )
    assert found.rows() == [(None, 100)]


def test_no_feature_can_leave_64_bits():
    """For any value the catalogue allows, every step of every feature fits (A3-36)."""
    spans = {name: (known.low, known.high) for name, known in KNOWN.facts.items() if name in PLAIN}
    for name in COMPUTED:
        feature = features.FEATURES[name]
        if isinstance(feature, formula.Number):
            spans[name] = feature.span(spans)
        else:
            assert isinstance(feature, formula.Truth)
            feature.check(spans)
    with pytest.raises(formula.Overflow):
        (fact("core_inflow_12m") * 10_000_000).span(spans)
    with pytest.raises(formula.Overflow):
        when(fact("core_inflow_12m") * 10_000_000 > 3, 1, 0).span(spans)


def test_every_feature_is_in_the_catalogue_and_comes_after_what_it_needs():
    derived = {name for name, known in KNOWN.facts.items() if known.source == "derived"}
    assert derived == set(features.FEATURES)
    seen: set[str] = set()
    for name, feature in features.FEATURES.items():
        assert all(need in seen or need not in features.FEATURES for need in feature.needs), name
        seen.add(name)


@pytest.mark.parametrize("seed", range(20))
def test_any_formula_is_the_same_in_both_forms(seed):
    """Formulas thrown together from all primitives, over negative numbers and zeros too."""
    draw = random.Random(seed)
    names = ["a", "b", "c"]

    def make(depth: int) -> formula.Number:
        if depth == 0:
            return fact(draw.choice(names)) if draw.random() < 0.7 else formula.number(draw.randint(-9, 9))
        x, y = make(depth - 1), make(depth - 1)
        return draw.choice(
            [
                lambda: x + y,
                lambda: x - y,
                lambda: x * draw.randint(-3, 3),
                lambda: x // draw.randint(1, 7),
                lambda: least(x, y, 5),
                lambda: greatest(x, y, -5),
                lambda: when(x < y, x, y - 1),
                lambda: when((x >= y) & ~x.equals(0) | (y > 2), x, 7),
                lambda: per(x, y, nothing=-1),
            ]
        )()

    made = make(4) + fact("a") * 0
    rows = [{name: draw.choice([0, 1, -1, draw.randint(-50, 50)]) for name in names} for _ in range(500)]
    column = made.column(pl.lit(ON))
    found = pl.DataFrame(rows).select(column.alias("it"))["it"].to_list()
    assert found == [made.scalar(row, ON) for row in rows]
    low, high = made.span(dict.fromkeys(names, (-50, 50)))
    assert all(low <= value <= high for value in found)


def test_the_scorecard_reads_the_same_from_a_table(good: model.Case):
    """Every input of the shipped scorecard can be had from a table (A3-36)."""
    values = {name: value for held in good.sources.values() for name, value in held.facts.items()}
    inputs = [part.name for part in scorecard.seeded().characteristics]
    table = pl.DataFrame([{name: value for name, value in values.items() if name in PLAIN or name in inputs}])
    live = dict(values)
    features.extend(live, ON, COMPUTED)
    assert features.frame(table, inputs, ON).rows(named=True) == [{name: live[name] for name in inputs}]


def test_what_serves_people_never_loads_polars():
    """The web process. The worker does load it: a step of a trial is one of its jobs."""
    code = "import backend.app, sys; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
