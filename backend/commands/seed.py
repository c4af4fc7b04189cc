"""`./xiaodai seed`: write the demo union; what exists stays as it is."""

import argparse
import os

from backend.commands import reach
from backend.commands.up import prepare_database
from backend.settings import load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    reach.run(prepare_database(load(os.environ, xiaodai_data=args.data), demo=True))
    print("演示数据已写入")
    return 0
