"""A table's rows as a spreadsheet and back (A3-33): what is exported imports byte for byte, and what a person changed
is read cell by cell, each mistake named by its row and column.

Only rows travel. Columns, hit policy and every other setting stay in the document, and a file whose columns are not
the table's is refused.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import openpyxl
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException

from backend.core import archives, files
from backend.core.errors import Invalid
from backend.core.plain_text import plain
from backend.domains.decision.facts import Catalogue
from backend.domains.strategies import cells
from backend.domains.strategies.cells import CellUnreadable, Column

ROW = "行号"
LARGEST = 2_000_000
"""Bytes of a file."""
MOST_ROWS, MOST_COLUMNS = 500, 80
_UNPACKED, _MOST_PARTS = 8_000_000, 2_000
_MOST_TAGS, _MOST_OTHER_TAGS = 250_000, 20_000
"""XML tags of a file's cells and their texts, and of all its other parts. openpyxl takes a part of a millisecond for
each, and packed they weigh nothing: a file of 60 kB with a million cells would hold the process for a minute."""
_NO_PERCENT = 10**12
"""Larger ones are told as they are, and the column refuses them; the largest no float can hold."""
_OTHER_LETTERS = re.compile(
    rb"\xff\xfe|\xfe\xff|<\0|\0<|\s*<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE
)
"""In which a part's tags and entities would not be found by their bytes."""
_CELLS = ("xl/worksheets/", "xl/sharedStrings.xml")
_BROKEN = (
    InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, IndexError, AttributeError,
    SyntaxError, EOFError, RuntimeError, NotImplementedError, zipfile.LargeZipFile,
)  # fmt: skip
"""What openpyxl and zipfile raise on a file that is no workbook."""

Rule = dict[str, str]


class SheetWrong(Invalid):
    """`sentences` has one per mistake, `第 3 行 近 6 个月贷款查询：…`."""

    code = "strategy_sheet_wrong"
    message = "表格没有存：{first}"

    def __init__(self, sentences: list[str]) -> None:
        self.sentences = sentences
        super().__init__(first=sentences[0])


def heads(columns: Sequence[Column]) -> list[str]:
    """The first line: the row's number, conditions, results. Two columns of one name are told apart by number."""
    found, seen = [ROW], dict[str, int]()
    for column in columns:
        name = f"{'条件' if column.kind == 'condition' else '结果'}：{column.label}"
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}（{seen[name]}）")
    return found


def write(name: str, columns: Sequence[Column], rules: Sequence[Rule], known: Catalogue) -> bytes:
    """The rows as an .xlsx; every cell is text, so that Excel computes and rounds nothing."""
    book = openpyxl.Workbook()
    page: Any = book.active
    page.title = "".join(c for c in name if c not in "[]:*?/\\")[:31] or "规则"
    lines = [heads(columns)] + [
        [rule["_id"], *(cells.shown(rule.get(column.id, ""), column, known) for column in columns)]
        for rule in rules
    ]
    for at, line in enumerate(lines, 1):
        for number, text in enumerate(line, 1):
            cell = page.cell(at, number)
            cell.value = text
            cell.data_type, cell.number_format = "s", "@"  # a text that begins with = or - is no formula
            if at == 1:
                cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E3F1E6")
    page.freeze_panes = "B2"
    for number, head in enumerate(lines[0], 1):
        page.column_dimensions[page.cell(1, number).column_letter].width = min(40, max(12, len(head) * 2))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def grid_of_file(content: bytes) -> list[list[str]]:
    """The lines of the first sheet. Raises `SheetWrong` for what is no workbook or too large."""
    if len(content) > LARGEST:
        raise SheetWrong(["文件太大，最多 2 MB"])
    try:
        parts = archives.unpack(content, most_files=_MOST_PARTS, largest=_UNPACKED)
        _look_over(parts)
        safe = archives.pack(parts)
        lines, wrong = [], list[str]()
        for line, written in zip(_lines(safe, values=True), _lines(safe, values=False), strict=True):
            wrong += [said for pair in zip(line, written, strict=True) if (said := _without_value(*pair))]
            lines.append([_text(cell.value, str(getattr(cell, "number_format", ""))) for cell in line])
    except archives.TooLarge as cause:
        raise SheetWrong(["文件解开以后太大"]) from cause
    except _BROKEN as cause:
        raise SheetWrong([_other(content)]) from cause
    if wrong:
        raise SheetWrong(wrong)
    return _trimmed(lines)


def _other(content: bytes) -> str:
    if content.startswith(b"PK") and b"xl/" in content:
        return "给的是 Excel 文件（.xlsx），但文件坏了，打不开；在 Excel 里另存一份再传"
    return f"{files.said(content)}，不是 Excel 文件（.xlsx）；要的是从这里导出的表格，或存成 .xlsx 的"


def _lines(content: bytes, *, values: bool) -> Iterator[Any]:
    """Rows of the first sheet: the values formulas had when the file was kept, or the formulas."""
    page: Any = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=values).worksheets[0]
    return iter(page.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS))


def _without_value(cell: Any, written: Any) -> str:
    """A formula nobody has worked out, or one that went wrong, would read as an empty cell: no condition at all."""
    place = f"{getattr(written, 'coordinate', '')}："
    if cell.value is None and written.value is not None:
        return f"{place}公式没有算出结果，把数写进去再传"
    wrong = isinstance(cell.value, str) and getattr(cell, "data_type", "") == "e"
    return f"{place}公式出错（{cell.value}），把数写进去再传" if wrong else ""


def _look_over(parts: Mapping[str, bytes]) -> None:
    """Raises `SheetWrong` for a file that would cost openpyxl too much, before it reads any of it."""
    of_cells, others = 0, 0
    for name, part in parts.items():
        if b"<!DOCTYPE" in part or _OTHER_LETTERS.match(part):
            raise SheetWrong(["不是 Excel 文件（.xlsx），或文件坏了"])
        if name.startswith(_CELLS):
            of_cells += part.count(b"<")
        else:
            others += part.count(b"<")
    if of_cells > _MOST_TAGS or others > _MOST_OTHER_TAGS:
        raise SheetWrong(["表格里的格子太多，把规则以外的内容去掉再传"])


def grid_of_text(text: str) -> list[list[str]]:
    """Lines pasted from a spreadsheet: cells apart by tabs."""
    return _trimmed([[each.strip() for each in line.split("\t")] for line in text.split("\n")])


def rules_of(
    grid: list[list[str]], columns: Sequence[Column], held: Sequence[Rule], known: Catalogue, free: str
) -> list[Rule]:
    """The rows of a grid. A row with a known 行号 keeps the bytes of every cell that still says the same; one without
    is new and is called `free`-1, -2 …. Raises `SheetWrong` with every mistake."""
    places = _places(grid, columns)
    if len(grid) - 1 > MOST_ROWS:
        raise SheetWrong([f"行太多，最多 {MOST_ROWS} 行"])
    old = {rule["_id"]: rule for rule in held}
    taken, wrong, made = set(old), list[str](), list[Rule]()
    for number, line in enumerate(grid[1:], 2):
        row = _cell(line, places[0])
        if not row:
            row = next(name for n in range(1, 10_000) if (name := f"{free}-{n}") not in taken)
        elif row in {rule["_id"] for rule in made}:
            wrong.append(f"第 {number} 行：行号 {row} 前面已经有了")
        taken.add(row)
        rule = dict(old.get(row, {"_id": row}))
        for column, place in zip(columns, places[1:], strict=True):
            try:
                rule[column.id] = _merged(rule.get(column.id), _cell(line, place), column, known)
            except CellUnreadable as cause:
                wrong.append(f"第 {number} 行 {column.label}：{cause.text}")
        made.append(rule)
    if wrong:
        raise SheetWrong(wrong)
    return made


def _merged(held: str | None, given: str, column: Column, known: Catalogue) -> str:
    if held is not None and plain(cells.shown(held, column, known)).strip() == plain(given).strip():
        return held
    return cells.read(given, column, known)


_NO_HEADS = "第 1 行和这张表的列名对不上：看看是不是选错了表，或者没有把列名那一行带上"


def _places(grid: list[list[str]], columns: Sequence[Column]) -> list[int]:
    """Where each head stands in the first line. Raises `SheetWrong`."""
    first, wanted = (grid[0] if grid else []), heads(columns)
    if len(set(wanted) & set(first)) * 2 < len(wanted):
        raise SheetWrong([_NO_HEADS])
    wrong = [f"第 1 行少了“{head}”这一列" for head in wanted if head not in first]
    wrong += [
        f"第 1 行的“{head}”不是这张表的列，删掉这一列再来" for head in first if head and head not in wanted
    ]
    wrong += [f"第 1 行有两列“{head}”" for head in dict.fromkeys(first) if head and first.count(head) > 1]
    if wrong:
        raise SheetWrong(wrong)
    return [first.index(head) for head in wanted]


def _cell(line: list[str], place: int) -> str:
    return line[place] if place < len(line) else ""


def _trimmed(lines: list[list[str]]) -> list[list[str]]:
    return [line for line in lines if any(each.strip() for each in line)]


def _text(value: Any, number_format: str) -> str:
    """A cell as a person sees it: Excel keeps 5% as 0.05."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float) and "%" in number_format and abs(value) < _NO_PERCENT:
        return f"{value * 100:.10g}%"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
