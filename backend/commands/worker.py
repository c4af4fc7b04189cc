"""`./xiaodai worker`: delivers effects and keeps the timetable until SIGTERM."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import structlog
import uvloop

from backend import wiring
from backend.core import failpoints
from backend.db.database import DatabaseDown
from backend.outbox import queue
from backend.settings import Settings, load
from backend.web import logs

log = structlog.get_logger("worker")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument(
        "--lane",
        choices=(queue.FIRST, queue.REST),
        help="只做有人在等的事（first）或其余的事（effect）；默认都做",
    )


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data)
    logs.configure(settings.log_level)
    failpoints.configure(settings.xiaodai_failpoints, settings.failpoint_record)
    uvloop.run(_work(settings, (args.lane,) if args.lane else (queue.FIRST, queue.REST)))
    return 0


async def _work(settings: Settings, lanes: Sequence[str]) -> None:
    """Until SIGTERM. While the database is away it is waited for: a process that dies of it would only be
    started again, later each time."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    marker = settings.data / "run" / "worker.ready"
    while not stop.is_set():
        try:
            await _until_the_database_goes(settings, marker, stop, lanes)
        except Exception as problem:
            if not _is_a_lost_database(problem):
                raise
            log.warning("the database is away")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)


async def _until_the_database_goes(
    settings: Settings, marker: Path, stop: asyncio.Event, lanes: Sequence[str]
) -> None:
    from backend.jobs import worker

    dsn, _, role = wiring.dsns(settings)
    async with wiring.opened(settings) as context:
        # The queue's own notes need not wait for the disk: a job that is lost is found again by the sweep. And its
        # few statements are planned once: planning one anew takes longer than running it.
        kept = {"synchronous_commit": "off", "plan_cache_mode": "force_generic_plan"}
        kept |= {"role": role} if role else {}
        connection = await asyncpg.connect(dsn, timeout=10, server_settings=kept)
        try:
            _mark(marker)
            # What is loaded by now stays: no collection need walk over it again.
            gc.collect()
            gc.freeze()
            await worker.run(context, connection, stop, lanes)
        finally:
            marker.unlink(missing_ok=True)
            connection.terminate()


def _mark(marker: Path) -> None:
    with contextlib.suppress(OSError):  # a full disk: only the next `up` looks at it
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _is_a_lost_database(problem: BaseException) -> bool:
    if isinstance(problem, BaseExceptionGroup):
        return all(_is_a_lost_database(each) for each in problem.exceptions)
    lost = (
        OSError,
        DatabaseDown,
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
    )
    return isinstance(problem, lost)
