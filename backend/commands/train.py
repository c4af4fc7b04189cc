"""`./xiaodai train [DATA]`: a model from a table; without one, from the synthetic county (演练县)."""

import argparse
import tempfile
from pathlib import Path

from backend.domains.models.training import command
from backend.sandbox import synthetic

PEOPLE, SEED = 30_000, 20260801
"""The county the shipped scorecard was trained on."""


def arguments(parser: argparse.ArgumentParser) -> None:
    command.arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.data is not None:
        return command.run(args)
    with tempfile.TemporaryDirectory() as folder:
        args.data = Path(folder) / "county.csv"
        if not args.json:
            print(f"没有给出数据，先造一个 {PEOPLE} 人的演练县（种子 {SEED}）…", flush=True)
        synthetic.write_csv(args.data, PEOPLE, SEED)
        return command.run(args)
