"""Ranges of a report in the units people speak."""

import msgspec
import pytest

from backend.domains.decision import scorecard
from backend.domains.models import differences, drift, units
from backend.domains.models.training import plots, wording


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("debt_to_income_bp", "不到 2,466", "不到 24.66%"),
        ("debt_to_income_bp", "2,466 至 3,360", "24.66% 至 33.6%"),
        ("core_deposit_average_6m", "2.10885e+06 及以上", "21,088.5 元 及以上"),
        ("core_deposit_average_6m", "不到 148,200", "不到 1,482 元"),
        ("applicant_age", "22 至 35", "22 至 35"),
        ("自己的列", "2.10885e+06 及以上", "2,108,850 及以上"),
        ("自己的列", "全部", "全部"),
        ("core_deposit_average_6m", "缺失", "缺失"),
    ],
)
def test_a_range_is_said_in_yuan_or_per_cent_and_never_as_a_power_of_ten(
    column: str, text: str, said: str
) -> None:
    assert units.in_words(column, text) == said


def test_the_file_of_a_report_says_ranges_as_the_pages_do() -> None:
    row = {"bin": "不到 148,200", "people": 900, "bad_rate": 0.05, "points": 7}
    feature = {
        "name": "core_deposit_average_6m",
        "bins": [row],
        "iv": 0.2,
        "psi": 0.01,
        "level": drift.STEADY,
    }
    assert wording._bins(feature, str).rows == [["不到 1,482 元", "900", "5.00%", "7"]]
    assert "不到 1,482 元：坏账率 5.00%" in plots._bins(feature, str).alt


@pytest.mark.parametrize(
    ("value", "said"), [(2108850, "2,108,850"), (0.123456, "0.123456"), (1482.5, "1,482.5")]
)
def test_a_large_number_is_written_out(value: float, said: str) -> None:
    assert units.number(value) == said


def test_new_ranges_of_a_share_are_told_in_per_cent() -> None:
    old = scorecard.seeded()
    at = next(n for n, each in enumerate(old.characteristics) if each.name == "debt_to_income_bp")
    part = old.characteristics[at]
    moved = msgspec.structs.replace(part, splits=[*part.splits[:-1], part.splits[-1] + 250])
    new = msgspec.structs.replace(
        old, characteristics=[*old.characteristics[:at], moved, *old.characteristics[at + 1 :]]
    )
    [said] = differences.between(msgspec.json.encode(old), msgspec.json.encode(new))
    assert f"{(part.splits[-1] + 250) / 100:g}% 及以上" in said, said
