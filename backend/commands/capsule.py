"""`./xiaodai capsule NUMBER --out FILE --reason …`: one decision with everything it stands on, in one file (N6)."""

import argparse
import os
import sys
from pathlib import Path

from backend.commands import reach
from backend.commands.replay import institution_of
from backend.core import ids, unreadable
from backend.core.actor import everywhere, system
from backend.core.errors import Problem, Unavailable
from backend.domains.applications import service as applications
from backend.domains.decision import service as decisions
from backend.domains.decision.model import DecisionMissing
from backend.flows import export_capsule
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", help="申请编号、审批结果的编号，或申请的内部编号（取最新一次结果；预筛没有通过的也有）"
    )
    parser.add_argument("--out", type=Path, required=True, help="写到这个文件")
    parser.add_argument("--reason", required=True, help="为什么取，写进审计链")
    parser.add_argument("--masked", action="store_true", help="遮挡个人信息，给人看；遮挡的不能重算")
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    if not (ids.is_uuid(args.id) or args.id.isdigit()):
        print(f"{args.id} 不是编号", file=sys.stderr)
        return 2
    try:
        made = reach.run(_export(load(os.environ, xiaodai_data=args.data), args))
        args.out.write_bytes(made)
    except OSError as problem:
        print(f"写不了文件 {args.out}：{unreadable.system(problem)}", file=sys.stderr)
        return 2
    except Unavailable:
        raise
    except Problem as problem:
        print(problem.text, file=sys.stderr)
        return 2
    print(f"存证写在 {args.out}，核对：./xiaodai replay {args.out}")
    return 0


async def _export(settings: Settings, args: argparse.Namespace) -> bytes:
    from backend import wiring

    db = wiring.database(settings, size=2)
    await db.open()
    try:
        async with db.read(everywhere("capsule")) as tx:
            institution_id = await institution_of(tx, args.id)
        if institution_id is None:
            raise DecisionMissing()
        actor, number = system(institution_id, "capsule"), args.id
        async with db.read(actor) as tx:
            if ids.is_uuid(number):
                number = await decisions.application_of(tx, number)
            else:
                number = (await applications.by_number(tx, number)).id
        return await export_capsule.export_capsule(db, actor, number, args.reason, masked=args.masked)
    finally:
        await db.close()
