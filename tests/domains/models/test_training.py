"""Models from any table: what comes out, and that it is what the report says (A1-05, A3-32, A3-37)."""

import hashlib
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy
import onnxruntime
import polars as pl
import pytest

from backend import __main__ as command_line
from backend.domains.models import artefacts, free_card
from backend.domains.models.training import binning, boosting, command, measures, selection, tables
from backend.domains.models.training.options import Options
from tests.domains.models.conftest import ASKED


def report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("kind", ["card_folder", "trees_folder"])
def test_a_free_table_gives_a_model_for_batches_with_all_its_papers(kind, request, table):
    folder = request.getfixturevalue(kind)
    told = report(folder)
    assert told["serves"] == "batches"
    assert told["test"]["auc_low"] < told["test"]["auc"] < told["test"]["auc_high"]
    assert 0.65 < told["test"]["auc"] < 0.85
    assert told["split"].startswith("按时间划分：2025-")
    assert {row["group"] for row in told["fairness"]["性别"]} == {"男", "女"}
    assert next(row["group"][:1] for row in told["fairness"]["年龄"]) == "≤"
    assert [row["period"] for row in told["stability"]] == sorted(set(table["月份"]))
    assert not {"性别", "年龄", "月份", "客户编号", "常数"} & {each["name"] for each in told["features"]}
    assert any("客户编号" in note for note in told["notes"])
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("kind", ["card_folder", "trees_folder"])
def test_the_report_is_one_file_that_asks_the_network_for_nothing(kind, request):
    page = (request.getfixturevalue(kind) / "report.html").read_text()
    assert set(re.findall(r'(?:src|href)="([^"]{1,22})', page)) == {"data:image/png;base64,"}
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    for title in ("KS", "ROC", "校准", "提升", "PSI", "公平：性别", "随时间", "信息值"):
        assert title in page
    assert page.count("<img ") == page.count("alt=")


def test_live_model_gives_a_swap_set_of_equal_sides(trees_folder):
    swap = report(trees_folder)["swap"]
    assert swap["swapped_in"]["people"] == swap["swapped_out"]["people"] > 0
    cells = ("both", "swapped_in", "swapped_out", "neither")
    assert sum(swap[cell]["people"] for cell in cells) == report(trees_folder)["test"]["people"]


@pytest.mark.parametrize("kind, file", [("card_folder", "scorecard.json"), ("trees_folder", "trees.json")])
def test_a_table_scores_as_its_rows_do_one_by_one(kind, file, request, table):
    model = artefacts.load(request.getfixturevalue(kind) / file)
    odd = table.head(400).with_columns(
        职业=pl.when(pl.int_range(400) % 7 == 0).then(None).when(pl.int_range(400) % 7 == 1).then(pl.lit("渔户"))
        .otherwise(pl.col("职业")),
        用卡率=pl.when(pl.int_range(400) % 11 == 0).then(None).otherwise(pl.col("用卡率")),
    )  # fmt: skip
    together = model.score_frame(odd).to_list()
    assert together == [model.score(row).score for row in odd.to_dicts()]
    assert len(set(together)) > 20


def test_training_again_gives_the_same_bytes(csv_file, card_folder, trees_folder, tmp_path):
    for kind, folder, file in (
        ("scorecard", card_folder, "scorecard.json"),
        ("trees", trees_folder, "trees.json"),
    ):
        assert command.main([str(csv_file), *ASKED, "--kind", kind, "--out", str(tmp_path), "--json"]) == 0
        assert (tmp_path / file).read_bytes() == (folder / file).read_bytes()


def test_a_csv_and_a_parquet_of_the_same_rows_give_the_same_points(table, card_folder, tmp_path):
    table.write_parquet(tmp_path / "table.parquet")
    given = [str(tmp_path / "table.parquet"), *ASKED, "--out", str(tmp_path), "--json"]
    assert command.main(given) == 0
    one, two = (artefacts.load(folder / "scorecard.json").card for folder in (card_folder, tmp_path))
    assert one.columns == two.columns
    assert one.base_points == two.base_points


def test_points_follow_the_columns_as_asked_and_special_and_missing_have_their_own(card_folder):
    card = artefacts.load(card_folder / "scorecard.json").card
    by_name = {column.name: column for column in card.columns}
    for name, down in (("近半年查询", True), ("用卡率", True)):
        assert by_name[name].points == sorted(by_name[name].points, reverse=down)
    assert by_name["纳税"].special[0][0] == -999.0
    assert by_name["职业"].kind == "category"
    saved = by_name["存款"]
    assert saved.points[0] < saved.missing < saved.points[-1]  # missing at random lies between


def test_the_score_is_600_at_50_to_1_and_20_points_double_the_odds(card_folder, table):
    """A3-37: the scale; the score's odds are the odds that came, within what chance allows."""
    model = artefacts.load(card_folder / "scorecard.json")
    scores = model.score_frame(table).to_numpy()
    bad = table["坏"].to_numpy()
    foreseen = 1 / (1 + 50 * 2 ** ((scores - 600) / 20))
    assert abs(foreseen.mean() - bad.mean()) < 0.015
    slope, _ = numpy.polyfit((scores - 600) / 20 * math.log(2), numpy.log(1 / foreseen - 1), 1)
    assert slope == pytest.approx(1, abs=1e-6)


def test_another_scale_moves_scores_and_changes_nobodys_place(csv_file, card_folder, tmp_path, table):
    asked = [*ASKED, "--base-score", "700", "--base-odds", "30", "--pdo", "40"]
    assert command.main([str(csv_file), *asked, "--out", str(tmp_path), "--json"]) == 0
    wide = artefacts.load(tmp_path / "scorecard.json").score_frame(table).to_numpy()
    plain = artefacts.load(card_folder / "scorecard.json").score_frame(table).to_numpy()
    expected = 700 + 40 * (numpy.log2(50 / 30) + (plain - 600) / 20)
    assert numpy.abs(wide - expected).max() < 8  # whole points of each bin


def test_the_graph_beside_the_model_is_the_one_in_it_and_equals_the_original(trees_folder, table):
    told = report(trees_folder)
    graph = (trees_folder / "trees.onnx").read_bytes()
    model = artefacts.load(trees_folder / "trees.json")
    assert hashlib.sha256(graph).hexdigest() == model.card.onnx_sha256 == told["onnx"]["sha256"]
    assert told["onnx"]["difference"] <= 1e-5
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[1] == len(model.inputs)
    assert b"pickle" not in graph


def test_trees_obey_the_directions_asked_for(trees_folder, table):
    model = artefacts.load(trees_folder / "trees.json")
    row = table.row(0, named=True)
    for name, values in (("近半年查询", range(0, 12)), ("用卡率", [i / 20 for i in range(24)])):
        scores = [model.score(row | {name: value}).score for value in values]
        assert scores == sorted(scores, reverse=True)
    rising = [model.score(row | {"存款": value}).score for value in (100, 1000, 5000, 20_000, 100_000)]
    assert rising == sorted(rising)


@pytest.mark.parametrize("kind, file", [("card_folder", "scorecard.json"), ("trees_folder", "trees.json")])
def test_what_was_never_seen_missing_counts_as_the_worst_when_it_is(kind, file, request, table):
    """What is not known never helps."""
    model = artefacts.load(request.getfixturevalue(kind) / file)
    row = table.row(5, named=True)
    gone = model.score(row | {"用卡率": None}).score
    assert gone <= min(model.score(row | {"用卡率": value}).score for value in (0.0, 0.3, 0.7, 1.19))


def test_the_false_alarm_rate_of_a_cut_off_is_the_share_of_the_stopped_who_stayed_good():
    """A6-06, for a model that warns: of those below the cut-off, how many the warning was wrong about."""
    scores = numpy.arange(100)
    bad = (scores < 10).astype(int)
    rows = {row["cut_off"]: row for row in measures.cut_offs(scores, bad)}
    assert rows[19]["false_alarms"] == pytest.approx(9 / 19, abs=1e-4)
    assert rows[4]["false_alarms"] == 0


def test_delong_agrees_with_counting_pairs_and_with_the_bootstrap():
    draw = numpy.random.default_rng(3)
    bad = (draw.random(600) < 0.3).astype(int)
    scores = numpy.round(600 - 15 * bad + draw.normal(0, 20, 600))
    auc, error = measures.delong(scores, bad)
    pairs = numpy.sign(scores[bad == 0][:, None] - scores[bad == 1][None, :])
    assert auc == pytest.approx((pairs.mean() + 1) / 2)
    again = []
    for _ in range(400):
        rows = draw.integers(0, 600, 600)
        again.append(measures.delong(scores[rows], bad[rows])[0])
    assert error == pytest.approx(numpy.std(again), rel=0.2)


def test_logistic_finds_the_weights_it_was_made_from_and_calls_noise_noise():
    draw = numpy.random.default_rng(5)
    x = draw.normal(size=(20_000, 2))
    bad = (draw.random(20_000) < 1 / (1 + numpy.exp(1 + 0.8 * x[:, 0]))).astype(int)
    intercept, weights, p = selection.logistic(x, bad)
    assert intercept == pytest.approx(-1, abs=0.06)
    assert weights[0] == pytest.approx(-0.8, abs=0.06)
    assert p[0] < 1e-6
    assert p[1] > 0.01


def test_a_twin_of_a_column_does_not_enter_twice(table, tmp_path, capsys):
    table.with_columns(用卡率二=pl.col("用卡率") * 100).write_csv(tmp_path / "table.csv")
    given = [
        str(tmp_path / "table.csv"),
        "--target",
        "坏",
        "--exclude",
        "年龄",
        "--out",
        str(tmp_path),
        "--json",
    ]
    assert command.main(given) == 0
    told = json.loads(capsys.readouterr().out)
    results = {step["column"]: step["result"] for step in told["steps"]}
    assert sorted(results[name] == "选入" for name in ("用卡率", "用卡率二")) == [False, True]
    assert "几乎一样" in results["用卡率"] + results["用卡率二"]


def test_bins_put_against_the_direction_are_merged():
    draw = numpy.random.default_rng(11)
    values = draw.integers(0, 100, 5000).astype(float)
    bad = (draw.random(5000) < 0.1 + 0.3 * numpy.abs(values - 50) / 50).astype(int)  # a valley
    column = tables.Column("谷", tables.NUMBER, values)
    found = binning.fit(column, numpy.arange(5000), bad, Options(target="坏", monotone={"谷": "ascending"}))
    ordinary = found.woe[: found.ordinary]
    assert ordinary == sorted(ordinary)


def test_a_graph_that_is_not_the_original_is_refused(monkeypatch, csv_file, tmp_path, capsys):
    monkeypatch.setattr(boosting, "AGREEMENT", 0.0)
    given = [str(csv_file), *ASKED, "--kind", "trees", "--out", str(tmp_path), "--json"]
    assert command.main(given) == 2
    assert "和原模型相差" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"splits": [3.0, 1.0]}, "没有按顺序"),
        ({"points": [1]}, "分数个数不对"),
        ({"trend": "descending", "points": [1, 2, 3]}, "单调"),
    ],
)
def test_a_damaged_card_is_refused(change, sentence):
    whole = {
        "name": "a",
        "kind": "number",
        "points": [1, 2, 3],
        "missing": 0,
        "mean": 1,
        "splits": [1.0, 2.0],
    }
    column = free_card.Column(**(whole | change))
    card = free_card.FreeCard(
        kind="free_scorecard",
        format=1,
        name="x",
        version=1,
        base_points=1,
        columns=[column],
        scale={},
        trained={},
    )
    with pytest.raises(free_card.CardUnfit) as caught:
        free_card.CompiledFreeCard(card)
    assert sentence in caught.value.text


def test_what_serves_people_loads_no_training_library():
    """findings.md: a part that only `train` uses must not be imported elsewhere."""
    heavy = ("sklearn", "optbinning", "matplotlib", "skl2onnx", "scipy", "pandas")
    script = (
        "import sys; import backend.jobs.timetable, backend.flows.decide_application, backend.domains.models.service; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_pickle_and_no_joblib_anywhere_near_models():
    folder = Path(artefacts.__file__).parent
    sources = [*folder.rglob("*.py"), folder.parent / "decision" / "trees.py"]
    assert not [
        path for path in sources if re.search(r"^\s*(import|from) (pickle|joblib)", path.read_text(), re.M)
    ]


@pytest.mark.parametrize("kind, file", [("card_folder", "scorecard.json"), ("trees_folder", "trees.json")])
def test_score_batch_scores_a_free_table_by_a_free_model(kind, file, request, csv_file, tmp_path, table):
    folder, out = request.getfixturevalue(kind), tmp_path / "scores.csv"
    given = ["score-batch", "--data", str(csv_file), "--model", str(folder / file), "--out", str(out)]
    assert command_line.main(given) == 0
    model = artefacts.load(folder / file)
    assert pl.read_csv(out)["score"].to_list() == model.score_frame(table).to_list()
