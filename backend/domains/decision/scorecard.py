"""Serving a WOE scorecard from JSON: points by bisection, reasons by shortfall from the best points (A3-37).

All points are whole numbers, so a score is the same on every machine. Training is in `train.py` and needs
heavy libraries; serving needs none.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from backend.domains.decision import features
from backend.domains.decision.facts import Catalogue, Value
from backend.domains.decision.model import StrategyRefused, canonical

ASCENDING, DESCENDING = "ascending", "descending"
WORTH_SAYING = 4
"""A shortfall or surplus below this many points is no reason worth telling."""


class Characteristic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feature. A value falls in bin `bisect_right(splits, value)`; `trend` is how points follow the
    value; `mean` the average points of the people it was trained on."""

    name: str
    trend: str
    splits: list[int]
    points: list[int]
    mean: int


class Scorecard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scale` and `trained` say how it came about; they do not change a score."""

    format: int
    name: str
    version: int
    base_points: int
    characteristics: list[Characteristic]
    scale: dict[str, int]
    trained: dict[str, int | str]


class Scored(msgspec.Struct, frozen=True):
    """`minus`: (points lost against the best, feature), `plus`: (points above average, feature); largest
    first."""

    score: int
    minus: tuple[tuple[int, str], ...]
    plus: tuple[tuple[int, str], ...]


class CompiledScorecard:
    """A checked scorecard ready to run. `hash` is over its canonical JSON."""

    def __init__(self, card: Scorecard, catalogue: Catalogue) -> None:
        findings = check(card, catalogue)
        if findings:
            raise StrategyRefused(findings)
        self.card = card
        self.hash = hashlib.sha256(canonical(card)).hexdigest()
        self.inputs = tuple(part.name for part in card.characteristics)
        self._rows = [
            (
                part.name,
                part.splits,
                part.points,
                [max(part.points) - points for points in part.points],
                [points - part.mean for points in part.points],
            )
            for part in card.characteristics
        ]

    def extremes(self) -> tuple[int, int]:
        """The lowest and the highest score it can give."""
        parts = self.card.characteristics
        lowest = self.card.base_points + sum(min(part.points) for part in parts)
        return lowest, self.card.base_points + sum(max(part.points) for part in parts)

    def score(self, values: Mapping[str, Value]) -> Scored:
        """Points and reasons. KeyError when a feature is missing: the caller has checked that none is."""
        total = self.card.base_points
        minus, plus = [], []
        for name, splits, points, lost, gained in self._rows:
            number = bisect_right(splits, values[name])
            total += points[number]
            if lost[number] >= WORTH_SAYING:
                minus.append((lost[number], name))
            if gained[number] >= WORTH_SAYING:
                plus.append((gained[number], name))
        minus.sort(reverse=True)
        plus.sort(reverse=True)
        return Scored(total, tuple(minus[:4]), tuple(plus[:3]))

    def score_frame(self, frame: Any) -> Any:
        """Scores of a polars table, one column per feature, as Int64; null where a feature is missing."""
        import polars as pl

        total = pl.Series("score", [self.card.base_points], dtype=pl.Int64).new_from_index(0, frame.height)
        for part in self.card.characteristics:
            values = frame[part.name].cast(pl.Int64)
            at = pl.Series(part.splits, dtype=pl.Int64).search_sorted(values.fill_null(0), side="right")
            points = pl.Series(part.points, dtype=pl.Int64).gather(at)
            total = total + points.set(values.is_null(), None)
        return total.alias("score")


def check(card: Scorecard, catalogue: Catalogue) -> list[str]:
    """Findings in Chinese; an empty list means it may serve."""
    found = []
    names = [part.name for part in card.characteristics]
    if not names or len(set(names)) != len(names):
        found.append("评分卡没有特征，或有重复的特征")
    for part in card.characteristics:
        fact = catalogue.facts.get(part.name)
        if fact is None or fact.kind not in ("int", "fen", "bp") or fact.source == "stage":
            found.append(f"{part.name}：不是可以评分的数据项")
            continue
        if not fact.price:
            found.append(f"{fact.label}：不能影响评级、额度或利率")
        plain, _ = features.closure([part.name])
        if not all(catalogue.may_score(name) for name in plain if name in catalogue):
            found.append(f"{fact.label}：来源没有征信许可，不能用来评分")
        if fact.withheld is not None and part.trend != ASCENDING:
            found.append(f"{fact.label}：客户可以不授权的数据，越多分数才能越高")
        if not (fact.minus and fact.plus):
            found.append(f"{fact.label}：没有给客户看的理由")
        found.extend(_shape(fact.label, part))
    return found


def _shape(label: str, part: Characteristic) -> list[str]:
    found = []
    if sorted(set(part.splits)) != part.splits or len(part.points) != len(part.splits) + 1:
        found.append(f"{label}：分箱没有按顺序，或分数个数不对")
    ordered = sorted(part.points, reverse=part.trend == DESCENDING)
    if part.trend not in (ASCENDING, DESCENDING) or ordered != part.points:
        found.append(f"{label}：分数没有随数值单调变化")
    return found


def read(text: bytes) -> Scorecard:
    return msgspec.json.decode(text, type=Scorecard)


@cache
def seeded() -> Scorecard:
    """Version 1, trained on the synthetic county and shipped with the code."""
    return read(resources.files(__package__).joinpath("scorecards/personal_credit.json").read_bytes())
