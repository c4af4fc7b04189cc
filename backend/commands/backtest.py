"""`./xiaodai backtest`: a strategy tried on a practice county or on stored decisions (A3-33); Ctrl-C keeps it."""

import argparse
import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from backend.commands import reach
from backend.core import clock, unreadable
from backend.core.actor import system
from backend.core.errors import Problem, Unavailable
from backend.domains.institutions.model import UNION
from backend.domains.trials import report, strategy_file
from backend.domains.trials import service as trials
from backend.domains.trials.model import GROUPINGS, SIDES, Measured
from backend.flows import run_trial, start_trial
from backend.flows.name_trial_versions import Versions
from backend.flows.start_trial import Asked
from backend.settings import Settings, load

STOPPED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strategy", default="live", metavar="FILE|VERSION|live",
                        help="要试算的规则：文件或目录；策略的一版，如 limit:3、SXD/limit:3 或版本页的编号；"
                             "live（在用的，默认）")  # fmt: skip
    parser.add_argument("--model", default="live", metavar="VERSION|live",
                        help="要试算的模型：登记的编号或名字；live（在用的，默认）")  # fmt: skip
    parser.add_argument("--against", metavar="FILE|VERSION|live|decided",
                        help="和哪一版对照；decided：当时的决定（默认：试的和在用的不同就和 live 对照）")  # fmt: skip
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--county", metavar="NAME", help="在演练县上试算")
    where.add_argument("--history", action="store_true", help="在过去的审批上试算")
    parser.add_argument("--stage", choices=("early_warning",), help="试算贷后预警而不是审批（只在演练县上）")
    parser.add_argument("--limit", type=int, metavar="N", help="最多算多少个案例")
    parser.add_argument("--institution", default=UNION, help="哪一家机构的试算（默认省联社）")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="用几个进程（默认每核一个）")
    parser.add_argument("--out", type=Path, metavar="DIR", help="把报告和数据写到这个目录")
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument("--json", action="store_true", help="只打印一行 JSON")


def run(args: argparse.Namespace) -> int:
    if (args.limit is not None and args.limit < 1) or not 1 <= args.workers <= 64:
        print("--limit 要大于 0，--workers 要在 1 到 64 之间", file=sys.stderr)
        return 2
    if args.against == "decided" and args.county:
        print("演练县没有当时的决定，--against 写 live、一个版本或一个文件", file=sys.stderr)
        return 2
    if not re.fullmatch(r"\d{4}", args.institution, re.ASCII):
        print(
            f"--institution 写机构的四位编号（省联社是 {UNION}），不是“{args.institution}”", file=sys.stderr
        )
        return 2
    try:
        draft = msgspec.structs.replace(_versions(args.strategy), model=_model(args.model))
        asked = Asked(
            draft=draft,
            against=_against(args.against, draft),
            county=args.county or "",
            stage=args.stage or "",
            limit=args.limit,
        )
        shown = reach.run(_run(load(os.environ, xiaodai_data=args.data), args, asked))
    except Unavailable:
        raise
    except Problem as problem:
        print(" ".join(problem.text.split()), file=sys.stderr)
        return 2
    return _tell(args, shown)


def _versions(word: str) -> Versions:
    """Raises `StrategyUnreadable`."""
    if word == "live":
        return Versions()
    if not Path(word).exists() and not _looks_like_a_path(word):
        return Versions(strategy=word)
    return Versions(label=Path(word).name, files=strategy_file.read(Path(word)))


def _looks_like_a_path(word: str) -> bool:
    """A wrong file name gets the sentence of a file, not that of a version."""
    return ":" not in word and "：" not in word and ("/" in word or Path(word).suffix != "")


def _model(word: str) -> str:
    return "" if word == "live" else word


def _against(word: str | None, draft: Versions) -> Versions | None:
    """None: nothing, or of a history what was decided then."""
    if word is None:
        return None if draft.live else Versions()
    return None if word == "decided" else _versions(word)


async def _run(settings: Settings, args: argparse.Namespace, asked: Asked) -> trials.Shown:
    from backend import wiring

    actor = system(args.institution, "backtest")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    watch = _Watch(quiet=args.json)
    async with wiring.opened(settings) as context:
        started = await start_trial.start_trial(context, actor, asked, queued=False)
        run = await run_trial.run_trial(
            context, actor, started.id, workers=args.workers, watch=watch.tell, stop=stop
        )
        async with context.db.read(actor) as tx:
            return await trials.shown(tx, run.id)


class _Watch:
    """A line every few per cent."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._told = quiet, -1

    def tell(self, done: int, total: int) -> None:
        part = done * 20 // total
        if not self._quiet and part > self._told:
            self._told = part
            print(f"{done:,} / {total:,}（{done * 100 // total}%）", file=sys.stderr, flush=True)


def _tell(args: argparse.Namespace, shown: trials.Shown) -> int:
    run = shown.run
    told = msgspec.json.encode(report.as_json(run, shown.measured), order="deterministic").decode()
    if args.out is not None:
        try:
            args.out.mkdir(parents=True, exist_ok=True)
            page = report.html(run, shown.measured, clock.now(), shown.words)
            (args.out / "report.html").write_text(page, encoding="utf-8")
            (args.out / "results.json").write_text(told + "\n", encoding="utf-8")
        except OSError as cause:
            print(f"写不了目录 {args.out}：{unreadable.system(cause)}", file=sys.stderr)
            return 2
    if args.json:
        print(told)
    else:
        _print(shown)
        if args.out is not None:
            print(f"报告 {args.out / 'report.html'}")
    if run.status == "failed":
        print("试算没有做完，原因记在日志里", file=sys.stderr)
        return 1
    return STOPPED if run.partial else 0


def _print(shown: trials.Shown) -> None:
    run, measured, fewest = shown.run, shown.measured, shown.fewest
    if run.partial:
        print(f"已停止：只算了 {run.cases_done:,} / {run.cases_total:,} 个案例，结果不完整")
    if run.stage:
        _print_warnings(measured)
        return
    for grouping in ("all", "product", "age_band", "sex", "occupation", "grade"):
        found = report.rows(measured, grouping)
        if not found:
            continue
        table = Table("", "案例", "通过率", "对照", "新增", "不再", "户均额度", "利率", "损失率", "违约率",
                      title=GROUPINGS[grouping])  # fmt: skip
        for row in found:
            draft = row.draft
            table.add_row(
                row.label, report.people(row.cases, fewest), _share(draft.approval_bp),
                _share(row.base.approval_bp if row.base else None), report.people(row.swap_in, fewest),
                report.people(row.swap_out, fewest),
                f"{draft.mean_amount_fen / 100:,.0f}" if draft.amount_fen or not fewest else "—",
                _share(draft.mean_rate_bp), _share(draft.loss_bp), _share(draft.bad_bp),
            )  # fmt: skip
        Console(width=max(110, Console().width)).print(table)
    pairs = [report.people(each, fewest) for each in (run.pairs, run.pairs_differing)]
    print(f"同类客户 {pairs[0]} 对，价格或额度不同 {pairs[1]} 对（{SIDES['draft']}）")
    if fewest:
        print(report.ROUNDED.format(fewest=fewest))


def _print_warnings(measured: list[Measured]) -> None:
    table = Table("", "借款户", "预警", "后来违约", "误报率", "提前发现", "漏报", title="贷后预警")
    for grouping in ("all", "occupation"):
        for name, draft, _ in report.warning_rows(measured, grouping):
            table.add_row(
                name, f"{draft.cases:,}", f"{draft.alarms:,}", f"{draft.right:,}", _share(draft.false_alarm_bp),
                _share(draft.caught_bp), f"{draft.missed:,}",
            )  # fmt: skip
    Console(width=max(110, Console().width)).print(table)


def _share(bp: int | None) -> str:
    return "—" if bp is None else f"{bp / 100:.2f}%"
