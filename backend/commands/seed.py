"""`./xiaodai seed`: write the demo union; what exists stays as it is. `--county`: a practice county (演练县, N20)."""

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec

from backend import wiring
from backend.commands import reach
from backend.commands.up import prepare_database
from backend.core import unreadable
from backend.core.errors import Problem
from backend.db import migrate
from backend.outbox import queue
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument("--county", metavar="NAME", help="造一个演练县；已有的按原样恢复")
    parser.add_argument("--households", type=int, metavar="N", help="演练县的户数")
    parser.add_argument("--seed", type=int, metavar="S", help="演练县的种子（默认 1）")
    parser.add_argument("--wipe", action="store_true", help="去掉这个演练县")
    parser.add_argument(
        "--export", type=Path, metavar="FILE", help="只把数据项和结果写进 .parquet 或 .csv，不用数据库"
    )
    parser.add_argument("--json", action="store_true", help="只打印一行 JSON")


def run(args: argparse.Namespace) -> int:
    problem = _problem(args)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    if args.export is not None:
        return _export(args)
    settings = load(os.environ, xiaodai_data=args.data)
    if args.county is None:
        reach.run(prepare_database(settings, demo=True))
        print("演示数据已写入")
        return 0
    try:
        reach.run(migrate.apply(wiring.dsns(settings)[1], install_queue=queue.install))
    except migrate.Drifted as problem:
        print(problem, file=sys.stderr)
        return 1
    return _wipe(settings, args) if args.wipe else _load(settings, args)


def _problem(args: argparse.Namespace) -> str:
    """Why the options cannot be meant; '' when they can."""
    from backend.sandbox.county import plan

    if args.county is None:
        given = args.wipe or args.export or args.households is not None or args.seed is not None
        return "这些选项要和 --county 一起用" if given else ""
    found = plan.problem(args.county, 1 if args.households is None else args.households)
    if found:
        return found
    if args.seed is not None and not -(2**63) <= args.seed < 2**63:
        return "种子太大了"
    if args.export is not None:
        if args.households is None:
            return "导出要用 --households 说明户数"
        if args.export.suffix not in (".parquet", ".csv"):
            return "导出的文件名要以 .parquet 或 .csv 结尾"
    return ""


def _export(args: argparse.Namespace) -> int:
    from backend.commands import practice

    began = time.monotonic()
    try:
        rows = practice.export(
            args.county, args.households, 1 if args.seed is None else args.seed, args.export
        )
    except OSError as cause:
        print(f"写不了文件 {args.export}：{unreadable.system(cause)}", file=sys.stderr)
        return 2
    seconds = round(time.monotonic() - began, 1)
    if args.json:
        print(msgspec.json.encode({"rows": rows, "file": str(args.export), "seconds": seconds}).decode())
    else:
        print(f"写好 {rows:,} 户，{seconds} 秒：{args.export}")
    return 0


def _wipe(settings: Settings, args: argparse.Namespace) -> int:
    from backend.commands import practice

    try:
        reach.run(practice.wipe(settings, args.county))
    except practice.NotLoaded as problem:
        print(problem.text, file=sys.stderr)
        return 2
    print(
        msgspec.json.encode({"wiped": args.county}).decode() if args.json else f"演练县“{args.county}”已去掉"
    )
    return 0


def _load(settings: Settings, args: argparse.Namespace) -> int:
    from backend.commands import practice

    def say(text: str) -> None:
        if not args.json:
            print(text, flush=True)

    try:
        done = reach.run(practice.load(settings, args.county, args.households, args.seed, say))
    except (practice.NoRoom, practice.OtherCounty, practice.NotLoaded) as problem:
        print(problem.text, file=sys.stderr)
        return 2
    except ExceptionGroup as group:
        _raise_one(group)
        raise
    if args.json:
        print(msgspec.json.encode(done).decode())
        return 0 if done.ok else 1
    print(f"演练县“{done.name}”：{done.households:,} 户 {done.people:,} 人，{done.officers} 名客户经理，"
          f"{sum(done.rows.values()):,} 行，用了 {done.seconds['all']} 秒")  # fmt: skip
    for check in done.checks:
        mark = "✓" if check.ok else "✗"
        gap = 0.0 if not check.target else (check.got / check.target - 1) * 100
        print(f"  {mark} {check.row} {check.name}：目标 {_shown(check.target, check.unit)}，"
              f"得到 {_shown(check.got, check.unit)}（{gap:+.2f}%）")  # fmt: skip
    return 0 if done.ok else 1


def _raise_one(group: ExceptionGroup[Exception]) -> None:
    """The first problem of ours inside a group, or the first of all."""
    found: list[Exception] = [error for error in group.exceptions if isinstance(error, Problem)]
    raise (found or list(group.exceptions))[0]


def _shown(value: float, unit: str) -> str:
    if unit == "分":
        return f"{value / 100:,.0f} 元"
    return f"{value:,.2f}%" if unit == "%" else f"{value:,.0f} {unit}"
