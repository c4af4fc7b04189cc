"""`./xiaodai settings`: every setting, its default and what it means."""

import argparse

from rich.console import Console
from rich.table import Table

from backend.settings import OUTSIDE, SECRETS, described


def arguments(_: argparse.ArgumentParser) -> None:
    """No options."""


def run(_: argparse.Namespace) -> int:
    table = Table("设置", "默认", "含义")
    for name, default, meaning in described():
        shown = str(default)
        if name.lower() in SECRETS:
            shown = "（开发用，生产拒绝）"
        elif name.lower() in OUTSIDE:
            shown = f"沙箱 {OUTSIDE[name.lower()]}"
        table.add_row(name, shown, meaning)
    Console(width=None if Console().is_terminal else 160).print(table)
    return 0
