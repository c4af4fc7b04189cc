"""One function per query."""

from datetime import date
from decimal import Decimal
from typing import Any

from backend.db import queries
from backend.db.database import Tx
from backend.domains.regulation.model import Parameter

Q = queries.load(__package__)


async def in_force(tx: Tx, on: date) -> list[Parameter]:
    return [_parameter(row) for row in await Q.in_force(tx, on_day=on)]


async def find(tx: Tx, key: str, on: date) -> Parameter | None:
    row = await Q.find(tx, key=key, on_day=on)
    return _parameter(row) if row else None


def _parameter(row: Any) -> Parameter:
    key, effective_from, effective_to, unit, value, title, source, row_id = row
    if unit == "rate":
        value = Decimal(value)
    elif unit == "words":
        value = tuple(value)
    return Parameter(
        key=key,
        effective_from=effective_from,
        effective_to=effective_to,
        unit=unit,
        value=value,
        title=title,
        source=source,
        row_id=row_id,
    )
