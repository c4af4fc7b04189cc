"""Rows through Excel and pasted text: untouched they are the same bytes; mistakes have a row and a column (A3-33)."""

import io

import openpyxl
import pytest

from backend.domains.decision import facts
from backend.domains.decision.model import Stage
from backend.domains.strategies import cells, checks, overlays, sheets
from backend.domains.strategies.sheets import SheetWrong

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
    assert "第 1 行的“别的”不是这张表的列" in problem.value.sentences


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a workbook", b"PK" + bytes(2_100_000)])
def test_what_is_no_workbook_is_said_so(content: bytes) -> None:
    with pytest.raises(SheetWrong):
        sheets.grid_of_file(content)
