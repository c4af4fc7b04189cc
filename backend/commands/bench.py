"""`./xiaodai bench`: speed as ratios to a ceiling measured in the same run."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    parser.add_argument("--only", default="", help="只运行名字含这个词的部分")


def run(args: argparse.Namespace) -> int:
    figures: list[dict[str, Any]] = []
    for path in sorted(FOLDER.glob("bench_*.py")):
        if args.only in path.stem:
            print(f"… {path.stem}", file=sys.stderr, flush=True)
            figures += importlib.import_module(f"tests.benchmarks.{path.stem}").run()
    if args.json:
        print(msgspec.json.encode(figures).decode())
    else:
        _print(figures)
    return 0


def _print(figures: list[dict[str, Any]]) -> None:
    table = Table("项目", "数值", "单位", "天花板", "比值", "目标", "达到")
    for figure in figures:
        shown = [figure.get(k, "") for k in ("name", "value", "unit", "ceiling", "ratio", "goal", "met")]
        table.add_row(*(("是" if v else "否") if isinstance(v, bool) else str(v) for v in shown))
    Console().print(table)
