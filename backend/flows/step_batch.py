"""One job of a batch of scores: some of its chunks, each kept with its figures in one transaction, and the next job."""

import asyncio
import time
from itertools import groupby

import polars as pl
import structlog

from backend.core import clock
from backend.core.actor import Actor, system
from backend.core.errors import Unavailable
from backend.domains.decision import scorecard
from backend.domains.models import service as register
from backend.domains.trials import batch_runs, models, stored_facts
from backend.domains.trials.batch_runs import Batch
from backend.domains.trials.stored_facts import Stored
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect
from backend.overview import batch_customers, decided

log = structlog.get_logger("batch")

KIND = "batch.step"
STEP_SECONDS = 35.0
"""A job's share: well below what a handler may take."""
CHUNK = 1_000


async def step_batch(context: Context, effect: Effect) -> None:
    """A job of a turn that is over does nothing. A job that died is delivered again and goes on behind the last
    chunk kept."""
    actor, turn = system(effect.institution_id, "batch"), effect.payload["turn"]
    assert isinstance(turn, int)
    async with context.db.begin(actor) as tx:
        run = await batch_runs.begin(tx, effect.case_id, turn)
    if run is None:
        return
    try:
        await _go_on(context, actor, run)
    except Unavailable:
        raise  # the job is delivered again
    except Exception as bug:
        log.error("batch failed", run=run.id, error=type(bug).__name__, exc_info=True)
        async with context.db.begin(actor) as tx:
            await batch_runs.end(tx, run, "failed", type(bug).__name__)


async def _go_on(context: Context, actor: Actor, run: Batch) -> None:
    began = time.monotonic()
    while time.monotonic() - began < STEP_SECONDS:
        async with context.db.read(decided.reader_of(actor)) as tx:
            rows = await batch_customers.page(tx, run.purpose, run.cursor, CHUNK)
        if not rows:
            async with context.db.begin(actor) as tx:
                await batch_runs.end(tx, run, "done")
            return
        frame = await _scored(context, run, rows)
        found, body = stored_facts.summed(frame), stored_facts.packed(frame)
        async with context.db.begin(actor) as tx:
            kept = await batch_runs.keep(tx, run, batch_customers.place_of(rows[-1]), found, body)
        if kept is None:
            return
        run = kept
    async with context.db.begin(actor) as tx:
        key = f"batch:{run.id}:{run.turn}:{run.cursor}"
        await effects.add(tx, kind=KIND, case_id=run.id, payload={"turn": run.turn}, key=key)


async def _scored(context: Context, run: Batch, rows: list[Stored]) -> pl.DataFrame:
    """Each county's by the model as it decides there."""
    now, frames = clock.now(), []
    for institution, own in groupby(rows, lambda row: row.institution_id):
        model = await _model(context, institution, run.artefact)
        frames.append(await asyncio.to_thread(stored_facts.score, list(own), model, now))
    return pl.concat(frames)


async def _model(context: Context, institution: str, artefact: str) -> models.Model:
    shipped = models.of_card(scorecard.seeded())
    if artefact == shipped.hash:
        return shipped
    async with context.db.read(system(institution, "batch")) as tx:
        return models.of_card(await register.card_of(tx, artefact))
