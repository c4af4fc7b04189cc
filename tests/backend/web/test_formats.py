from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.web import formats

NOW = datetime(2026, 11, 23, 6, 20, tzinfo=UTC)  # 14:20 in China


@pytest.mark.parametrize(
    ("fen", "text"),
    [(5_200_000, "52,000"), (5_125, "51.25"), (5, "0.05"), (0, "0"), (-150, "-1.50"), (10, "0.10")],
)
def test_yuan_shows_decimals_only_where_there_are_any(fen: int, text: str) -> None:
    assert formats.yuan(fen) == text


@given(st.integers(-(10**13), 10**13))
def test_yuan_loses_no_fen(fen: int) -> None:
    for text in (formats.yuan(fen), formats.yuan_exact(fen)):
        assert int(Decimal(text.replace(",", "")) * 100) == fen


@pytest.mark.parametrize(
    ("fen", "text"), [(20_000_000, "20"), (5_200_000, "5.2"), (100_000_000, "100"), (1, "0.000001")]
)
def test_wan_is_never_rounded(fen: int, text: str) -> None:
    assert formats.wan(fen) == text


def test_rates_always_show_two_decimals_so_that_they_compare() -> None:
    assert formats.percent(Decimal("0.0615")) == "6.15%"
    assert formats.percent(Decimal("0.092250")) == "9.23%"
    assert formats.percent_range(Decimal("0.0435"), Decimal("0.0960")) == "4.35%–9.60%"
    assert formats.percent_range(Decimal("0.05"), Decimal("0.05")) == "5.00%"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "今天 18:00"),
        (datetime(2026, 11, 23, 16, 5, tzinfo=UTC), "明天 0:05"),
        (datetime(2026, 11, 22, 1, 0, tzinfo=UTC), "昨天 9:00"),
        (datetime(2026, 12, 31, 15, 0, tzinfo=UTC), "12月31日 23:00"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027年1月1日 0:00"),
    ],
)
def test_moments_are_told_in_chinese_time(at: datetime, text: str) -> None:
    assert formats.moment_cn(at, NOW) == text


def test_a_moment_written_as_a_date_is_the_chinese_day() -> None:
    assert formats.date_cn(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == "2027年1月1日"
    assert formats.date_cn(date(2027, 6, 30)) == "2027年6月30日"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("13800000427", "138 0000 0427"),
        ("411701198803080010", "411701 19880308 0010"),
        ("40825917", "4082 5917"),
        ("", ""),
    ],
)
def test_digits_are_grouped_for_reading_aloud(text: str, spoken: str) -> None:
    assert formats.grouped(text) == spoken


@given(st.text(max_size=40), st.text(max_size=5))
def test_marking_keeps_every_character(value: str, unclear: str) -> None:
    runs = formats.marked(value, unclear)
    assert "".join(text for text, _ in runs) == value
    assert all((character in unclear) == doubtful for text, doubtful in runs for character in text)


def test_a_day_is_a_moment_without_its_time() -> None:
    assert formats.day_cn(NOW, NOW) == "今天"
    assert formats.day_cn(datetime(2027, 3, 8, 4, 0, tzinfo=UTC), NOW) == "2027年3月8日"
