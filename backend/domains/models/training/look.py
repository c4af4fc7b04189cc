"""`python -m backend.domains.models.training.look`: the columns of the table on the standard input, or why it is
refused. Read as the command reads it; the table is nowhere written down."""

import sys
from typing import Any, Literal

import msgspec
import polars as pl

from backend.domains.models import apart
from backend.domains.models.training import page_words, personal, tables
from backend.domains.models.training.options import TableUnfit
from backend.domains.models.trainings import MOST_COLUMNS, Column, Look


class Held(msgspec.Struct, frozen=True):
    """A file that is nowhere but in memory, as `tables.read` takes one."""

    body: bytes
    suffix: str = ""

    def read_bytes(self) -> bytes:
        return self.body


def look(body: bytes) -> Look:
    try:
        held: Any = Held(body)
        frame, _ = tables.frame_of(held)
    except TableUnfit as unfit:
        return Look(why=page_words.of(str(unfit.details["why"])))
    if frame.height == 0 or frame.width == 0:
        return Look(why="文件里没有数据行")
    if frame.width > MOST_COLUMNS:
        return Look(why=f"有 {frame.width} 列，在页面上训练最多 {MOST_COLUMNS} 列，请只留要用的列")
    if found := personal.why(frame):
        return Look(why=found)
    return Look(columns=[_column(frame[name]) for name in frame.columns], cases=frame.height)


def _column(column: pl.Series) -> Column:
    note = page_words.of(tables.unusable(column))
    numeric = column.dtype.is_numeric() or column.dtype == pl.Boolean
    kind: Literal["number", "category", "none"] = "none" if note else "number" if numeric else "category"
    return Column(column.name, kind, note)


if __name__ == "__main__":
    apart.limited()
    sys.stdout.buffer.write(msgspec.msgpack.encode(look(sys.stdin.buffer.read())))
