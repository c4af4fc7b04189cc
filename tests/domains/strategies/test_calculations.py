"""Calculations inside a flow (issue 3 §8): said in Chinese, read back byte for byte, held to the checks of a file."""

import copy

import pytest

from backend.domains.decision import bundle, facts, gate, lint
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, beside, calculations, cells, diff, shaping
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.calculations import Row, RowsWrong
from backend.domains.strategies.cells import CellUnreadable
from backend.domains.strategies.model import UnionContent
from tests.domains.decision.documents import chained

KNOWN = facts.catalogue()
STAGE = Stage.ELIGIBILITY
DOCUMENT = bundle.seeded_documents()[STAGE]

SAID = [
    ("取整(【认可的年收入】 × 30%)", "floor(usable_annual_income * 0.3)", "fen"),
    ("【近 6 个月贷款查询】 + 【有余额的贷款机构数】", "bureau_queries_6m + bureau_lenders_open", ""),
    ("【申请金额】 + 100 元", "requested_amount + 10000", "fen"),
    ("【当前逾期金额】 高于 0 元", "bureau_overdue_amount > 0", ""),
    ("【在服务区域内】 否", "not(in_service_area)", ""),
    ("【近 6 个月贷款查询】 高于 5 或 低于 2", "bureau_queries_6m > 5 or bureau_queries_6m < 2", ""),
    (
        "【近 6 个月贷款查询】 高于 5 且 【在服务区域内】 是",
        "bureau_queries_6m > 5 and in_service_area",
        "",
    ),
    ("【产品类别】 消费、经营", "product_kind in ['consumer', 'business']", ""),
    (
        "如果 【近 6 个月贷款查询】 高于 5，就 100,000 元，否则 【申请金额】",
        "bureau_queries_6m > 5 ? 10000000 : requested_amount",
        "fen",
    ),
]


@pytest.mark.parametrize("said, cell, unit", SAID)
def test_what_is_said_is_read_and_said_again(said, cell, unit):
    assert calculations.read(said, KNOWN) == cell
    assert calculations.say(cell, KNOWN) == said
    assert calculations.unit_of(cell, KNOWN) == unit


@pytest.mark.parametrize(
    "cell",
    [
        "bureau_queries_6m >= 3 and (bureau_lenders_open > 2 or in_service_area)",
        "not(bureau_queries_6m > 5)",
        "(bureau_queries_6m + 1) * 2 > bureau_lenders_open",
        "bureau_queries_6m > 5 ? 1 : bureau_lenders_open > 2 ? 2 : 3",
        "nonsense (",
        "",
    ],
)
def test_whatever_cannot_be_said_keeps_its_bytes(cell):
    assert calculations.read(calculations.say(cell, KNOWN), KNOWN) == cell.strip()


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("【没有】 + 1", "没有叫“没有”的数据项"),
        ("【没有】 高于 1", "没有叫“没有”的数据项"),
        ("申请金额 × 2", "算式里写成【名字】"),
        ("【申请金额】 + 【近 6 个月贷款查询】", "单位不一样"),
        ("50万元", "系统才认得单位"),
        ("取整(【申请金额】 × 100 ÷ 6万元)", "系统才认得单位"),
        ("【在服务区域内】 是 且 【在校学生】 是 或 【有呆账或代偿】 是", "不要混在一行里写"),
        ("【产品类别】 水果", "没有“水果”这个选项"),
        ("如果 高于 5，就 1，否则 2", "条件写成"),
        ("", "没有写完"),
    ],
)
def test_what_is_not_understood_is_told(text, sentence):
    with pytest.raises(CellUnreadable) as caught:
        calculations.read(text, KNOWN)
    assert sentence in caught.value.text


def wrong(document) -> list[str]:
    return [str(each) for each in lint.check(STAGE, document, KNOWN) if each.severity == "error"]


def placed(*rows: tuple[str, str], before: str = arranging.ENTRY):
    made = calculations.with_calculation(DOCUMENT, "合计", [Row("", *each) for each in rows])
    return arranging.inserted(made, made["nodes"][-1]["id"], before)


def test_a_calculation_in_front_of_everything_gives_names_a_table_can_look_at():
    before = copy.deepcopy(DOCUMENT)
    made = placed(("查询和机构数", SAID[1][0]), ("三成收入", SAID[0][0]), ("查得多", SAID[3][0]))
    assert before == DOCUMENT
    assert wrong(made) == []
    assert {(e["sourceId"], e["targetId"]) for e in made["edges"] if e["sourceId"] == "facts"} == {
        ("facts", "calc-1")
    }
    known = calculations.words(made, KNOWN)
    names = [each["key"] for each in made["nodes"][-1]["content"]["expressions"]]
    assert [(known[n].label, known[n].kind) for n in names] == [
        ("查询和机构数", "int"), ("三成收入", "fen"), ("查得多", "bool"),
    ]  # fmt: skip
    assert calculations.gives(known[names[1]]).startswith("金额，0 元 到 ")
    table = next(n for n in made["nodes"] if n["id"] == "bureau")["content"]
    places = shaping.places(STAGE, table, shaping.order_of(table), known)
    order = shaping.with_column(places, f"+{names[1]}", condition=True)
    shaped = shaping.shaped(STAGE, made, "bureau", order, known)
    assert wrong(shaped) == []
    table = next(n for n in shaped["nodes"] if n["id"] == "bureau")["content"]
    column = next(c for c in cells.columns(STAGE, table, known) if c.label == "三成收入")
    cell = cells.read("低于 5,000 元", column, known)
    assert (cell, cells.shown(cell, column, known)) == ("< 500000", "低于 5,000 元")
    table["rules"][0][column.id] = cell
    assert wrong(shaped) == []
    assert gate.compile_stage(STAGE, shaped, KNOWN).plan, "and it runs"
    told = [
        c.sentence
        for c in diff.between(STAGE, UnionContent(document=made), UnionContent(document=shaped), KNOWN)
    ]
    assert "征信 第 1 行“您现在有 {当前逾期金额}到期没还” 三成收入：不限 改为 低于 5,000 元" in told
    assert "三成收入" in str(beside.tables(STAGE, made, shaped, KNOWN, {}))


def test_a_calculation_in_front_of_one_step_stands_in_its_lines_alone():
    made = placed(("查询和机构数", SAID[1][0]), before="bureau")
    lines = {(e["sourceId"], e["targetId"]) for e in made["edges"]}
    assert {("facts", "calc-1"), ("calc-1", "bureau"), ("facts", "person")} <= lines
    assert ("facts", "bureau") not in lines
    assert wrong(made) == []
    with pytest.raises(ArrangementWrong):
        placed(("一", SAID[1][0]), before="nowhere")


def test_rows_nobody_touched_keep_their_bytes_and_names_keep_their_letters():
    made = placed(("查询和机构数", SAID[1][0]), ("三成收入", SAID[0][0]))
    node = made["nodes"][-1]
    rows = calculations.rows_of(node, calculations.words(made, KNOWN))
    assert calculations.with_rows(made, "calc-1", rows) == made
    renamed = [
        Row(rows[0].id, "查询加机构", rows[0].text),
        Row(rows[1].id, rows[1].name, "取整(【认可的年收入】 × 40%)"),
    ]
    again = calculations.with_rows(made, "calc-1", renamed)["nodes"][-1]["content"]["expressions"]
    assert [(e["key"], e["id"]) for e in again] == [
        (e["key"], e["id"]) for e in node["content"]["expressions"]
    ]
    assert [e["description"] for e in again] == ["查询加机构", "三成收入"]
    changed = {
        **made,
        "nodes": [*made["nodes"][:-1], {**node, "content": {**node["content"], "expressions": again}}],
    }
    told = [
        c.sentence
        for c in diff.between(STAGE, UnionContent(document=made), UnionContent(document=changed), KNOWN)
    ]
    assert (
        "合计：三成收入 = 取整(【认可的年收入】 × 30%) 改为 三成收入 = 取整(【认可的年收入】 × 40%)" in told
    )
    one = calculations.with_rows(made, "calc-1", [rows[0], Row("", "", "")])
    assert len(one["nodes"][-1]["content"]["expressions"]) == 1
    assert not any("三成收入" in each for each in wrong(one))


def test_names_that_are_taken_missing_or_of_the_same_node_are_told_by_their_field():
    made = placed(("查询和机构数", SAID[1][0]))
    rows = calculations.rows_of(made["nodes"][-1], calculations.words(made, KNOWN))
    asked = [
        *rows,
        Row("", "年龄", "1"),
        Row("", "", "2"),
        Row("", "两倍", "【查询和机构数】 × 2"),
        Row("", "两倍", "3"),
    ]
    with pytest.raises(RowsWrong) as caught:
        calculations.with_rows(made, "calc-1", asked)
    fields = caught.value.fields
    assert "已经有叫“年龄”的了" in fields["name_1"]
    assert "起个名字" in fields["name_2"]
    assert "互相看不见" in fields["value_3"]
    assert "已经有叫“两倍”的了" in fields["name_4"]
    later = calculations.with_calculation(made, "再算", [Row("", "两倍", "【查询和机构数】 × 2")])
    later = arranging.inserted(later, "calc-2", "bureau")
    assert wrong(later) == [], "a later step sees it"
    with pytest.raises(RowsWrong):
        calculations.with_rows(made, "calc-1", [])


def test_a_flow_from_a_file_is_shown_and_kept_as_it_is():
    document = chained()
    known = calculations.words(document, KNOWN)
    node = next(n for n in document["nodes"] if n["type"] == "expressionNode")
    rows = calculations.rows_of(node, known)
    assert [row.name for row in rows] == ["asked", "busy"]
    assert calculations.with_rows(document, node["id"], rows) == document
    broken = copy.deepcopy(document)
    next(n for n in broken["nodes"] if n["type"] == "expressionNode")["content"]["expressions"] = [{"key": 1}]
    assert calculations.nodes_of(broken) == []
    calculations.words(broken, KNOWN)


def test_lines_are_read_one_a_name():
    rows = calculations.lines_of("查得多 = 【近 6 个月贷款查询】 高于 5\n两倍 ＝ 【申请期限】 × 2\n")
    assert [(row.name, row.text) for row in rows] == [
        ("查得多", "【近 6 个月贷款查询】 高于 5"), ("两倍", "【申请期限】 × 2"),
    ]  # fmt: skip
    for text in ("", "没有等号", "= 3"):
        with pytest.raises(ArrangementWrong):
            calculations.lines_of(text)


@pytest.mark.parametrize(
    ("wide", "plain"),
    [
        ("取整（【认可的年收入】×３０％）", "取整(【认可的年收入】 × 30%)"),
        ("取整(１．５ × 【申请金额】)", "取整(1.5 × 【申请金额】)"),
        (
            "如果 【近 6 个月贷款查询】 高于 ５，就 １，否则 ２",
            "如果 【近 6 个月贷款查询】 高于 5，就 1，否则 2",
        ),
    ],
)
def test_wide_digits_of_a_chinese_keyboard_are_digits(wide: str, plain: str) -> None:
    known = facts.catalogue()
    assert calculations.read(wide, known) == calculations.read(plain, known)
