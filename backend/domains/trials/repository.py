"""One function per query."""

import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from backend.db import queries
from backend.db.database import Tx
from backend.domains.trials.model import Measured, Plan, Run
from backend.domains.trials.tallying import SUMS

Q = queries.load(__package__)


async def add_run(
    tx: Tx,
    run_id: str,
    *,
    kind: str,
    stage: str,
    strategy: str,
    against: str,
    county: str,
    county_name: str,
    institutions: list[str],
    plan: Plan,
    cases_total: int,
    strategy_id: str | None,
    model_id: str | None,
) -> None:
    await Q.add_run(
        tx,
        institution_id=tx.institution_id,
        id=run_id,
        kind=kind,
        stage=stage,
        strategy=strategy,
        against=against,
        county=county,
        county_name=county_name,
        institutions=institutions,
        strategy_id=strategy_id,
        model_id=model_id,
        plan=msgspec.json.encode(plan).decode(),
        cases_total=cases_total,
        asked_by=str(tx.actor),
        now=tx.now,
    )


async def run(tx: Tx, run_id: str) -> Run | None:
    row = await Q.run(tx, institution_id=tx.institution_id, id=run_id)
    return None if row is None else Run(**dict(row))


async def runs(tx: Tx, most: int, strategy_id: str | None, model_id: str | None) -> list[Run]:
    rows = await Q.runs(
        tx, institution_id=tx.institution_id, strategy_id=strategy_id, model_id=model_id, most=most
    )
    return [Run(**dict(row)) for row in rows]


async def lock_room(tx: Tx) -> None:
    await Q.lock_room(tx, institution_id=tx.institution_id)


async def open_runs(tx: Tx) -> int:
    return int(await Q.open_runs(tx, institution_id=tx.institution_id))


async def on_customers_since(tx: Tx, since: datetime) -> int:
    return int(await Q.on_customers_since(tx, institution_id=tx.institution_id, since=since))


async def plan(tx: Tx, run_id: str) -> Plan | None:
    found = await Q.plan(tx, institution_id=tx.institution_id, id=run_id)
    return None if found is None else msgspec.convert(found, Plan, str_keys=True)


async def move(
    tx: Tx, run_id: str, old: str, new: str, *, error: str = "", ended_at: datetime | None = None
) -> bool:
    return bool(
        await Q.move(
            tx, institution_id=tx.institution_id, id=run_id, from_status=old, to_status=new, error=error,
            ended_at=ended_at,
        )
    )  # fmt: skip


async def advance(
    tx: Tx, run_id: str, cursor: tuple[str, str], cases: int, fairness: tuple[int, int, int]
) -> bool | None:
    """Whether somebody asked to stop; None when the run is elsewhere by now."""
    found = await Q.advance(
        tx, institution_id=tx.institution_id, id=run_id, cursor_from=cursor[0], cursor_to=cursor[1], cases=cases,
        pairs=fairness[0], differing=fairness[1], gap=fairness[2],
    )  # fmt: skip
    return None if found is None else bool(found)


async def ask_to_stop(tx: Tx, run_id: str) -> bool:
    return bool(await Q.ask_to_stop(tx, institution_id=tx.institution_id, id=run_id))


async def add_results(tx: Tx, run_id: str, measured: list[Measured]) -> None:
    sums: dict[str, Any] = {name: [getattr(each, name) for each in measured] for name in SUMS}
    sums["rate_amount"] = [Decimal(value) for value in sums["rate_amount"]]
    await Q.add_results(
        tx,
        institution_id=tx.institution_id,
        run_id=run_id,
        groupings=[each.grouping for each in measured],
        members=[each.member for each in measured],
        sides=[each.side for each in measured],
        **sums,
    )


async def results(tx: Tx, run_id: str, grouping: str | None) -> list[Measured]:
    rows = await Q.results(tx, institution_id=tx.institution_id, run_id=run_id, grouping=grouping)
    return [_measured(row) for row in rows]


def _measured(row: Any) -> Measured:
    values = dict(row)
    sums = {name: int(values[name]) for name in SUMS}
    return Measured(grouping=values["grouping_name"], member=values["member"], side=values["side"], **sums)


async def counties(tx: Tx) -> list[tuple[str, int]]:
    """(name, households)."""
    return [(row["name"], row["households"]) for row in await Q.counties(tx)]


async def county(tx: Tx, name: str) -> tuple[str, int] | None:
    """(digits, households)."""
    row = await Q.county(tx, name=name)
    return None if row is None else (row["county"], row["households"])


async def households(tx: Tx, county: str, numbers: list[int]) -> pl.DataFrame:
    return _frame(await Q.households(tx, county=county, numbers=numbers))


async def signals(tx: Tx, county: str, numbers: list[int]) -> pl.DataFrame:
    return _frame(await Q.signals(tx, county=county, numbers=numbers))


async def facts_between(tx: Tx, county: str, first: int, last: int, wanted: list[str]) -> pl.DataFrame:
    """By COPY: a hundred thousand rows of sixty columns would be six million objects otherwise."""
    text = io.BytesIO()
    await tx.connection.copy_from_query(
        Q.facts_between.sql, county, first, last, output=text, format="csv", header=True, timeout=60
    )
    text.seek(0)
    return pl.read_csv(text, columns=wanted)


def _frame(rows: list[Any]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame()
    return pl.DataFrame(
        {name: [row[at] for row in rows] for at, name in enumerate(rows[0].keys())}, infer_schema_length=None
    )
