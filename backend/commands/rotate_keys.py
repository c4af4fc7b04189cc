"""`./xiaodai rotate-keys`: bring every sealed field under the last key of VAULT_KEYS."""

import argparse
import os

from backend import wiring
from backend.commands import reach
from backend.flows import rotate_keys
from backend.settings import Settings, load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    print(f"已换钥 {reach.run(_rotate(load(os.environ, xiaodai_data=args.data)))} 个字段")
    return 0


async def _rotate(settings: Settings) -> int:
    db = wiring.rotation(settings)
    await db.open()
    try:
        return await rotate_keys.rotate_keys(db, say=lambda code: print(f"机构 {code} 完成"))
    finally:
        await db.close()
