"""`./xiaodai audit verify`: walk every audit chain."""

import argparse
import os

from backend import wiring
from backend.commands import reach
from backend.domains.audit import service as audit
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["verify"])
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data)
    total, broken = reach.run(_verify(settings))
    for chain in broken:
        print(f"机构 {chain.institution_id}：第 {', '.join(map(str, chain.rows))} 条被改过、删过或插过")
    print(f"共 {total} 条，{'有问题' if broken else '完整无误'}")
    return 1 if broken else 0


async def _verify(settings: Settings) -> tuple[int, list[audit.Broken]]:
    db = wiring.database(settings, size=2)
    await db.open()
    try:
        return await audit.verify(db)
    finally:
        await db.close()
