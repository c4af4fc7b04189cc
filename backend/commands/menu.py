"""`./xiaodai menu publish`: send the official account's menu to WeChat; `menu show` prints what is there."""

import argparse
import asyncio
import os

import msgspec

from backend import wiring
from backend.core.errors import Problem
from backend.settings import Settings, load
from bot.menu import menu


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["publish", "show"])
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    try:
        print(asyncio.run(_run(load(os.environ, xiaodai_data=args.data), args.action)))
    except Problem as problem:
        print(problem.text)
        return 1
    return 0


async def _run(settings: Settings, action: str) -> str:
    async with wiring.opened(settings) as context:
        if action == "show":
            return msgspec.json.encode(await context.clients.wechat.menu.get()).decode()
        await context.clients.wechat.create_menu(menu(settings))
        return "菜单已发布"
