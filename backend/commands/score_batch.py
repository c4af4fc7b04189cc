"""`./xiaodai score-batch`: scores of a table or a practice county; an interrupted batch goes on with `--resume`."""

import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path

import msgspec

from backend.commands import reach
from backend.core import ids, unreadable
from backend.core.actor import system
from backend.core.errors import Problem, Unavailable
from backend.domains.decision import scorecard
from backend.domains.institutions.model import UNION
from backend.domains.models import drift
from backend.domains.models import service as register
from backend.domains.models.model import Result
from backend.domains.trials import batch, models
from backend.domains.trials import service as trials
from backend.flows import watch_batch
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", required=True, metavar="FILE|VERSION|live", help="模型文件、登记的编号，或 live（在用的）"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--data", type=Path, metavar="FILE", help=".parquet 或 .csv（UTF-8 或 GB18030），一行一位客户"
    )
    where.add_argument("--county", metavar="NAME", help="演练县")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="结果，.parquet 或 .csv")
    parser.add_argument("--resume", action="store_true", help="接着上次没做完的做")
    parser.add_argument(
        "--watch", action="store_true", help="把这一批和训练时比，记进监控；模型要在登记簿里，有验证报告"
    )
    parser.add_argument("--data-dir", help="数据目录（默认 ./var）")
    parser.add_argument("--json", action="store_true", help="只打印一行 JSON")


def run(args: argparse.Namespace) -> int:
    if args.out.suffix not in (".parquet", ".csv"):
        print("结果的文件名要以 .parquet 或 .csv 结尾", file=sys.stderr)
        return 2
    settings = load(os.environ, xiaodai_data=args.data_dir)
    began = time.monotonic()
    try:
        model = _model(settings, args)
        wanted = batch.plain_names(model.inputs)
        if args.county:
            source = reach.run(_county(settings, args.county, wanted))
        else:
            source = batch.open_table(args.data, wanted)
        read = time.monotonic()
        done = batch.score(source, model, args.out, resume=args.resume, watch=_watch(args))
        seen = reach.run(_compare(settings, source, model, args.out)) if args.watch else []
    except Unavailable:
        raise
    except Problem as problem:
        print(" ".join(problem.text.split()), file=sys.stderr)
        return 2
    except OSError as cause:
        print(f"写不了 {args.out}：{unreadable.system(cause)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("已停止，做完的部分留着，用 --resume 接着做", file=sys.stderr)
        return 130
    seconds = {"read": round(read - began, 2), "score": round(time.monotonic() - read, 2)}
    return _tell(args, done, seconds, seen)


def _model(settings: Settings, args: argparse.Namespace) -> models.Model:
    """A file's, a registered one's by its id, or the live one: that of the database, of the code where a file is
    scored and there is no database."""
    if args.model != "live" and not ids.is_uuid(args.model):
        return models.load(Path(args.model))
    try:
        return reach.run(_registered(settings, args.model))
    except reach.NoDatabase:
        if args.county or args.model != "live":
            raise
        return models.of_card(scorecard.seeded())


async def _registered(settings: Settings, word: str) -> models.Model:
    """`live`: the champion of all families, else the shipped card. Raises `ModelMissing`."""
    from backend import wiring

    db = wiring.database(settings, size=1)
    await db.open()
    try:
        async with db.read(system(UNION, "score-batch")) as tx:
            if word != "live":
                held = await register.get(tx, word)
                return models.of_body(await register.body(tx, held.artefact))
            card = await register.champion(tx, "*")
            return models.of_card(card or scorecard.seeded())
    finally:
        await db.close()


async def _county(settings: Settings, name: str, wanted: list[str]) -> batch.Source:
    """All of a county's needed columns at once: a million rows of a dozen numbers are 100 MB."""
    from backend import wiring

    db = wiring.database(settings, size=1)
    await db.open()
    try:
        frame = await trials.whole_county(db, system(UNION, "score-batch"), name, ["household", *wanted])
    finally:
        await db.close()
    digest = f"county:{name}:{frame.hash_rows().sum()}"
    return batch.Source(rows=frame.height, digest=digest, read=frame.slice)


async def _compare(settings: Settings, source: batch.Source, model: models.Model, out: Path) -> list[Result]:
    """This batch against the training sample, into the monitors."""
    from backend import wiring

    db = wiring.database(settings, size=1)
    await db.open()
    try:
        return await watch_batch.watch_batch(
            db, system(UNION, "score-batch"), model.hash, partial(batch.counts, source, model, out)
        )
    finally:
        await db.close()


def _watch(args: argparse.Namespace) -> batch.Watch:
    def tell(done: int, total: int) -> None:
        if not args.json:
            print(f"{done:,} / {total:,}", file=sys.stderr, flush=True)

    return tell


def _tell(args: argparse.Namespace, done: batch.Scored, seconds: dict[str, float], seen: list[Result]) -> int:
    if args.json:
        told = {**msgspec.to_builtins(done), "out": str(args.out), "seconds": seconds}
        told |= {"watched": msgspec.to_builtins(seen)} if args.watch else {}
        print(msgspec.json.encode(told, order="deterministic").decode())
        return 0
    print(f"{done.scored:,} 位客户有分数，{done.unscored:,} 位缺数据没有分数，读取 {seconds['read']} 秒，"
          f"评分 {seconds['score']} 秒：{args.out}")  # fmt: skip
    for result in seen:
        if not result.subject or result.level not in (drift.STEADY, drift.TOO_FEW):
            name = result.subject or "总分"
            value = "" if result.value is None else f"PSI {result.value:.3f}，"
            print(f"· {name}：{value}{drift.LEVELS[result.level]}")
    return 0
