"""Invented tables to train on."""

from pathlib import Path

import numpy
import polars as pl
import pytest

from backend.domains.models.training import command


def invented(rows: int = 4000, seed: int = 7) -> pl.DataFrame:
    """Numbers, categories, missing and special values, months, two groups; `坏` follows the hidden quality."""
    draw = numpy.random.default_rng(seed)
    quality = draw.normal(0, 1, rows)
    queries = draw.poisson(numpy.exp(0.5 - 0.4 * quality))
    use = numpy.clip(draw.normal(0.4 - 0.15 * quality, 0.2, rows), 0, 1.2).round(4)
    work = draw.choice(["种植户", "养殖户", "个体工商户", "工资户", "外出务工"], rows)
    shift = {"种植户": 0, "养殖户": 0.3, "个体工商户": -0.1, "工资户": -0.9, "外出务工": 0.6}
    log_odds = -1.6 - 0.8 * quality + 0.15 * queries + 0.9 * use + numpy.array([shift[w] for w in work])
    saved = numpy.exp(8 + quality * 0.7 + draw.normal(0, 0.8, rows)).round(2)
    tax = numpy.where(draw.random(rows) < 0.2, -999, numpy.exp(7 + 0.5 * quality).round())
    empty = draw.random(rows) < 0.15
    month = draw.integers(0, 12, rows)
    return pl.DataFrame(
        {
            "客户编号": [f"K{number:08d}" for number in range(rows)],
            "月份": [f"2025-{m + 1:02d}" for m in month],
            "性别": draw.choice(["男", "女"], rows),
            "年龄": draw.integers(20, 65, rows),
            "近半年查询": queries,
            "用卡率": use,
            "职业": work,
            "存款": [None if gone else float(value) for value, gone in zip(saved, empty, strict=True)],
            "纳税": tax,
            "常数": [1] * rows,
            "坏": (draw.random(rows) < 1 / (1 + numpy.exp(-log_odds))).astype(int),
        }
    )


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    return invented()


@pytest.fixture(scope="session")
def csv_file(table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("invented") / "table.csv"
    table.write_csv(path)
    return path


ASKED = [
    "--target",
    "坏",
    "--out-of-time",
    "月份",
    "--group",
    "性别",
    "年龄",
    "--special",
    "-999",
    "--monotone",
    "近半年查询=descending",
    "用卡率=descending",
    "存款=ascending",
]


@pytest.fixture(scope="session")
def card_folder(csv_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("card")
    assert command.main([str(csv_file), *ASKED, "--out", str(out), "--json"]) == 0
    return out


@pytest.fixture(scope="session")
def trees_folder(csv_file: Path, card_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trees")
    live = ["--live", str(card_folder / "scorecard.json")]
    assert command.main([str(csv_file), *ASKED, "--kind", "trees", *live, "--out", str(out), "--json"]) == 0
    return out
