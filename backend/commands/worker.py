"""`./xiaodai worker`: delivers effects and keeps the timetable until SIGTERM."""

import argparse
import asyncio
import os
import signal

import asyncpg

from backend import wiring
from backend.core import failpoints
from backend.settings import Settings, load
from backend.web import logs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data)
    logs.configure(settings.log_level)
    failpoints.configure(settings.xiaodai_failpoints, settings.failpoint_record)
    asyncio.run(_work(settings))
    return 0


async def _work(settings: Settings) -> None:
    from backend.jobs import worker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    dsn, _, role = wiring.dsns(settings)
    marker = settings.data / "run" / "worker.ready"
    marker.parent.mkdir(parents=True, exist_ok=True)
    async with wiring.opened(settings) as context:
        connection = await asyncpg.connect(dsn, timeout=10, server_settings={"role": role} if role else None)
        marker.touch()
        try:
            await worker.run(context, connection, stop)
        finally:
            marker.unlink(missing_ok=True)
            connection.terminate()
