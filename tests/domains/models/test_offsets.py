"""County offsets by shrinkage: what can be told apart is, what cannot is said so (N14)."""

import json
import math
import random

import polars as pl
import pytest

from backend.domains.decision import facts, scorecard
from backend.domains.models import artefacts, offsets
from backend.domains.models.training import command
from tests.domains.models.conftest import invented

FACTOR = 20 / math.log(2)


def counties(sizes: dict[str, int], shifts: dict[str, float], seed: int = 3):
    """Chances of the provincial model and ends of people whose true log odds are shifted per county."""
    draw = random.Random(seed)
    chances, bad = {}, {}
    for name, size in sizes.items():
        odds = [draw.gauss(-2.4, 0.9) for _ in range(size)]
        chances[name] = [1 / (1 + math.exp(-each)) for each in odds]
        bad[name] = [int(draw.random() < 1 / (1 + math.exp(-(each + shifts.get(name, 0))))) for each in odds]
    return chances, bad


def estimated(sizes, shifts, seed=3):
    spread, found = offsets.estimate(*counties(sizes, shifts, seed), FACTOR)
    return spread, {county.county: county for county in found}


def test_large_counties_that_differ_get_their_points_in_the_right_direction():
    shifts = {"甲": 0.6, "乙": -0.6, "丙": 0.0, "丁": 0.3, "戊": -0.3}
    spread, found = estimated(dict.fromkeys(shifts, 6000), shifts)
    assert spread == pytest.approx(0.45, abs=0.2)
    for name in ("甲", "乙"):
        assert found[name].enough
        assert found[name].offset == pytest.approx(shifts[name], abs=0.2)
        assert found[name].points == pytest.approx(-FACTOR * shifts[name], abs=6)
    assert "少给" in found["甲"].told
    assert "多给" in found["乙"].told


def test_a_small_county_is_told_that_its_data_is_not_enough():
    shifts = {"甲": 0.6, "乙": -0.6, "丙": 0.3, "小": 0.6}
    _, found = estimated({"甲": 5000, "乙": 5000, "丙": 5000, "小": 60}, shifts)
    assert not found["小"].enough
    assert found["小"].points == 0
    assert found["小"].told == "数据不足，暂看不出差异"


def test_where_counties_do_not_differ_hardly_anybody_is_told_that_they_do():
    wrong = total = 0
    for seed in range(60):
        _, found = estimated(dict.fromkeys("甲乙丙丁戊己", 700), {}, seed)
        wrong += sum(county.enough for county in found.values())
        total += len(found)
    assert wrong / total < 0.05


def test_a_county_is_never_pulled_past_its_own_data_and_always_towards_the_province():
    shifts = {"甲": 0.8, "乙": -0.5, "丙": 0.1, "丁": -0.2}
    chances, bad = counties({"甲": 300, "乙": 800, "丙": 3000, "丁": 100}, shifts)
    _, found = offsets.estimate(chances, bad, FACTOR)
    for county in found:
        own, _ = offsets._own(chances[county.county], bad[county.county])
        assert abs(county.offset) <= abs(own)
        assert county.offset * own >= 0


def test_a_county_without_a_bad_case_and_a_lonely_county_stay_finite():
    chances, bad = counties({"甲": 400, "乙": 400}, {})
    bad["甲"] = [0] * 400
    _, found = offsets.estimate(chances, bad, FACTOR)
    assert all(math.isfinite(county.offset) and abs(county.points) <= offsets.MOST_POINTS for county in found)
    spread, found = offsets.estimate({"甲": chances["甲"]}, {"甲": bad["甲"]}, FACTOR)
    assert spread == 0
    assert found[0].told == offsets.NOT_ENOUGH


def test_training_with_a_county_column_keeps_the_offsets_in_the_artefact(tmp_path):
    table = invented(6000).with_columns(县=pl.Series([("4101", "4102", "4103")[n % 3] for n in range(6000)]))
    worse = (table["县"] == "4102") & (pl.int_range(6000, eager=True) % 4 == 0)
    table = table.with_columns(坏=pl.when(worse).then(1).otherwise(pl.col("坏")))
    table.write_csv(tmp_path / "table.csv")
    given = [
        str(tmp_path / "table.csv"),
        "--target",
        "坏",
        "--county",
        "县",
        "--exclude",
        "年龄",
        "性别",
        "月份",
    ]
    assert command.main([*given, "--out", str(tmp_path), "--json"]) == 0
    told = json.loads((tmp_path / "report.json").read_text())
    rows = {row["county"]: row for row in told["counties"]}
    assert rows["4102"]["points"] < 0 < rows["4101"]["points"] + rows["4103"]["points"]
    held = rows["4102"]["held"]
    assert abs(held["foreseen_with_offset"] - held["came"]) < abs(held["foreseen"] - held["came"])
    assert "各县的差别" in (tmp_path / "report.html").read_text()

    model = artefacts.load(tmp_path / "scorecard.json")
    assert told["model_sha256"] == model.hash
    head = table.head(90)
    assert model.score_frame(head).to_list() == [model.score(row).score for row in head.to_dicts()]
    elsewhere = model.score_frame(head.with_columns(县=pl.lit("9999"))).to_numpy()
    moved = model.score_frame(head.with_columns(县=pl.lit("4102"))).to_numpy() - elsewhere
    assert set(moved) == {rows["4102"]["points"]}


def test_a_county_decides_by_the_card_shifted_by_its_points_and_another_by_the_plain_one():
    plain = scorecard.seeded()
    county = offsets.County(
        county="4101", cases=9, bad=1, foreseen=1, offset=0.2, error=0.01, points=-6, enough=True
    )
    import msgspec

    from backend.domains.decision.model import canonical

    model = offsets.CountyModel(
        kind="county_model",
        format=1,
        column="县",
        model=msgspec.to_builtins(plain),
        spread=0.3,
        counties=[county],
    )
    text = canonical(model)
    assert artefacts.for_county(text, "4101").base_points == plain.base_points - 6
    assert artefacts.for_county(text, "4102") == plain
    scorecard.CompiledScorecard(artefacts.for_county(text, "4101"), facts.catalogue())
