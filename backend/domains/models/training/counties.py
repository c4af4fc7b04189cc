"""Offsets per county around a trained model, and how they did on the cases held back (N14)."""

from typing import Any

import msgspec
import numpy
import polars as pl

from backend.domains.decision.model import canonical
from backend.domains.models import artefacts, offsets
from backend.domains.models.training.cards import scale
from backend.domains.models.training.options import Options, TableUnfit
from backend.domains.models.training.tables import Split, Table
from backend.domains.models.training.validation import chance


def add(
    table: Table, split: Split, model: artefacts.Model, options: Options, *, decides: bool
) -> tuple[artefacts.Model, bytes, list[dict[str, Any]]]:
    """The model with its offsets as one artefact, its JSON, and the rows of the report."""
    column = table.frame[options.county].cast(pl.String)
    if column.null_count():
        raise TableUnfit(why=f"县的列 {options.county} 有空值")
    names = column.to_numpy()
    if len(set(names)) < 2:
        raise TableUnfit(why=f"县的列 {options.county} 只有一个县，没有差别可言")
    plain = chance(model.score_frame(table.frame).to_numpy(), options)
    fit = {name: split.fit[names[split.fit] == name] for name in sorted(set(names))}
    spread, found = offsets.estimate(
        {name: plain[rows].tolist() for name, rows in fit.items()},
        {name: table.bad[rows].tolist() for name, rows in fit.items()},
        scale(options)[1],
    )
    made = offsets.CountyModel(
        kind="county_model",
        format=1,
        column=options.county,
        model=msgspec.to_builtins(model.card),
        spread=round(spread, 6),
        counties=found,
    )
    served = artefacts.CompiledCountyModel(made, decides=decides)
    moved = chance(served.score_frame(table.frame).to_numpy(), options)
    rows = [_row(each, names, split, table.bad, plain, moved) for each in found]
    return served, canonical(made), rows


def _row(
    county: offsets.County, names: Any, split: Split, bad: Any, plain: Any, moved: Any
) -> dict[str, Any]:
    held = split.held[names[split.held] == county.county]
    return {
        "county": county.county,
        "cases": county.cases,
        "bad": county.bad,
        "offset": county.offset,
        "error": county.error,
        "points": county.points,
        "told": county.told,
        "held": {
            "cases": len(held),
            "came": int(bad[held].sum()),
            "foreseen": round(float(numpy.sum(plain[held])), 1),
            "foreseen_with_offset": round(float(numpy.sum(moved[held])), 1),
        },
    }
