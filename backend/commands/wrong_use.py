"""Wrong use of the command line in one Chinese line; the standard parser only speaks English."""

import argparse
import re
import sys
from typing import NoReturn

_SAID: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), told)
    for pattern, told in (
        (r"argument COMMAND: invalid choice: '?(?P<given>.*?)'? \(choose from .*\)", "没有 {given} 这个命令"),
        (r"argument (?P<name>.+?): invalid choice: (?P<given>.+?) \(choose from (?P<those>.*)\)",
         "{name} 只能是 {those}，现在是 {given}"),
        (r"argument (?P<name>.+?): invalid int value: (?P<given>.*)", "{name} 应当是整数，现在是 {given}"),
        (r"argument (?P<name>.+?): invalid (?:float|Decimal) value: (?P<given>.*)",
         "{name} 应当是数字，现在是 {given}"),
        (r"argument (?P<name>.+?): invalid \S+ value: (?P<given>.*)", "{name} 写得不对，现在是 {given}"),
        (r"argument (?P<name>.+?): expected .*", "{name} 后面要写上值"),
        (r"argument (?P<name>.+?): not allowed with argument (?P<other>.+)", "{name} 不能和 {other} 一起用"),
        (r"argument (?P<name>.+?): ignored explicit argument (?P<given>.+)", "{name} 后面不写值，现在写了 {given}"),
        (r"argument (?P<name>.+?): (?P<told>[^\x00-\x7f].*)", "{name} {told}"),
        (r"the following arguments are required: (?P<missing>.*)", "还缺 {missing}"),
        (r"one of the arguments (?P<those>.*) is required", "{those} 里要写一个"),
        (r"unrecognized arguments: (?P<given>.*)", "不认识 {given}"),
        (r"ambiguous option: (?P<given>\S+) could match (?P<those>.*)", "{given} 可以是 {those}，请写全"),
    )
)  # fmt: skip
"""Every sentence the standard library's parser has for wrong use → ours."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit 2."""
        print(f"{said(message)}。用法：./{self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def said(message: str) -> str:
    """A message of the standard parser in Chinese. Line ends in what was given do not make a second line."""
    message = " ".join(message.split())
    for pattern, told in _SAID:
        if found := pattern.fullmatch(message):
            return told.format(**found.groupdict())
    return "命令写得不对"
