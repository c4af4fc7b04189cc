"""`./xiaodai train DATA.csv`: a scorecard and its report from a table. Wrong input exits 2 with one line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from backend.core import unreadable
from backend.core.errors import Problem
from backend.domains.decision import train


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, nargs="?", help="CSV，每人一行，列名是数据项的名字")
    parser.add_argument("--target", default="defaulted", help="好坏标记的列，0 或 1")
    parser.add_argument("--out", type=Path, default=Path("var/scorecard"), help="结果放在哪个目录")
    parser.add_argument("--seed", type=int, default=20260801, help="划分样本用的种子")
    parser.add_argument("--scorecard-version", type=int, default=1, help="写进评分卡的版本号")
    parser.add_argument("--json", action="store_true", help="只打印一行 JSON")


def main(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="xiaodai train", description="用一份表训练评分卡")
    arguments(parser)
    parsed = parser.parse_args(given)
    if parsed.data is None:
        print("要给出一份 CSV", file=sys.stderr)
        return 2
    return run(parsed)


def run(given: argparse.Namespace) -> int:
    try:
        columns, outcomes, digest = train.read_table(given.data, given.target)
        if not given.json:
            print(f"读入 {len(outcomes)} 人，其中 {sum(outcomes)} 人违约，正在分箱…", flush=True)
        trained = train.train(
            columns, outcomes, seed=given.seed, version=given.scorecard_version, data=digest
        )
    except Problem as problem:
        print(problem.text, file=sys.stderr)
        return 2
    try:
        card, report = train.write(trained, given.out)
    except OSError as problem:
        print(f"写不了目录 {given.out}：{unreadable.system(problem)}", file=sys.stderr)
        return 2
    if given.json:
        paths = {"scorecard": str(card), "report": str(report)}
        print(msgspec.json.encode(trained.report | paths, order="sorted").decode())
    else:
        test = trained.report["test"]
        print(f"测试样本 AUC {test['auc']}  KS {test['ks']}  PSI {trained.report['psi']}")
        print(f"评分卡 {card}  报告 {report}")
    return 0
