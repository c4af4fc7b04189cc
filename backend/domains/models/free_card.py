"""A scorecard over any columns (numbers, categories, missing, special values): for batches, not for decisions.

Facts of the catalogue are served by `decision.scorecard`; this one may miss values, which a decision may not.
A missing value or category never seen in training gets the lowest points of its column: what is not known
never helps. Whole points, so a score is the same on every machine.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from backend.core.errors import Invalid
from backend.domains.decision.model import canonical
from backend.domains.decision.scorecard import WORTH_SAYING, Scored

if TYPE_CHECKING:
    import polars as pl

Given = float | int | str | bool | None


class CardUnfit(Invalid):
    code = "free_card_unfit"
    message = "这个评分卡不能使用：{why}"


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers: bin `bisect_right(splits, value)` of `points`; `special` are values with points of their own.
    Categories: `groups[i]` has `points[i]`. `missing` are the points of an empty cell, `mean` the average."""

    name: str
    kind: Literal["number", "category"]
    points: list[int]
    missing: int
    mean: int
    trend: str = ""
    splits: list[float] = []
    groups: list[list[str]] = []
    special: list[tuple[float, int]] = []


class FreeCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`kind` tells the artefact's format; `scale` and `trained` do not change a score."""

    kind: Literal["free_scorecard"]
    format: int
    name: str
    version: int
    base_points: int
    columns: list[Column]
    scale: dict[str, int]
    trained: dict[str, int | str]


class CompiledFreeCard:
    """Checked and ready; raises `CardUnfit`."""

    def __init__(self, card: FreeCard) -> None:
        _check(card)
        self.card = card
        self.hash = hashlib.sha256(canonical(card)).hexdigest()
        self.inputs = tuple(column.name for column in card.columns)
        self._best = [max(_all_points(column)) for column in card.columns]
        self._lookups = [
            {word: points for words, points in zip(c.groups, c.points, strict=False) for word in words}
            for c in card.columns
        ]

    def score(self, values: Mapping[str, Given]) -> Scored:
        """Points and reasons of one row; KeyError when a column is not there at all."""
        total = self.card.base_points
        minus, plus = [], []
        for column, best, lookup in zip(self.card.columns, self._best, self._lookups, strict=True):
            points = _points(column, lookup, values[column.name])
            total += points
            if best - points >= WORTH_SAYING:
                minus.append((best - points, column.name))
            if points - column.mean >= WORTH_SAYING:
                plus.append((points - column.mean, column.name))
        minus.sort(reverse=True)
        plus.sort(reverse=True)
        return Scored(total, tuple(minus[:4]), tuple(plus[:3]))

    def score_frame(self, frame: "pl.DataFrame") -> "pl.Series":
        """The same for a whole table, as Int64."""
        import polars as pl

        total = pl.Series("score", [self.card.base_points], dtype=pl.Int64).new_from_index(0, frame.height)
        for column, lookup in zip(self.card.columns, self._lookups, strict=True):
            total = total + _frame_points(column, lookup, frame[column.name])
        return total.alias("score")


def _all_points(column: Column) -> list[int]:
    return [*column.points, column.missing, *(points for _, points in column.special)]


def _points(column: Column, lookup: Mapping[str, int], value: Given) -> int:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return column.missing
    if column.kind == "category":
        return lookup.get(str(value).strip(), min(column.points))
    number = float(value)
    for special, points in column.special:
        if number == special:
            return points
    return column.points[bisect_right(column.splits, number)]


def _frame_points(column: Column, lookup: Mapping[str, int], given: "pl.Series") -> "pl.Series":
    import polars as pl

    if column.kind == "category":
        words = given.cast(pl.String).str.strip_chars()
        known = words.replace_strict(
            list(lookup), list(lookup.values()), default=min(column.points), return_dtype=pl.Int64
        )
        return known.set(words.is_null(), column.missing)
    numbers = given.cast(pl.Float64)
    missing = numbers.is_null() | ~numbers.is_finite().fill_null(False)
    numbers = numbers.set(missing, 0.0)
    at = pl.Series(column.splits, dtype=pl.Float64).search_sorted(numbers, side="right")
    points = pl.Series(column.points, dtype=pl.Int64).gather(at)
    for special, own in column.special:
        points = points.set(numbers == special, own)
    return points.set(missing, column.missing)


def _check(card: FreeCard) -> None:
    names = [column.name for column in card.columns]
    if not names or len(set(names)) != len(names):
        raise CardUnfit(why="没有特征，或有重复的特征")
    for column in card.columns:
        whole = column.kind == "number"
        if sorted(set(column.splits)) != column.splits or not all(map(math.isfinite, column.splits)):
            raise CardUnfit(why=f"{column.name} 的分箱没有按顺序")
        if len(column.points) != (len(column.splits) + 1 if whole else len(column.groups)):
            raise CardUnfit(why=f"{column.name} 的分数个数不对")
        ordered = sorted(column.points, reverse=column.trend == "descending")
        if column.trend and ordered != column.points:
            raise CardUnfit(why=f"{column.name} 的分数没有随数值单调变化")
