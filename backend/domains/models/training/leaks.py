"""Columns that give the answer away: known only after the outcome, or made from it (A3-37)."""

from typing import Any

import numpy

from backend.domains.models.training.options import TableUnfit
from backend.domains.models.training.tables import NUMBER, Column, Table

TOO_GOOD_AUC = 0.99
PURE, OF_ALL_BAD = 0.995, 0.2


def refuse(table: Table) -> None:
    """Raises `TableUnfit` naming every column that alone tells good from bad."""
    found = [name for name, column in table.columns.items() if _tells(column, table.bad)]
    if found:
        raise TableUnfit(
            why=f"{'、'.join(found[:5])} 几乎直接说出了结果，应是事后才知道的；用 --exclude 去掉再训练"
        )


def _tells(column: Column, bad: Any) -> bool:
    codes = _coarse(column)
    counts = numpy.bincount(codes)
    bads = numpy.bincount(codes, weights=bad)
    kept = counts >= 5
    counts, bads = counts[kept], bads[kept]
    rate = bads / counts
    base = bad.mean()
    if base < 0.5 and bool(((rate >= PURE) & (bads >= OF_ALL_BAD * bad.sum())).any()):
        return True
    return _auc(counts - bads, bads, rate) >= TOO_GOOD_AUC


def _coarse(column: Column) -> Any:
    """At most 51 groups: value bands of equal size, or the categories; missing is one of its own."""
    if column.kind == NUMBER:
        missing = numpy.isnan(column.values)
        seen = column.values[~missing]
        edges = numpy.unique(numpy.quantile(seen, numpy.linspace(0, 1, 51)[1:-1]))
        codes = numpy.searchsorted(edges, column.values, side="right") + 1
        if len(numpy.unique(seen)) <= 50:
            codes = numpy.searchsorted(numpy.unique(seen), column.values, side="left") + 1
        codes[missing] = 0
        return codes
    words = ["" if word is None else f"={word}" for word in column.values]
    return numpy.unique(words, return_inverse=True)[1]


def _auc(good: Any, bad: Any, rate: Any) -> float:
    """How well the groups' own bad rates order good and bad, ties counted half."""
    order = numpy.argsort(rate)
    good, bad = good[order], bad[order]
    before = numpy.cumsum(good) - good
    return float((bad * (before + good / 2)).sum() / max(1.0, good.sum() * bad.sum()))
