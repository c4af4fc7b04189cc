"""`./xiaodai replay ID|NUMBER|FILE`: decide a stored case again with its versions and compare every byte.

A file from `capsule` carries its versions and hashes: it is verified and decided again without a database (N6). One as
`decide --capsule` writes it is the bare capsule; the versions it names must be the ones shipped with this code.
"""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from backend.commands import reach
from backend.core import given, ids, unreadable
from backend.core.actor import everywhere
from backend.core.errors import Problem, Unavailable
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.decision import capsule_file, moment_file, moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import CapsuleUnreadable, DecisionForgotten, DecisionMissing
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="申请编号、审批结果的编号、申请的内部编号（取最新一次结果），或存证文件")
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument("--json", action="store_true", help="打印核对结果的 JSON，而不是一句话")


def run(args: argparse.Namespace) -> int:
    try:
        if Path(args.id).is_file():
            content = _content(Path(args.id))
            if decisions.is_masked(content):
                _tell_masked(as_json=args.json)
                return 0
            replayed = moment_file.replay if moment_file.is_one(content) else decisions.replay_capsule
            result = replayed(content)
        elif ids.is_uuid(args.id) or args.id.isdigit():
            result = reach.run(_replay(load(os.environ, xiaodai_data=args.data), args.id))
        else:
            print(f"{args.id} 不是编号，也不是存证文件", file=sys.stderr)
            return 2
    except Unavailable:  # no database, or one without tables: no fault of the number
        raise
    except Problem as problem:
        print(problem.text, file=sys.stderr)
        return 2
    same = result.same_bytes and result.untouched
    if args.json:
        told = {
            "decision_id": result.decision_id,
            "same_bytes": result.same_bytes,
            "untouched": result.untouched,
            "same_code": result.same_code,
        }
        print(msgspec.json.encode(told).decode())
    else:
        print("\n".join(_sentences(result)))
    return 0 if same else 1


def _tell_masked(*, as_json: bool) -> None:
    """Its chain holds, or reading it had failed; what it decided cannot be said again without the person."""
    if as_json:
        print(msgspec.json.encode({"masked": True, "untouched": True, "recomputed": False}).decode())
    else:
        print("哈希和链都对得上。这是遮挡过的存证，不能重算", file=sys.stderr)


def _sentences(result: decisions.ReplayResult) -> list[str]:
    """What a person wants to know of it."""
    said = []
    if not result.untouched:
        said.append("存证和存进去的时候不一样，有人动过")
    if not result.same_bytes:
        said.append("和存证不一致：再算一遍，得不出存证里的结果")
    if not said:
        said.append("和存证一字不差：按当时的规则再算一遍，结果完全一样")
    if not result.same_code:
        said.append("做这个决策的程序和现在的不是同一版")
    return said


def _content(path: Path) -> bytes:
    try:
        return given.read(path)
    except OSError as cause:
        raise CapsuleUnreadable(why=unreadable.system(cause)) from cause


async def _replay(settings: Settings, number: str) -> decisions.ReplayResult:
    from backend import wiring  # a capsule file needs neither database nor clients

    db = wiring.database(settings, size=2)
    await db.open()
    try:
        async with db.read(everywhere("replay")) as tx:
            institution_id = await institution_of(tx, number)
        if institution_id is None:
            raise DecisionMissing()
        async with db.read(everywhere("replay").within(institution_id)) as tx:
            if not ids.is_uuid(number):
                number = (await applications.by_number(tx, number)).id
            latest = await decisions.latest_for(tx, number)
            if latest is None and (away := await moments.away(tx, number)) is not None:
                replayed = moment_file.replay(capsule_file.write(await moment_file.parts(tx, away)))
                return msgspec.structs.replace(replayed, decision_id=away.id)
            if latest is None and await decisions.forgotten(tx, number):
                raise DecisionForgotten()
            return await decisions.replay(tx, latest.id if latest else number)
    finally:
        await db.close()


async def institution_of(tx: Tx, number: str) -> str | None:
    if ids.is_uuid(number):
        return await decisions.institution_of(tx, number)
    return await applications.institution_of_number(tx, number)
