"""What a chart of a page is made of: figures for the drawing script, and the same figures as a table.

The drawing (`static/js/charts.js`) is an extra; the table is there without a script. Values that are not known stay
None and are drawn as a gap, never as zero.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from backend.domains.models import drift

Series = Mapping[str, Sequence[Mapping[str, Any]]]
"""`watching.series`: subject → points of `day`, `value`, `level`, `cases`, oldest first."""
UNKNOWN = "还算不出"
WHOLE = "总体"


class Chart(msgspec.Struct, frozen=True):
    """`spec` is JSON for the script; `rows` begin with the row's name. `empty`: what is said when nothing is there."""

    title: str
    about: str
    spec: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "还没有算过，每小时算一次，有了会画在这里。"

    @property
    def bare(self) -> bool:
        """There are figures, and nothing can be drawn of them yet."""
        series = msgspec.json.decode(self.spec)["series"]
        return bool(self.rows) and all(each.get("values", ()) in ([], [None]) for each in series)


def chart(
    title: str,
    about: str,
    spec: Mapping[str, Any],
    heads: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    empty: str = "",
) -> Chart:
    return Chart(title, about, _json(spec), heads, tuple(rows), empty)


def by_day(
    title: str, about: str, found: Series, say: Callable[[float], str], limits: Sequence[float]
) -> Chart:
    """One line over the days, with the marks from which it counts as moved: those of the day where it has its own."""
    points = list(found.get("", ()))
    marks = [_marks(point, limits) for point in points]
    spec = {
        "kind": "line",
        "labels": [point["day"] for point in points],
        "series": [{"name": title, "values": [point["value"] for point in points]}],
        "limits": [list(each) for each in zip(*marks, strict=True)],
    }
    rows = tuple(
        (point["day"], *_told(point, say), _said(of_day, say))
        for point, of_day in zip(reversed(points), reversed(marks), strict=True)
    )
    return Chart(title, about, _json(spec), ("日期", "数值", "看法", "件数", "那天的界线"), rows)


def newest(
    title: str,
    about: str,
    found: Series,
    say: Callable[[float], str],
    name: Callable[[str], str],
    *,
    drifts: bool = False,
    limits: Sequence[float] = (),
) -> Chart:
    """A bar for each subject at its newest day; what is least steady stands first, of a drift what moved most.
    `limits`: the marks that all bars are held against."""
    lines = [(name(key), points[-1]) for key, points in found.items() if points]
    lines.sort(key=_farthest_first if drifts else _worst_first)
    spec = {
        "kind": "bar",
        "labels": [
            label if point["level"] == drift.STEADY else f"{drift.LEVELS[point['level']]} {label}"
            for label, point in lines
        ],
        "series": [{"name": title, "values": [point["value"] for _, point in lines]}],
        "limits": list(limits),
        "percent": say is share,
    }
    rows = tuple((label, *_told(point, say), point["day"]) for label, point in lines)
    return Chart(title, about, _json(spec), ("谁", "数值", "看法", "件数", "哪天算的"), rows)


def then_and_now(
    title: str,
    about: str,
    found: Mapping[str, Any] | None,
    edges: Sequence[float],
    sides: tuple[str, str] = ("训练时", "现在"),
) -> Chart:
    """Shares of each score band at training and now, or of two models."""
    heads = ("分数段", *sides)
    if found is None:
        return Chart(title, about, _json({"kind": "columns", "labels": [], "series": []}), heads, ())
    labels = _bands(edges, len(found["expected"]))
    before, now = (_shares(found[side]) for side in ("expected", "actual"))
    spec = {
        "kind": "columns",
        "labels": labels,
        "series": [{"name": sides[0], "values": before}, {"name": sides[1], "values": now}],
        "limits": [],
        "percent": True,
        "fit": True,
        "across": "分数",
        "up": "占多少",
    }
    rows = tuple((label, share(was), share(is_)) for label, was, is_ in zip(labels, before, now, strict=True))
    return Chart(title, about, _json(spec), heads, rows)


def share(value: float) -> str:
    return f"{value * 100:.1f}%"


def figure(value: float) -> str:
    return f"{value:.3f}"


def _marks(point: Mapping[str, Any], limits: Sequence[float]) -> tuple[float | None, ...]:
    """None for a day with too few cases to be judged."""
    if point["level"] == drift.TOO_FEW:
        return (None,) * len(limits)
    return tuple(point.get("cut_offs") or limits)


def _said(marks: Sequence[float | None], say: Callable[[float], str]) -> str:
    return " 和 ".join(say(mark) for mark in marks if mark is not None) or "件数太少，不判断"


def _told(point: Mapping[str, Any], say: Callable[[float], str]) -> tuple[str, str, str]:
    value = point["value"]
    return UNKNOWN if value is None else say(value), drift.LEVELS[point["level"]], f"{point['cases']:,}"


_ORDER = (drift.MOVED, drift.NOTICE, drift.STEADY, drift.TOO_FEW)


def _worst_first(line: tuple[str, Mapping[str, Any]]) -> tuple[int, str]:
    return _ORDER.index(line[1]["level"]), line[0]


def _farthest_first(line: tuple[str, Mapping[str, Any]]) -> tuple[int, float]:
    """Of a figure that is 0 where nothing moved."""
    return _ORDER.index(line[1]["level"]), -(line[1]["value"] or 0.0)


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) or 1
    return [round(count / whole, 4) for count in counts]


def _bands(edges: Sequence[float], count: int) -> list[str]:
    """Names of `count` bands between `edges`; plain numbers when the two do not fit together."""
    if len(edges) != count - 1 or not edges:
        return [f"第 {at + 1} 段" for at in range(count)]
    middle = [f"{low:g}–{high:g}" for low, high in pairwise(edges)]
    return [f"{edges[0]:g} 以下", *middle, f"{edges[-1]:g} 及以上"]


def _json(spec: Mapping[str, Any]) -> str:
    return json.dumps(spec, ensure_ascii=False)
