"""`./xiaodai menu publish`: send the official account's menu to WeChat; `menu show` prints what is there."""

import argparse
import os
import sys

import msgspec

from backend import wiring
from backend.commands import reach
from backend.core.errors import Problem
from backend.integrations.wechat.port import WeChatRefused
from backend.settings import Settings
from bot.menu import menu

NO_MENU = "46003"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["publish", "show"])
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    """0 done · 1 the platform said no, or cannot be reached."""
    work = {"show": show, "publish": publish}[args.action]
    try:
        print(reach.run(work(reach.settings_of(os.environ, args.data))))
    except Problem as problem:
        print(problem.text, file=sys.stderr)
        return 1
    return 0


async def show(settings: Settings) -> str:
    """The menu that is there now, as JSON."""
    async with wiring.opened(settings) as context:
        try:
            shown = (await context.clients.wechat.menu.get())["menu"]
        except WeChatRefused as refusal:
            if refusal.remote_code != NO_MENU:
                raise
            shown = {"button": []}
    return msgspec.json.encode(shown).decode()


async def publish(settings: Settings) -> str:
    async with wiring.opened(settings) as context:
        await context.clients.wechat.create_menu(menu(settings))
    return "菜单已发布"
