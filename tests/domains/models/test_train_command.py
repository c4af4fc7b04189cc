"""`./xiaodai train` on the synthetic county: models that may decide (A3-32, A3-37, D1-05, D3-03)."""

import json
from importlib import resources

import msgspec
import polars as pl
import pytest

from backend.commands import train
from backend.domains.decision import facts, model, scorecard, trees
from backend.domains.decision.train import CANDIDATES
from backend.domains.models import artefacts
from backend.domains.models.training import command
from backend.sandbox import synthetic


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    path = tmp_path_factory.mktemp("county") / "county.csv"
    synthetic.write_csv(path, 6000, 3)
    return path


@pytest.fixture(scope="module")
def grown(county, tmp_path_factory):
    """Trees that may decide."""
    out = tmp_path_factory.mktemp("grown")
    assert command.main([str(county), "--kind", "trees", "--out", str(out), "--json"]) == 0
    return out


def test_training_twice_gives_the_same_bytes_and_a_scorecard_that_serves(county, tmp_path, capsys):
    for name in ("one", "two"):
        assert command.main([str(county), "--out", str(tmp_path / name), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[0])
    assert report["test"]["auc"] > 0.78
    assert report["serves"] == "decisions"
    one, two = ((tmp_path / name / "scorecard.json").read_bytes() for name in ("one", "two"))
    assert one == two
    served = scorecard.CompiledScorecard(scorecard.read(one), facts.catalogue())
    assert served.hash == report["scorecard_sha256"] == report["model_sha256"]
    assert len(served.inputs) >= 8


def test_what_serves_is_byte_for_byte_what_training_exports(tmp_path):
    """`./xiaodai train` without arguments makes the shipped scorecard and its report again (A3-32)."""
    path = tmp_path / "county.csv"
    synthetic.write_csv(path, train.PEOPLE, train.SEED)
    assert command.main([str(path), "--out", str(tmp_path), "--json"]) == 0
    shipped = resources.files("backend.domains.decision") / "scorecards"
    for made, kept in (
        ("scorecard.json", "personal_credit.json"),
        ("report.json", "personal_credit.report.json"),
    ):
        assert (tmp_path / made).read_bytes() == (shipped / kept).read_bytes(), made


def test_trees_of_facts_are_monotone_in_every_feature_and_may_decide(grown):
    text = (grown / "trees.json").read_bytes()
    served = artefacts.compile_model(text, decides=True)
    assert {feature.name: feature.trend for feature in served.card.features} == CANDIDATES
    assert json.loads((grown / "report.json").read_text())["test"]["auc"] > 0.78


def test_improving_what_a_reason_of_the_trees_names_raises_the_score_by_what_it_says(grown):
    """trust.md §3: change the named factors → the score rises, 100 %."""
    served = artefacts.compile_model((grown / "trees.json").read_bytes(), decides=True)
    features = {feature.name: feature for feature in served.card.features}
    named = 0
    for record in synthetic.county(300, 9):
        values = _values(record)
        scored = served.score(values)
        assert scored.minus == tuple(sorted(scored.minus, reverse=True))[:4]
        for points, name in scored.minus:
            named += 1
            better = served.score(values | {name: features[name].best}).score
            assert better - scored.score == points >= scorecard.WORTH_SAYING
        everything = values | {name: features[name].best for _, name in scored.minus}
        assert served.score(everything).score > scored.score or not scored.minus
    assert named > 300


def _values(record):
    from backend.domains.decision.train import columns_of, needed

    row = {name: str(int(record[name])) for name in needed()}
    return {name: column[0] for name, column in columns_of([row]).items()}


def test_a_scorecard_of_facts_scores_a_table_as_it_scores_rows(county):
    served = scorecard.CompiledScorecard(scorecard.seeded(), facts.catalogue())
    rows = [_values(record) for record in synthetic.county(200, 4)]
    frame = pl.DataFrame(rows)
    assert served.score_frame(frame).to_list() == [served.score(row).score for row in rows]
    gap = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("card_use_bp"))
    assert served.score_frame(gap).null_count() == 200  # missing is no score, never a default


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"name": "age_years"}, "不能影响评级、额度或利率"),
        ({"name": "nobody_knows"}, "不是可以评分的数据项"),
        ({"trend": ""}, "每一项都要单调"),
        ({"name": "housing_fund_months", "trend": "descending"}, "越多分数才能越高"),
    ],
)
def test_trees_with_a_fault_do_not_decide(grown, change, sentence):
    """D3-03: the same conditions a scorecard is held to."""
    card = trees.read((grown / "trees.json").read_bytes())
    features = [msgspec.structs.replace(card.features[0], **change), *card.features[1:]]
    with pytest.raises(model.StrategyRefused) as caught:
        trees.CompiledTrees(msgspec.structs.replace(card, features=features), facts.catalogue())
    assert any(sentence in finding for finding in caught.value.findings)


def test_a_graph_that_was_exchanged_is_refused(grown):
    card = trees.read((grown / "trees.json").read_bytes())
    with pytest.raises(model.StrategyRefused) as caught:
        trees.CompiledTrees(msgspec.structs.replace(card, onnx=card.onnx[:-8] + "AAAAAAA="))
    assert "指纹不一致" in caught.value.findings[0]


def test_a_free_model_of_the_same_table_may_not_decide(county, tmp_path):
    assert command.main([str(county), "--free", "--out", str(tmp_path), "--json"]) == 0
    with pytest.raises(artefacts.ArtefactUnreadable) as caught:
        artefacts.compile_model((tmp_path / "scorecard.json").read_bytes(), decides=True)
    assert "只能用于批量评分" in caught.value.text


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--monotone", "bureau_queries_6m=ascending"], "方向由目录定"),
        (["--special", "-1"], "没有特殊值"),
        (["--pdo", "40"], "刻度固定"),
        (["--only", "age_years"], "没有一项可以进审批模型"),
    ],
)
def test_what_the_catalogue_says_is_not_for_the_command_line(county, options, sentence, tmp_path, capsys):
    assert command.main([str(county), *options, "--out", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_fact_with_a_hole_is_told_with_its_row(county, tmp_path, capsys):
    frame = pl.read_csv(county)
    hole = pl.when(pl.int_range(frame.height) == 4).then(None).otherwise(pl.col("bureau_queries_6m"))
    frame.with_columns(bureau_queries_6m=hole).write_csv(tmp_path / "county.csv")
    assert command.main([str(tmp_path / "county.csv"), "--out", str(tmp_path)]) == 2
    assert "第 6 行有空的" in capsys.readouterr().err


def test_a_person_of_the_county_is_the_same_every_time_and_fits_the_catalogue():
    for number in range(300):
        record = synthetic.person(str(number))
        assert record == synthetic.person(str(number))
        for name, value in record.items():
            assert facts.catalogue()[name].problem(value) == "", (name, value)


def test_a_fairness_group_never_enters_the_model_even_when_it_is_a_candidate(county, tmp_path):
    """D3-03."""
    given = [str(county), "--group", "household_years_resident", "--out", str(tmp_path), "--json"]
    assert command.main(given) == 0
    assert "household_years_resident" not in artefacts.load(tmp_path / "scorecard.json").inputs
    assert json.loads((tmp_path / "report.json").read_text())["fairness"]["household_years_resident"]
