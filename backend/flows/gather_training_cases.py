"""Our own cases as a table to train on: facts as the gate let them through at the decision, and how the loan ended
(A3-37). What a model reads is computed from the facts by training itself, where decisions compute it, too."""

import asyncio
import io
from typing import Literal

import polars as pl

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.decision import train as training
from backend.domains.regulation import service as regulation
from backend.domains.trials import service as trials
from backend.flows.context import Context
from backend.overview import decided, ended_cases, model_monitors

TARGET, MONTH = "defaulted", "decided_month"
MOST_CASES = 100_000
PAGE = 500
BAD_AFTER = "loans.bad_after_days"


class NoEndedCases(Invalid):
    code = "training_without_cases"
    message = "自己的案例还不够训练：{why}"


async def gather_training_cases(
    context: Context, actor: Actor, source: Literal["practice", "own"], county: str
) -> bytes:
    """Parquet: the facts behind what may enter a model, `TARGET`, and of own cases `MONTH`. Raises `NoEndedCases`,
    `CountyNotLoaded`."""
    frame = await (_practice(context, actor, county) if source == "practice" else _own(context, actor))
    file = io.BytesIO()
    await asyncio.to_thread(frame.write_parquet, file)
    return file.getvalue()


async def _practice(context: Context, actor: Actor, county: str) -> pl.DataFrame:
    whole = await trials.whole_county(context.db, actor, county, [*sorted(training.needed()), TARGET])
    return whole.gather_every(max(1, -(-whole.height // MOST_CASES)))


async def _own(context: Context, actor: Actor) -> pl.DataFrame:
    """Every county's, since the models are the union's. A case that lacks a fact is left out."""
    plain, ended, after = sorted(training.needed()), 0, ""
    rows: list[dict[str, object]] = []
    today = clock.today()
    async with context.db.read(actor) as tx:
        days = (await regulation.in_force(tx, today)).count(BAD_AFTER)
    while len(rows) < MOST_CASES:
        async with context.db.read(decided.reader_of(actor)) as tx:
            page = await ended_cases.page(tx, after, PAGE)
            if not page:
                break
            after = ended_cases.place_of(page[-1])
            found = await _rows(tx, page, plain, days)
        ended += len(found)
        rows += [row for row in found if None not in row.values()]
    if not ended:
        raise NoEndedCases(why="还没有一笔借款到期见了好坏")
    if not rows:
        raise NoEndedCases(why=f"{ended} 个见了好坏的案例，当时的数据都不全")
    return pl.DataFrame(rows, infer_schema_length=None)


async def _rows(
    tx: Tx, page: list[ended_cases.Ended], plain: list[str], days: int
) -> list[dict[str, object]]:
    known = facts.catalogue()
    needed = known.parcels(plain)
    ends = await model_monitors.ends(
        tx, [(each.institution_id, each.application_id) for each in page], clock.today(), days
    )
    rows: list[dict[str, object]] = []
    for each in page:
        bad = ends.get((each.institution_id, each.application_id))
        if bad is None:
            continue
        values = facts.check(each.case, needed, known).values
        row: dict[str, object] = {name: values.get(name) for name in plain}
        month = f"{clock.local(each.case.as_of):%Y-%m}"
        rows.append({**row, MONTH: month, TARGET: int(bad)})
    return rows
