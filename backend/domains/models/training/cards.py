"""A points card over any columns: bins, selection, logistic regression, whole points (A3-37)."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy

from backend.domains.models import free_card
from backend.domains.models.training import binning, selection
from backend.domains.models.training.binning import Bins
from backend.domains.models.training.options import Options
from backend.domains.models.training.tables import Split, Table


class Carded(msgspec.Struct, frozen=True):
    card: free_card.FreeCard
    bins: dict[str, Bins]
    fitted: selection.Fitted


def scale(options: Options) -> tuple[float, float]:
    """(offset, factor): score = offset + factor · ln(odds of good)."""
    factor = options.points_to_double / math.log(2)
    return options.base_score - factor * math.log(options.base_odds), factor


def scale_of(options: Options) -> dict[str, int]:
    """The scale as a model keeps it."""
    return {
        "score": options.base_score,
        "odds": options.base_odds,
        "points_to_double": options.points_to_double,
    }


def trained_on(table: Table, options: Options) -> dict[str, int | str]:
    """What a model keeps of the table it was trained on."""
    return {
        "data_sha256": table.sha256,
        "seed": options.seed,
        "people": len(table.bad),
        "bad": int(table.bad.sum()),
    }


def train(table: Table, split: Split, options: Options, tell: Callable[[str], None]) -> Carded:
    """Deterministic for equal table, split and options. Raises `TableUnfit`."""
    bins: dict[str, Bins] = {}
    for name, column in table.columns.items():
        tell(f"分箱 {name}")
        bins[name] = binning.fit(column, split.fit, table.bad, options)
    woe = {name: _woe(table, each)[split.fit] for name, each in bins.items()}
    fitted = selection.select(bins, woe, table.bad[split.fit], tell)
    return Carded(_card(table, bins, fitted, options), bins, fitted)


def _woe(table: Table, bins: Bins) -> Any:
    codes = binning.encode(table.columns[bins.name], bins.splits, bins.groups, bins.special)
    return numpy.array(bins.woe)[codes]


def _card(
    table: Table, bins: dict[str, Bins], fitted: selection.Fitted, options: Options
) -> free_card.FreeCard:
    offset, factor = scale(options)
    columns = [
        _column(bins[name], -factor * weight)
        for name, weight in zip(fitted.names, fitted.weights, strict=True)
    ]
    return free_card.FreeCard(
        kind="free_scorecard",
        format=1,
        name=options.target,
        version=options.version,
        base_points=round(offset - factor * fitted.intercept),
        columns=columns,
        scale=scale_of(options),
        trained=trained_on(table, options),
    )


def _column(bins: Bins, per_woe: float) -> free_card.Column:
    points = [round(per_woe * woe) for woe in bins.woe]
    counts = [good + bad for good, bad in zip(bins.good, bins.bad, strict=True)]
    mean = sum(p * n for p, n in zip(points, counts, strict=True)) / sum(counts)
    ordinary = points[: bins.ordinary]
    return free_card.Column(
        name=bins.name,
        kind="number" if bins.kind == "number" else "category",
        points=ordinary,
        missing=points[-1],
        mean=round(mean),
        trend=bins.trend,
        splits=bins.splits,
        groups=bins.groups,
        special=[(value, points[bins.ordinary + at]) for at, value in enumerate(bins.special)],
    )
