"""`./xiaodai migrate`: bring the database's tables up to date."""

import argparse
import os
import sys

from backend import wiring
from backend.commands import reach
from backend.db import migrate
from backend.outbox import queue
from backend.settings import load


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
    print(f"完成，新应用 {len(names)} 个")
    return 0
