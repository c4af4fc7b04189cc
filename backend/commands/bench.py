"""`./xiaodai bench`: speed as ratios to a ceiling measured in the same run. Exit code 1 when a goal is missed."""

import argparse
import importlib
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"

Figures = list[dict[str, Any]]
"""Each with `name, value, unit, ceiling, ceiling_of, ratio, goal, met`; a ceiling is null where none is meant."""

COLUMNS = {"name": "项目", "value": "数值", "unit": "单位", "ceiling": "天花板", "ceiling_of": "天花板是",
           "ratio": "比值", "goal": "目标", "met": "达到"}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    names = "、".join(path.stem.removeprefix("bench_") for path in sorted(FOLDER.glob("bench_*.py")))
    parser.add_argument("--only", default="", help=f"只运行名字含这个词的部分（{names}）")


def run(args: argparse.Namespace) -> int:
    # Ended from outside, it still takes its servers and folders with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parts = [path.stem for path in sorted(FOLDER.glob("bench_*.py")) if args.only in path.stem]
    if not parts:
        print(f"没有名字含“{args.only}”的部分", file=sys.stderr)
        return 2
    figures: Figures = []
    for name in parts:
        print(f"… {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        figures += [{**dict.fromkeys(COLUMNS), **figure} for figure in _measured(name)]
        print(f"  {name}：{time.monotonic() - began:.0f} 秒", file=sys.stderr, flush=True)
    if args.json:
        print(msgspec.json.encode(figures).decode())
    else:
        _print(figures)
    return 0 if all(figure["met"] for figure in figures) else 1


def _measured(name: str) -> Figures:
    """A part that breaks off is a figure that is missed, and costs none of the others."""
    try:
        found: Figures = importlib.import_module(f"tests.benchmarks.{name}").run()
    except Exception as error:
        traceback.print_exc()
        return [{"name": f"{name} 没有跑完：{type(error).__name__}", "value": "", "unit": "", "met": False}]
    return found


def _print(figures: Figures) -> None:
    table = Table(*COLUMNS.values())
    for figure in figures:
        shown = {**figure, "met": "是" if figure["met"] else "否"}
        table.add_row(*("" if shown[column] is None else str(shown[column]) for column in COLUMNS))
    Console().print(table)
