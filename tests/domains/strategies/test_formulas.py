"""Sums in 元 and %, and back to the engine's fen and hundredths of a percent (A3-33)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as draw

from backend.domains.decision import facts
from backend.domains.strategies import formulas
from backend.domains.strategies.formulas import Unsaid

KNOWN = facts.catalogue()


@pytest.mark.parametrize(
    ("engine", "unit", "said"),
    [
        (
            "floor(10000000 + counted_assets * 0.8)",
            "fen",
            "取整(100,000 元 + 【折算后的金融资产】 × 80%)",
        ),
        (
            "floor(usable_annual_income * 0.55 / 12 - bureau_monthly_repayment) * requested_term_months",
            "fen",
            "取整(【认可的年收入】 × 55% ÷ 12 − 【每月应还合计】) × 【申请期限】",
        ),
        ("min([usable_annual_income * 4, 20000050])", "fen", "最小(【认可的年收入】 × 4、200,000.50 元)"),
        ("requested_term_months * 120000", "fen", "【申请期限】 × 1,200 元"),
        ("15 - campaign_discount_bp", "bp", "0.15% − 【活动优惠】"),
        ("age_years + 2", "int", "【年龄】 + 2"),
    ],
)
def test_a_sum_is_said_in_yuan_and_percent_and_read_back(engine: str, unit: str, said: str) -> None:
    assert formulas.say(engine, unit.replace("int", ""), KNOWN) == said
    assert formulas.read(said, unit.replace("int", ""), KNOWN) == engine


@pytest.mark.parametrize(
    "engine",
    [
        "usable_annual_income * counted_assets",  # an amount times an amount is none
        "usable_annual_income + requested_term_months",  # yuan and months
        "usable_annual_income / counted_assets",  # a share is no amount
        "counted_assets*0.8",  # other bytes than we would write
        "nobody_knows + 1",
        "floor(1",
    ],
)
def test_what_has_no_plain_form_is_not_said_at_all(engine: str) -> None:
    assert formulas.say(engine, "fen", KNOWN) is None


@pytest.mark.parametrize(
    ("written", "engine"),
    [
        ("取整（6万元+【折算后的金融资产】*80%）", "floor(6000000 + counted_assets * 0.8)"),
        ("60000 + 【折算后的金融资产】 × 0.8", "6000000 + counted_assets * 0.8"),
        ("最大(【认可的年收入】 × 2、1万)", "max([usable_annual_income * 2, 1000000])"),
    ],
)
def test_what_a_person_writes_counts_in_yuan(written: str, engine: str) -> None:
    assert formulas.read(written, "fen", KNOWN) == engine


@pytest.mark.parametrize(
    ("written", "unit", "why"),
    [
        ("【折算后的金融资产】 + 5%", "fen", "不是百分数"),
        ("【折算后的金融资产】 × 3 元", "fen", "不能相乘"),
        ("【没有的】 + 1", "fen", "没有叫“没有的”的数据项"),
        ("【折算后的金融资产】 +", "fen", "没有写完"),
        ("取整(【折算后的金融资产】", "fen", "括号"),
        ("【年龄】 + 【折算后的金融资产】", "fen", "单位不一样"),
        ("9" * 40 + " + 1", "fen", "太大"),
        (" + ".join("1" * 400), "fen", "太长"),
        ("(" * 35 + "1" + ")" * 35, "fen", "太深"),
    ],
)
def test_what_makes_no_sense_is_said(written: str, unit: str, why: str) -> None:
    with pytest.raises(Unsaid, match=why):
        formulas.read(written, unit, KNOWN)


@given(
    draw.text(alphabet="取整进(（)）【】年龄0123.,万元% +-*/×÷−、", max_size=30),
    draw.sampled_from(["fen", "bp", ""]),
)
def test_any_text_is_read_or_refused(text: str, unit: str) -> None:
    with contextlib.suppress(Unsaid):
        formulas.read(text, unit, KNOWN)
