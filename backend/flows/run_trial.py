"""Run a trial chunk by chunk in processes of its own; what is done is kept chunk by chunk, so that it can be watched,
stopped, and goes on after a crash where it was."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor

import structlog

from backend.core.actor import Actor
from backend.domains.trials import pool
from backend.domains.trials import service as trials
from backend.domains.trials.model import Run
from backend.flows.context import Context
from backend.overview import decided

log = structlog.get_logger("trial")

CHUNK = 1_000
Watch = Callable[[int, int], None]
"""Told after every chunk: cases done, cases in all."""


async def run_trial(
    context: Context,
    actor: Actor,
    run_id: str,
    *,
    workers: int,
    seconds: float | None = None,
    watch: Watch = lambda _, __: None,
    stop: asyncio.Event | None = None,
) -> Run:
    """Until the end, until `seconds` are over (the run is then still running), or until somebody stops it."""
    async with context.db.begin(actor) as tx:
        run = await trials.begin(tx, await trials.get(tx, run_id))
        plan = await trials.plan_of(tx, run_id)
    opened = pool.open_pool(plan, workers)
    try:
        return await _Going(context, actor, run, plan.share, opened, workers, watch, stop).run(seconds)
    except Exception as bug:
        log.error("trial failed", run=run_id, error=type(bug).__name__, exc_info=True)
        async with context.db.begin(actor) as tx:
            return await trials.end(tx, run, "failed", type(bug).__name__)
    finally:
        opened.shutdown(wait=False, cancel_futures=True)


class _Going:
    """One process's part of a trial: some chunks ahead are read and under way, and kept in their order."""

    def __init__(
        self,
        context: Context,
        actor: Actor,
        run: Run,
        share: int,
        opened: ProcessPoolExecutor,
        workers: int,
        watch: Watch,
        stop: asyncio.Event | None,
    ) -> None:
        self._context, self._actor, self._trial, self._pool = context, actor, run, opened
        self._share, self._ahead, self._watch, self._stop = share, 2 * workers, watch, stop
        self._window: deque[tuple[str, str, int, Future[pool.Done]]] = deque()
        self._cursor, self._read = run.cursor, run.cases_done

    async def run(self, seconds: float | None) -> Run:
        began, done = time.monotonic(), self._trial.cases_done
        while True:
            await self._fill()
            if not self._window:
                return await self._end("done")
            before, after, cases, future = self._window.popleft()
            result = await asyncio.wrap_future(future)
            async with self._context.db.begin(self._actor) as tx:
                step = await trials.advance(
                    tx, self._trial, (before, after), cases, result.fairness, result.measured
                )
            if step == "taken":
                return await self._now()
            done += cases
            self._watch(done, self._trial.cases_total)
            if done >= self._trial.cases_total:
                return await self._end("done")
            if step == "stop" or (self._stop is not None and self._stop.is_set()):
                return await self._end("cancelled")
            if seconds is not None and time.monotonic() - began > seconds:
                return await self._now()

    async def _fill(self) -> None:
        while len(self._window) < self._ahead and self._read < self._trial.cases_total:
            chunk, cases, after = await self._next()
            if not cases:
                self._read = self._trial.cases_total  # the history is shorter than it was
                return
            self._window.append((self._cursor, after, cases, pool.submit(self._pool, chunk)))
            self._cursor, self._read = after, self._read + cases

    async def _next(self) -> tuple[pool.Chunk, int, str]:
        """(chunk, its cases, where the one after it begins)."""
        run, most = self._trial, min(CHUNK, self._trial.cases_total - self._read)
        async with self._context.db.read(decided.reader_of(self._actor)) as tx:
            if run.kind == "history":
                stored = await decided.page(tx, self._cursor, most, self._share, run.institutions)
                return pool.Chunk(stored=stored), len(stored), decided.place_of(stored[-1]) if stored else ""
            _, households = await trials.county_named(tx, run.county_name)
            numbers = trials.spread(households, run.cases_total, self._read, most)
            read = trials.county_signals if run.stage else trials.county_facts
            frame = await read(tx, run.county, numbers)
        after, name = str(self._read + len(numbers)), run.county_name
        if run.stage:
            return pool.Chunk(county=name, signals=frame), frame.height, after
        return pool.Chunk(county=name, frame=frame), frame.height, after

    async def _now(self) -> Run:
        async with self._context.db.read(self._actor) as tx:
            return await trials.get(tx, self._trial.id)

    async def _end(self, status: str) -> Run:
        async with self._context.db.begin(self._actor) as tx:
            return await trials.end(tx, self._trial, status)
