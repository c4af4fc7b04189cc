"""Figures on paper, and that pages write them alike."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.documents import wording
from backend.web import formats


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "人民币零元整"),
        (1, "人民币壹分"),
        (10, "人民币壹角整"),
        (52_000_00, "人民币伍万贰仟元整"),
        (100_000_00, "人民币壹拾万元整"),
        (200_000_00, "人民币贰拾万元整"),
        (1_001_00, "人民币壹仟零壹元整"),
        (10_010_00, "人民币壹万零壹拾元整"),
        (100_500_00, "人民币壹拾万零伍佰元整"),
        (1_409_50, "人民币壹仟肆佰零玖元伍角整"),
        (6_007_14, "人民币陆仟零柒元壹角肆分"),
        (325_04, "人民币叁佰贰拾伍元零肆分"),
        (100_000_000_00, "人民币壹亿元整"),
        (100_000_001_00, "人民币壹亿零壹元整"),
        (110_000_00, "人民币壹拾壹万元整"),
        (10_000_500_00, "人民币壹仟万零伍佰元整"),
    ],
)
def test_amounts_in_capitals(fen, text):
    assert wording.capital(fen) == text


@given(st.integers(1, 10**13))
def test_no_two_amounts_share_their_capitals(fen):
    assert wording.capital(fen) != wording.capital(fen + 1)
    assert "零零" not in wording.capital(fen)


@given(st.integers(0, 10**12), st.decimals(0, 1, places=6), st.dates())
def test_n3_pages_and_papers_write_figures_alike(fen, rate, day):
    assert wording.yuan(fen) == formats.yuan_exact(fen)
    assert wording.percent(Decimal(rate)) == formats.percent(Decimal(rate))
    assert wording.day(date(day.year, day.month, day.day)) == formats.date_cn(day)
