"""A file that somebody names on the command line: never more of it than was agreed, and no waiting for ever.

A pipe (`decide /dev/stdin`, `decide <(…)`) is read like a file; a device, which has no end, is refused.
"""

import errno
import os
import select
import stat
from pathlib import Path

MIB = 1024 * 1024
DOCUMENT = 64 * MIB
"""For what is written by us or by hand: a case, a capsule, a strategy, a model."""
TABLE = 2048 * MIB
"""For a table of a row per customer."""
BLOCK = MIB
SILENCE = 60.0
"""Seconds a pipe may say nothing."""


class Unfit(OSError):
    """No file to be read here; `why` is a clause."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(errno.EINVAL, why)


def read(path: Path, most: int = 0) -> bytes:
    """All of it, up to `DOCUMENT` where nothing else is said. Raises `Unfit`, OSError."""
    most = most or DOCUMENT
    held = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(held)
        if _kind(found, most) == "pipe":
            return _from_pipe(held, most)
        with os.fdopen(held, "rb", closefd=False) as file:
            content = file.read(found.st_size)
            while more := file.read(BLOCK):  # one in /proc says it is empty and may be endless
                content += more
                _require(len(content), most)
        return content
    finally:
        os.close(held)


def require_file(path: Path, most: int = TABLE) -> os.stat_result:
    """For who opens it by its name, several times. Raises `Unfit`, OSError."""
    found = path.stat()
    if _kind(found, most) != "file":
        raise Unfit("要是一个文件，不能是管道")
    return found


def _kind(found: os.stat_result, most: int) -> str:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "directory")
    if stat.S_ISFIFO(found.st_mode):
        return "pipe"
    if not stat.S_ISREG(found.st_mode):
        raise Unfit("这不是一般的文件")
    _require(found.st_size, most)
    return "file"


def _from_pipe(held: int, most: int) -> bytes:
    """Nobody may ever write into it, or never stop to."""
    asked = select.poll()
    asked.register(held, select.POLLIN)
    content = bytearray()
    while asked.poll(SILENCE * 1000):
        block = os.read(held, BLOCK)
        if not block:
            return bytes(content)
        content += block
        _require(len(content), most)
    raise Unfit(f"等了 {SILENCE:.0f} 秒没有内容")


def _require(size: int, most: int) -> None:
    if size > most:
        raise Unfit(f"文件太大，最多 {most // MIB:,} MB")
