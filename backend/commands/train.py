"""`./xiaodai train [DATA.csv]`: a scorecard from a table; without one, from the synthetic county (演练县)."""

import argparse
import tempfile
from pathlib import Path

from backend.domains.decision import train_command
from backend.sandbox import synthetic

PEOPLE, SEED = 30_000, 20260801
"""The county the shipped scorecard was trained on."""


def arguments(parser: argparse.ArgumentParser) -> None:
    train_command.arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.data is not None:
        return train_command.run(args)
    with tempfile.TemporaryDirectory() as folder:
        args.data = Path(folder) / "county.csv"
        if not args.json:
            print(f"没有给出数据，先造一个 {PEOPLE} 人的演练县（种子 {SEED}）…", flush=True)
        synthetic.write_csv(args.data, PEOPLE, SEED)
        return train_command.run(args)
