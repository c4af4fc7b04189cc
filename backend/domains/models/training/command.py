"""`./xiaodai train DATA --target COLUMN`: a model and its report from a table. Wrong input exits 2 with one line."""

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from backend.core import clock, unreadable
from backend.core.errors import Problem
from backend.domains.models.training import paper, wording
from backend.domains.models.training.options import SCORECARD, TREES, Options
from backend.settings import load


def arguments(parser: argparse.ArgumentParser) -> None:
    settings = load(os.environ)
    add = parser.add_argument
    add("data", type=Path, nargs="?", help="CSV（UTF-8 或 GB18030）或 Parquet，每人一行")
    add("--target", default="defaulted", metavar="列", help="好坏标记的列，0 好 1 坏")
    add("--kind", choices=(SCORECARD, TREES), default=SCORECARD, help="scorecard 评分卡，trees 树模型")
    add("--out", type=Path, default=Path("var/model"), metavar="目录", help="结果放在哪个目录")
    add("--seed", type=int, default=20260801, metavar="数", help="划分样本用的种子")
    add("--test-share", type=float, default=0.3, metavar="数", help="测试样本的占比，0.1 到 0.5")
    add("--out-of-time", default="", metavar="列", help="日期或期数的列：最新的一段作测试")
    add("--exclude", nargs="+", default=[], metavar="列", help="不用的列")
    add("--only", nargs="+", default=[], metavar="列", help="只用这些列")
    add(
        "--monotone",
        nargs="+",
        default=[],
        metavar="列=方向",
        help="数值越大分数越高 ascending、越低 descending",
    )
    add(
        "--special", nargs="+", type=float, default=[], metavar="数", help="有特别含义的数，如 -999，单独成箱"
    )
    add("--group", nargs="+", default=[], metavar="列", help="按这些列看公平，这些列不进模型")
    add("--county", default="", metavar="列", help="县的列：按收缩法给各县加减分，数据不够的县和全省一样")
    add("--cut-off", type=int, metavar="分", help="看公平时的通过门槛；不给则取训练样本七成通过的分数")
    add("--live", type=Path, metavar="文件", help="现用模型，用来看换手")
    add("--base-score", type=int, default=settings.model_base_score, metavar="分", help="基准分")
    add("--base-odds", type=int, default=settings.model_base_odds, metavar="数", help="基准分对应的好坏比")
    add("--pdo", type=int, default=settings.model_points_to_double, metavar="分", help="好坏比翻倍要加的分")
    add("--scorecard-version", type=int, default=1, metavar="数", help="写进模型的版本号")
    add("--free", action="store_true", help="列名都在数据目录里时，也只做批量评分用的模型")
    add("--json", action="store_true", help="只打印一行 JSON")


def main(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="xiaodai train", description="用一份表训练模型")
    arguments(parser)
    parsed = parser.parse_args(given)
    if parsed.data is None:
        return _wrong("要给出一份 CSV 或 Parquet")
    return run(parsed)


def run(given: argparse.Namespace) -> int:
    options = _options(given)
    if isinstance(options, str):
        return _wrong(options)
    from backend.domains.models.training import run as training  # heavy: only when there is something to do

    try:
        with _progress(quiet=given.json or not sys.stderr.isatty()) as tell:
            result = training.run(given.data, options, tell)
            tell("画图")
            files = _files(result, paper.made(result.report, clock.today()), options)
    except Problem as problem:
        return _wrong(problem.text)
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (given.out / name).write_bytes(content)
    except OSError as problem:
        return _wrong(f"写不了目录 {given.out}：{unreadable.system(problem)}")
    _say(result.report, given, list(files))
    return 0


def _wrong(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def _options(given: argparse.Namespace) -> Options | str:
    """The options, or the sentence that says what is wrong with them."""
    monotone: dict[str, str] = {}
    for word in given.monotone:
        name, _, trend = word.rpartition("=")
        if not name or trend not in ("ascending", "descending"):
            return f"--monotone 要写成 列=ascending 或 列=descending，现在是 {word}"
        monotone[name] = trend
    if not 0.1 <= given.test_share <= 0.5:
        return f"--test-share 要在 0.1 到 0.5 之间，现在是 {given.test_share:g}"
    if min(given.base_odds, given.pdo, given.base_score) < 1:
        return "--base-score、--base-odds、--pdo 都要是正数"
    if given.seed < 0:
        return "--seed 不能是负数"
    if given.scorecard_version < 1:
        return f"--scorecard-version 要大于 0，现在是 {given.scorecard_version}"
    if not all(map(math.isfinite, given.special)):
        return "--special 只能写数"
    return Options(
        target=given.target, kind=given.kind, seed=given.seed % 2**32, test_share=given.test_share,
        out_of_time=given.out_of_time, exclude=tuple(given.exclude), only=tuple(given.only), monotone=monotone,
        special=tuple(given.special), group=tuple(given.group), county=given.county,
        live=given.live, cut_off=given.cut_off,
        base_score=given.base_score, base_odds=given.base_odds, points_to_double=given.pdo,
        version=given.scorecard_version, free=given.free,
    )  # fmt: skip


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line that says what is being done, on the error stream, so that output stays clean."""
    if quiet:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("开始")
        yield lambda words: shown.update(task, description=words)


def _files(result: Any, drawn: paper.Files, options: Options) -> dict[str, bytes]:
    name = "trees" if options.kind == TREES else "scorecard"
    files = {
        f"{name}.json": msgspec.json.format(result.artefact, indent=1) + b"\n",
        "report.json": msgspec.json.format(msgspec.json.encode(result.report, order="sorted"), indent=1)
        + b"\n",
        "report.html": drawn.html.encode(),
        "report.pdf": drawn.pdf,
    }
    if result.onnx is not None:
        files["trees.onnx"] = result.onnx
    return files


def _say(report: dict[str, Any], given: argparse.Namespace, names: list[str]) -> None:
    paths = {name: str(given.out / name) for name in names}
    if given.json:
        print(msgspec.json.encode(report | {"files": paths}, order="sorted").decode())
        return
    test = report["test"]
    print(
        f"测试样本 {test['people']:,} 人：AUC {test['auc']:.4f}（{test['auc_low']:.4f} 至 {test['auc_high']:.4f}）"
        f"  KS {test['ks']:.4f}  PSI {report['psi']['psi']:.4f}"
    )
    print("能用于审批" if report["serves"] == "decisions" else "只能用于批量评分")
    if said := wording.not_apart(report):
        print(said)
    for note in report["notes"]:
        print(f"· {note}")
    for path in paths.values():
        print(path)
