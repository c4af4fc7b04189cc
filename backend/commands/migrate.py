"""`./xiaodai migrate`: bring the database's tables up to date."""

import argparse
import os
import sys

from backend import wiring
from backend.commands import reach
from backend.db import migrate
from backend.flows.adopt_shipped_strategies import adopt_shipped_strategies
from backend.outbox import queue
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data)
    _, owner, _ = wiring.dsns(settings)
    try:
        names = reach.run(migrate.apply(owner, install_queue=queue.install, say=print))
    except migrate.Drifted as problem:
        print(problem, file=sys.stderr)
        return 1
    if reach.run(_adopt(settings)):
        print("交付的策略成为第 1 版")
    print(f"完成，新应用 {len(names)} 个")
    return 0


async def _adopt(settings: Settings) -> int:
    db = wiring.database(settings, size=1)
    await db.open()
    try:
        return await adopt_shipped_strategies(db)
    finally:
        await db.close()
