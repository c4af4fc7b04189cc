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
        action="append",
        choices=queue.LANES,
        help="只做有人在等的事（first）、其余的事（effect）或定时的事（clock），可以写几个；默认都做",
    )
    parser.add_argument(
        "--hands",
        type=int,
        choices=range(1, 21),
        metavar="N",
        help="有人在等的事，一个进程同时做几件（1 到 20）",
    )
    parser.add_argument("--name", default="worker", help="就绪时 run 目录里的文件名")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data)
    logs.configure(settings.log_level)
    failpoints.configure(settings.xiaodai_failpoints, settings.failpoint_record)
    uvloop.run(_work(settings, args.name, args.lane or queue.LANES, args.hands))
    return 0


async def _work(settings: Settings, name: str, lanes: Sequence[str], hands: int | None) -> None:
    """Until SIGTERM. While the database is away it is waited for: a process that dies of it would only be
    started again, later each time."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    marker = settings.data / "run" / f"{name}.ready"
    while not stop.is_set():
        try:
            await _until_the_database_goes(settings, marker, stop, lanes, hands)
        except Exception as problem:
            if not _is_a_lost_database(problem):
                raise
            log.warning("the database is away")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)


async def _until_the_database_goes(
    settings: Settings, marker: Path, stop: asyncio.Event, lanes: Sequence[str], hands: int | None
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
            await worker.run(context, connection, stop, lanes, hands or worker.HANDS)
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
