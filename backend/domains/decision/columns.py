"""Facts in a table: each column typed as the catalogue says, what the gate would refuse is null.

Loads polars; only what works on whole tables (training, batches, back-tests) may import it.
"""

from datetime import date
from typing import Any

import polars as pl

from backend.domains.decision.facts import Fact

_ISO = r"^\d{4}-\d{2}-\d{2}$"
_FIRST = date(1, 1, 1)


def usable(fact: Fact, given: pl.DataType | None) -> pl.Expr:
    """The column of one fact under its own name; `given` is its type in the table, None when it is not there."""
    if given is None:
        return pl.lit(None, dtype=_TYPES[fact.kind]).alias(fact.name)
    column = pl.col(fact.name)
    if fact.kind == "bool":
        return _truth(given, column)
    if fact.kind == "date":
        return as_date(given, column)
    if fact.kind == "enum":
        text = (
            column.cast(pl.String) if given in (pl.String, pl.Categorical, pl.Enum) else _nothing(pl.String)
        )
        return pl.when(text.is_in(list(fact.members))).then(text).alias(fact.name)
    whole = _whole(given, column)
    return pl.when(whole.is_between(fact.low, fact.high)).then(whole).alias(fact.name)


def _nothing(kind: Any) -> pl.Expr:
    return pl.lit(None, dtype=kind)


def _whole(given: pl.DataType, column: pl.Expr) -> pl.Expr:
    if given.is_integer():
        return column.cast(pl.Int64, strict=False)
    if given.is_float():
        # Above 2^53 a float no longer holds every whole number: no fact.
        exact = (column == column.round(0)) & (column.abs() <= 2**53)
        return pl.when(exact).then(column.cast(pl.Int64, strict=False))
    return _nothing(pl.Int64)


def _truth(given: pl.DataType, column: pl.Expr) -> pl.Expr:
    if given == pl.Boolean:
        return column
    name = column.meta.output_name()
    if not given.is_numeric():
        return _nothing(pl.Boolean).alias(name)
    return pl.when(column.is_in([0, 1])).then(column == 1).alias(name)


def as_date(given: pl.DataType, column: pl.Expr) -> pl.Expr:
    """ISO text or a date; years before 1 and anything else are null."""
    name = column.meta.output_name()
    if given == pl.Date:
        found = column
    elif given == pl.String:
        found = pl.when(column.str.contains(_ISO)).then(column).str.to_date("%Y-%m-%d", strict=False)
    else:
        found = _nothing(pl.Date)
    return pl.when(found.is_between(_FIRST, date.max)).then(found).alias(name)


_TYPES: dict[str, Any] = {
    "int": pl.Int64,
    "fen": pl.Int64,
    "bp": pl.Int64,
    "bool": pl.Boolean,
    "enum": pl.String,
    "date": pl.Date,
}
