"""The text of a CSV as people here save it: UTF-8 with or without a mark at its head, else GB18030, which is what a
spreadsheet in China writes. Anything else is refused: a guess would turn names and categories into other ones."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
"""Bytes looked at a time."""
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What a spreadsheet's 'Unicode text' begins with; also the first half of UTF-32's."""
SURE = 16
"""So many bytes of letters beyond ASCII that read well as UTF-8 are no accident: what does not read after them is
damage."""
NOTHING = ["", "NA", "N/A", "NULL", "null", "NaN", "nan", "None", "#N/A"]
"""Cells that say there is no value."""
NUMBER = 11
"""So many digits in a row are a number somebody reads off, as a phone's: Excel shows longer ones with an exponent."""

NEITHER = "文件不是 UTF-8 或 GBK 编码，请另存为 UTF-8 的 CSV"
NO_TEXT = "这不是 CSV 或 Parquet 文件"
DAMAGED = "第 {line} 行有坏掉的字，文件像是没传完整，请重新导出"


def cell(text: str) -> str:
    """A text that a spreadsheet takes for a text, whatever it begins with: a name is no formula, and a number of many
    digits (a case, a phone, a loan) is no figure to be rounded to 2.6E+11 or to lose its zeros. The tab before it is
    not seen there; an apostrophe would be."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return f"'{text}"
    number = text.isascii() and text.isdigit()
    return f"\t{text}" if number and (len(text) >= NUMBER or text[0] == "0" != text) else text


class NotText(ValueError):
    """`why` is a clause for the person who gave the file."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def decode(raw: bytes) -> str:
    """Without the mark. Raises `NotText`."""
    held = as_utf8(io.BytesIO(raw))
    return (raw if held is None else held.getvalue()).decode("utf-8-sig")


def readable(path: Path) -> Path | io.BytesIO:
    """The file itself where it is UTF-8, else its text as UTF-8, held in memory. Raises `NotText`, OSError."""
    with path.open("rb") as file:
        held = as_utf8(file)
    return path if held is None else held


def as_utf8(file: BinaryIO) -> io.BytesIO | None:
    """None: the whole of it is UTF-8. Raises `NotText`."""
    if (head := file.read(4))[:2] in WIDE:
        raise NotText(NEITHER)
    if _is_utf8(file):
        return None
    line, beyond = _damage(file)
    if head.startswith(codecs.BOM_UTF8) or beyond >= SURE:
        raise NotText(DAMAGED.format(line=line))
    held = io.BytesIO()
    try:
        for lines in _blocks(file):
            held.write(lines.decode("gb18030").encode())
    except UnicodeDecodeError as cause:
        raise NotText(NEITHER) from cause
    held.seek(0)
    return held


def _is_utf8(file: BinaryIO) -> bool:
    """In a tenth of the time of Python's own decoder, which would make a text of it."""
    import polars as pl  # not for those who read no table

    try:
        for lines in _blocks(file):
            pl.Series([lines], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _damage(file: BinaryIO) -> tuple[int, int]:
    """(line of the first letter that is none in UTF-8, bytes beyond the first of each letter before it)."""
    line, beyond = 1, 0
    for lines in _blocks(file):
        try:
            text, good = lines.decode(), lines
        except UnicodeDecodeError as cause:
            good = lines[: cause.start]
            return line + good.count(b"\n"), beyond + len(good) - len(good.decode())
        line, beyond = line + good.count(b"\n"), beyond + len(good) - len(text)
    raise AssertionError("only asked about a text that is not UTF-8")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """From the start, whole lines: no letter of either encoding goes over the end of a line."""
    file.seek(0)
    while block := file.read(BLOCK):
        block += file.readline()
        if b"\0" in block:
            raise NotText(NO_TEXT)
        yield block
