"""Rows through Excel and pasted text: untouched they are the same bytes; mistakes have a row and a column (A3-33)."""

import io
import re
import tracemalloc
import zipfile

import openpyxl
import pytest

from backend.domains.decision import facts
from backend.domains.decision.model import Stage
from backend.domains.strategies import cells, checks, overlays, sheets
from backend.domains.strategies.sheets import SheetWrong
from tests.liars import LARGE, liar

KNOWN = facts.catalogue()


def tables() -> list[tuple[Stage, dict]]:  # type: ignore[type-arg]
    return [
        (stage, node)
        for stage, document in checks.shipped_documents().items()
        for node in overlays.tables(document).values()
    ]


def test_every_shipped_table_comes_back_from_excel_and_from_pasting_as_it_went() -> None:
    for stage, node in tables():
        columns, rules = cells.columns(stage, node["content"], KNOWN), node["content"]["rules"]
        file = sheets.write(node["name"], columns, rules, KNOWN)
        grid = sheets.grid_of_file(file)
        assert sheets.rules_of(grid, columns, rules, KNOWN, "new") == rules, node["name"]
        assert sheets.rules_of(grid, columns, [], KNOWN, "new") == rules, "also where nothing was held"
        text = "\n".join("\t".join(line) for line in grid)
        assert sheets.rules_of(sheets.grid_of_text(text), columns, rules, KNOWN, "new") == rules


def bureau() -> tuple[list[cells.Column], list[dict[str, str]]]:
    node = overlays.tables(checks.shipped(Stage.ELIGIBILITY))["bureau"]
    return cells.columns(Stage.ELIGIBILITY, node["content"], KNOWN), node["content"]["rules"]


def test_numbers_and_percents_typed_in_excel_are_understood_and_a_row_without_number_is_new() -> None:
    columns, rules = bureau()
    book = openpyxl.load_workbook(io.BytesIO(sheets.write("征信", columns, rules, KNOWN)))
    page = book.active
    at = sheets.heads(columns).index("条件：近 6 个月贷款查询") + 1
    page.cell(len(rules) + 2, at).value = 7
    for number, column in enumerate(columns, 2):
        if column.kind != "condition":
            page.cell(len(rules) + 2, number).value = {"原因码": "X7", "处理": "转人工"}.get(
                column.label, "一句话"
            )
    out = io.BytesIO()
    book.save(out)
    made = sheets.rules_of(sheets.grid_of_file(out.getvalue()), columns, rules, KNOWN, "bureau-n1")
    assert made[:-1] == rules
    assert made[-1]["_id"] == "bureau-n1-1"
    assert "7" in made[-1].values()
    assert sheets._text(0.05, "0.00%") == "5%"


@pytest.mark.parametrize("formula", ["=1+1", "=A1"])
def test_a_formula_nobody_worked_out_is_no_empty_condition(formula: str) -> None:
    """Saved by a program that does not compute: the cell would have read as 不限 and the row hit everybody."""
    columns, rules = bureau()
    book = openpyxl.load_workbook(io.BytesIO(sheets.write("征信", columns, rules, KNOWN)))
    page = book.active
    at = sheets.heads(columns).index("条件：近 6 个月贷款查询") + 1
    place = page.cell(2, at)
    place.value = formula
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(sheets.SheetWrong) as problem:
        sheets.grid_of_file(out.getvalue())
    assert f"{place.coordinate}：公式没有算出结果" in problem.value.text


def test_mistakes_are_named_by_row_and_column_and_nothing_is_read() -> None:
    columns, rules = bureau()
    grid = sheets.grid_of_file(sheets.write("征信", columns, rules, KNOWN))
    at = sheets.heads(columns).index("条件：近 6 个月贷款查询")
    grid[2][at], grid[3][0] = "好几次", grid[1][0]
    with pytest.raises(SheetWrong) as problem:
        sheets.rules_of(grid, columns, rules, KNOWN, "new")
    assert any(
        each.startswith("第 3 行 近 6 个月贷款查询：看不懂“好几次”") for each in problem.value.sentences
    )
    assert any("第 4 行：行号" in each for each in problem.value.sentences)
    grid[0][1] = "别的"
    with pytest.raises(SheetWrong) as problem:
        sheets.rules_of(grid, columns, rules, KNOWN, "new")
    assert "第 1 行的“别的”不是这张表的列，删掉这一列再来" in problem.value.sentences


def test_rows_without_their_heads_or_of_another_table_are_one_mistake() -> None:
    columns, rules = bureau()
    grid = sheets.grid_of_file(sheets.write("征信", columns, rules, KNOWN))
    with pytest.raises(SheetWrong) as problem:
        sheets.rules_of(grid[1:], columns, rules, KNOWN, "new")
    [said] = problem.value.sentences
    assert "没有把列名那一行带上" in said


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a workbook", b"PK" + bytes(2_100_000)])
def test_what_is_no_workbook_is_said_so(content: bytes) -> None:
    with pytest.raises(SheetWrong):
        sheets.grid_of_file(content)


NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
ENTITY = f'<!DOCTYPE w [<!ENTITY a "{"A" * 10_000}">]>'
TEXT = '<row r="1"><c r="A1" t="inlineStr"><is><t>&a;</t></is></c></row>'
CELL = f"<worksheet {NS}><sheetData>{TEXT}</sheetData></worksheet>"
BOMBS = {
    "a million cells in 60 kB": (
        "xl/worksheets/sheet1.xml",
        f"<worksheet {NS}>{'<c/>' * 1_000_000}</worksheet>".encode(),
    ),
    "as many rows": (
        "xl/worksheets/sheet1.xml",
        f"<worksheet {NS}>{'<row/>' * 400_000}</worksheet>".encode(),
    ),
    "styles": (
        "xl/styles.xml",
        f"<styleSheet {NS}><cellXfs>{'<xf/>' * 100_000}</cellXfs></styleSheet>".encode(),
    ),
    "entities": ("xl/worksheets/sheet1.xml", (ENTITY + CELL).encode()),
    "entities in UTF-16": ("xl/worksheets/sheet1.xml", (ENTITY + CELL).encode("utf-16")),
    "entities in EBCDIC": (
        "xl/worksheets/sheet1.xml",
        b'<?xml version="1.0" encoding="cp037"?>' + (ENTITY + CELL).encode("cp037"),
    ),
    "blanks without end": ("docProps/app.xml", b" " * 9_000_000),
}


def altered(name: str, part: bytes, **more: bytes) -> bytes:
    """A workbook with parts replaced, packed tightly."""
    changed = {name: part, **more}
    columns, rules = bureau()
    whole = zipfile.ZipFile(io.BytesIO(sheets.write("征信", columns, rules, KNOWN)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in whole.namelist():
            packed.writestr(each, changed[each] if each in changed else whole.read(each))
    return out.getvalue()


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_that_unfolds_is_refused_before_it_is_read(
    bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """openpyxl took a minute over the first of these, and every customer of the process waited."""
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *_, **__: pytest.fail("it was read"))
    file = altered(*BOMBS[bomb])
    assert len(file) < 100_000
    with pytest.raises(SheetWrong):
        sheets.grid_of_file(file)


def test_a_part_that_lies_about_its_size_is_never_unpacked() -> None:
    """A workbook of a kilobyte took gigabytes: zipfile unpacks first and looks at the size that was told after."""
    file = liar({"xl/worksheets/sheet1.xml": LARGE}, zipfile.ZIP_DEFLATED, told=1_000)
    tracemalloc.start()
    with pytest.raises(SheetWrong):
        sheets.grid_of_file(file)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 4_000_000


def test_a_percent_no_number_can_hold_is_a_mistake_of_its_cell() -> None:
    columns, rules = bureau()
    whole = zipfile.ZipFile(io.BytesIO(sheets.write("征信", columns, rules, KNOWN)))
    styles = whole.read("xl/styles.xml").replace(b'numFmtId="49"', b'numFmtId="10"')
    page = whole.read("xl/worksheets/sheet1.xml").decode()
    page = re.sub(r'<c r="D2".*?(</c>|/>)', f'<c r="D2" s="2"><v>{"9" * 400}</v></c>', page, count=1)
    file = altered("xl/styles.xml", styles, **{"xl/worksheets/sheet1.xml": page.encode()})
    grid = sheets.grid_of_file(file)
    assert grid[1][3] == "9" * 400
    with pytest.raises(SheetWrong) as told:
        sheets.rules_of(grid, columns, rules, KNOWN, "new")
    assert told.value.sentences[0].startswith("第 2 行")


def test_a_picture_in_the_workbook_does_no_harm() -> None:
    columns, rules = bureau()
    out = io.BytesIO(sheets.write("征信", columns, rules, KNOWN))
    with zipfile.ZipFile(out, "a") as packed:
        packed.writestr("xl/media/image1.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200)
        packed.writestr("xl/printerSettings/printerSettings1.bin", "打印机".encode("utf-16-le") * 50)
    assert sheets.rules_of(sheets.grid_of_file(out.getvalue()), columns, rules, KNOWN, "new") == rules
