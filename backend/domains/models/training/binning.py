"""Bins of one column: optbinning finds the splits, we count and weigh them (A3-37: binning, WOE, IV).

WOE of a bin = ln(share of the good / share of the bad), with half a case added on each side so that a bin without
a bad case keeps a finite weight. Missing and every special value are bins of their own.
"""

import math
import warnings
from typing import Any

import msgspec
import numpy

from backend.domains.models.training.options import Options
from backend.domains.models.training.tables import NUMBER, Column

MOST_BINS, SMALLEST_BIN = 6, 0.04
FEW = 30
"""A missing or special bin with fewer cases in training has no weight of its own: it counts as the worst."""


class Bins(msgspec.Struct, frozen=True):
    """Bin of a case by code: 0… the ordinary bins, then one per special value, last missing.

    `good`/`bad` are counts of the training cases per code, `woe` their weights; `trend` '' when not asked.
    """

    name: str
    kind: str
    trend: str
    splits: list[float]
    groups: list[list[str]]
    special: list[float]
    good: list[int]
    bad: list[int]
    woe: list[float]
    iv: float

    @property
    def ordinary(self) -> int:
        return len(self.splits) + 1 if self.kind == NUMBER else len(self.groups)


def fit(column: Column, rows: Any, bad: Any, options: Options) -> Bins:
    """Bins from the training rows."""
    trend = options.monotone.get(column.name, "")
    values = column.values[rows]
    special = [each for each in options.special if column.kind == NUMBER and (values == each).any()]
    splits: list[float] = []
    groups: list[list[str]] = []
    if column.kind == NUMBER:
        ordinary = ~numpy.isnan(values) & ~numpy.isin(values, special)
        splits = _splits(column.name, values[ordinary], bad[rows][ordinary], trend)
    else:
        seen = numpy.array([word is not None for word in values])
        groups = _groups(column.name, values[seen], bad[rows][seen])
    while True:
        codes = encode(column, splits, groups, special)[rows]
        found = _weighed(column, trend, splits, groups, special, codes, bad[rows])
        wrong = _out_of_order(found)
        if wrong is None:
            return found
        del splits[wrong]


def encode(column: Column, splits: list[float], groups: list[list[str]], special: list[float]) -> Any:
    """The code of every row's bin; a category not in any group counts as missing."""
    if column.kind == NUMBER:
        missing = numpy.isnan(column.values)
        codes = numpy.searchsorted(numpy.array(splits), column.values, side="right")
        ordinary = len(splits) + 1
        for at, value in enumerate(special):
            codes[column.values == value] = ordinary + at
        codes[missing] = ordinary + len(special)
        return codes
    lookup = {word: at for at, words in enumerate(groups) for word in words}
    return numpy.array([lookup.get(word, len(groups)) for word in column.values])


def _optimal(name: str, dtype: str, trend: str) -> Any:
    from optbinning import OptimalBinning

    # optbinning's trend is of the event rate, which falls where points rise.
    asked = {"ascending": "descending", "descending": "ascending", "": "auto"}[trend]
    return OptimalBinning(
        name=name,
        dtype=dtype,
        monotonic_trend=asked,
        max_n_bins=MOST_BINS,
        min_bin_size=SMALLEST_BIN,
        solver="cp",
        time_limit=20,
    )


def _splits(name: str, values: Any, bad: Any, trend: str) -> list[float]:
    if len(numpy.unique(values)) < 2 or len(numpy.unique(bad)) < 2:
        return []
    found = _optimal(name, "numerical", trend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optbinning 1.0 writes to frames in a way pandas 4 will refuse
        found.fit(values, bad)
    if (values == numpy.floor(values)).all():
        return sorted({float(math.ceil(split)) for split in found.splits})
    return sorted({float(split) for split in found.splits})


def _groups(name: str, words: Any, bad: Any) -> list[list[str]]:
    """Categories put together by their bad rate, best group first."""
    if len(set(words)) < 2 or len(numpy.unique(bad)) < 2:
        return [sorted(set(words))]
    found = _optimal(name, "categorical", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.fit(words, bad)
    return [sorted(str(word) for word in group) for group in found.splits]


def _weighed(
    column: Column,
    trend: str,
    splits: list[float],
    groups: list[list[str]],
    special: list[float],
    codes: Any,
    bad: Any,
) -> Bins:
    ordinary = len(splits) + 1 if column.kind == NUMBER else len(groups)
    length = ordinary + len(special) + 1
    count = numpy.bincount(codes, minlength=length)
    bads = numpy.bincount(codes, weights=bad, minlength=length)
    good_share = (count - bads + 0.5) / (len(bad) - bad.sum() + 0.5)
    bad_share = (bads + 0.5) / (bad.sum() + 0.5)
    woe = numpy.log(good_share / bad_share)
    for code in range(ordinary, length):
        if count[code] < FEW:
            woe[code] = woe[:ordinary].min()
    iv = float(((good_share - bad_share) * woe)[count > 0].sum())
    return Bins(
        column.name, column.kind, trend, list(splits), groups, special,
        [int(each) for each in count - bads], [int(each) for each in bads], [float(each) for each in woe], iv,
    )  # fmt: skip


def _out_of_order(found: Bins) -> int | None:
    """The split at which weights run against the trend asked for; None when they do not."""
    sign = {"ascending": 1, "descending": -1}.get(found.trend, 0)
    for at in range(len(found.splits)):
        if sign * (found.woe[at + 1] - found.woe[at]) < 0:
            return at
    return None
