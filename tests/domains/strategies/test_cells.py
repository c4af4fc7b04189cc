"""Cells in Chinese and back, byte for byte (A3-33)."""

import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as draw

from backend.domains.decision import facts
from backend.domains.decision.model import Stage
from backend.domains.strategies import calculations, cells, checks, overlays
from backend.domains.strategies.cells import CellUnreadable, Column

KNOWN = facts.catalogue()


def of(name: str) -> Column:
    return Column(id="c", label=KNOWN[name].label, kind="condition", fact=KNOWN[name])


AMOUNT = Column(id="r", label="金额", kind="number", unit="fen")
RATE = Column(id="r", label="基点", kind="number", unit="bp")
WORDS = Column(id="r", label="给客户的话", kind="text")
SEVERITY = Column(id="r", label="处理", kind="choice", choices=(("decline", "拒绝"), ("refer", "转人工")))


def test_every_cell_of_every_shipped_table_comes_back_as_it_was() -> None:
    seen = plain = 0
    for stage, document in checks.shipped_documents().items():
        for node in overlays.tables(document).values():
            for column in cells.columns(Stage(stage), node["content"], KNOWN):
                for rule in node["content"]["rules"]:
                    said = cells.shown(rule[column.id], column, KNOWN)
                    assert cells.read(said, column, KNOWN) == rule[column.id]
                    seen += 1
                    plain += not said.startswith(cells.RAW)
    assert seen > 500
    assert plain == seen, "everything is said in Chinese"


@pytest.mark.parametrize(
    ("written", "name", "cell"),
    [
        ("高于 50万", "bureau_guarantee_balance", "> 50000000"),
        ("高于500,000元", "bureau_guarantee_balance", "> 50000000"),
        ("> 500000", "bureau_guarantee_balance", "> 50000000"),
        ("不低于 70%", "debt_to_income_bp", ">= 7000"),
        ("超过70", "debt_to_income_bp", "> 7000"),
        ("低于 22 或 高于 60", "age_years", "< 22, > 60"),
        ("22 到 60", "age_years", "[22..60]"),
        ("不低于 22 且 低于 60", "age_years", "[22..60)"),
        ("高于 产品到期时最高年龄", "age_at_end_years", "> product_max_age"),
        ("大于等于 6", "age_years", ">= 6"),
        ("小于或等于6", "age_years", "<= 6"),
        ("60以上", "age_years", ">= 60"),
        ("22 岁及以下", "age_years", "<= 22"),
        ("不低于 6 岁", "age_years", ">= 6"),
        ("＞＝６", "age_years", ">= 6"),
        ("高于 ７０％", "debt_to_income_bp", "> 7000"),
        ("22-60", "age_years", "[22..60]"),
        ("1万-5万", "bureau_guarantee_balance", "[1000000..5000000]"),
        ("高于 1,200,000", "bureau_guarantee_balance", "> 120000000"),
        ("否", "in_service_area", "false"),
        ("不限", "in_service_area", ""),
        ("", "age_years", ""),
    ],
)
def test_what_people_write_is_what_the_engine_reads(written: str, name: str, cell: str) -> None:
    assert cells.read(written, of(name), KNOWN) == cell


@pytest.mark.parametrize(
    ("written", "column", "said"),
    [
        ("高于很多", of("age_years"), "看不懂"),
        ("高于 30%", of("age_years"), "不是百分数"),
        ("高于 30 元", of("age_years"), "不是金额"),
        ("高于 0.001 元", of("bureau_guarantee_balance"), "只能写到分"),
        ("高于 1,2万", of("bureau_guarantee_balance"), "逗号要三位一分"),
        ("高于 12,34,567 元", of("bureau_guarantee_balance"), "逗号要三位一分"),
        ("高于 5 次", of("bureau_guarantee_balance"), "这里是金额"),
        ("高于 12345678901234567890123", of("age_years"), "太大了"),
        (">", of("age_years"), "后面还要写一个数"),
        ("也许", of("in_service_area"), "没有“也许”这个选项"),
        ("", SEVERITY, "还没有选"),
        ("不超过 3 且 不低于 1", of("age_years"), "前面写下限"),
        ("您还没满 {不存在的} 岁", WORDS, "看不懂"),
        ("一'句\"话", WORDS, "中文引号"),
    ],
)
def test_what_is_not_understood_is_said(written: str, column: Column, said: str) -> None:
    with pytest.raises(CellUnreadable) as problem:
        cells.read(written, column, KNOWN)
    assert said in problem.value.text


@pytest.mark.parametrize(
    ("cell", "column", "said"),
    [
        ("20000050", AMOUNT, "200,000.50 元"),
        ("-15", RATE, "-0.15%"),
        ("product_max_amount", AMOUNT, KNOWN["product_max_amount"].label),
        ("'您还没满 {reg_min_age} 岁'", WORDS, "您还没满 {最低借款年龄} 岁"),
        ("'decline'", SEVERITY, "拒绝"),
        (">4", of("age_years"), "原式：>4"),
    ],
)
def test_what_the_document_holds_is_said_in_chinese(cell: str, column: Column, said: str) -> None:
    assert cells.shown(cell, column, KNOWN) == said


@given(
    draw.text(max_size=40), draw.sampled_from([of("age_years"), of("purpose"), AMOUNT, RATE, WORDS, SEVERITY])
)
def test_any_cell_at_all_comes_back(cell: str, column: Column) -> None:
    assert cells.read(cells.shown(cell, column, KNOWN), column, KNOWN) == cell


@given(
    draw.text(max_size=40), draw.sampled_from([of("age_years"), of("purpose"), AMOUNT, RATE, WORDS, SEVERITY])
)
def test_any_text_is_read_or_refused_and_nothing_else(text: str, column: Column) -> None:
    with contextlib.suppress(CellUnreadable):
        cells.read(text, column, KNOWN)


def test_no_cell_speaks_of_fen_hundredths_or_our_names() -> None:
    """What a risk officer reads is 元, % and Chinese; letters are left to codes, grades and LPR (issue 3 section 8)."""
    for stage, document in checks.shipped_documents().items():
        for node in overlays.tables(document).values():
            for column in cells.columns(Stage(stage), node["content"], KNOWN):
                for rule in node["content"]["rules"]:
                    said = cells.shown(rule[column.id], column, KNOWN)
                    plain = said.replace("LPR", "")
                    if column.label != "原因码" and said not in ("A", "B", "C", "D", "E"):
                        assert not re.search(r"[A-Za-z_]{2,}", plain), (stage, column.label, said)


PASTES = ("1{}2", "[{}", "1 或 {}x", "{}且", "原式：{}", "如果{}", "【{}", "取整({}1")


@pytest.mark.parametrize("paste", PASTES)
@pytest.mark.parametrize("filling", [" ", "\u3000", "..", " 或", "【", "1", "，就"])
def test_a_paste_of_any_length_holds_the_process_for_no_time(paste: str, filling: str) -> None:
    """Twenty kilobytes took seconds: the length is looked at before any pattern."""
    for length in (1_900, 20_000, 200_000):
        text = paste.replace("{}", filling * (length // len(filling)))
        began = time.process_time()
        for column in (of("device_customers_30d"), AMOUNT, WORDS):
            with contextlib.suppress(CellUnreadable):
                cells.read(text, column, KNOWN)
            cells.shown(text, column, KNOWN)
        with contextlib.suppress(CellUnreadable):
            calculations.read(text, KNOWN)
        calculations.say(text, KNOWN)
        assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "unit"),
    [("高于 3", "次"), ("2 到 6", "次"), ("不限", ""), ("原式：$ % 2 == 1", ""), ("高于 年龄", ""), ("", "")],
)
def test_the_unit_stands_behind_a_number_and_never_behind_what_is_shown_as_written(
    text: str, unit: str
) -> None:
    assert cells.counted(text, "次") == unit
