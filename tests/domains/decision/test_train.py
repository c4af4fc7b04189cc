"""`./xiaodai train` on the synthetic county (A3-32, A3-37, D1-05)."""

import json
from importlib import resources

import pytest

from backend.commands import train
from backend.domains.decision import facts, scorecard, train_command
from backend.sandbox import synthetic


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    path = tmp_path_factory.mktemp("county") / "county.csv"
    synthetic.write_csv(path, 5000, 3)
    return path


def test_training_twice_gives_the_same_bytes_and_a_scorecard_that_serves(county, tmp_path, capsys):
    for name in ("one", "two"):
        assert train_command.main([str(county), "--out", str(tmp_path / name), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[0])
    assert report["test"]["auc"] > 0.78
    assert abs(report["test"]["auc"] - report["test"]["auc_before_rounding"]) < 0.003
    one, two = ((tmp_path / name / "scorecard.json").read_bytes() for name in ("one", "two"))
    assert one == two
    served = scorecard.CompiledScorecard(scorecard.read(one), facts.catalogue())
    assert served.hash == report["scorecard_sha256"]
    assert len(served.inputs) >= 8


def test_what_serves_is_byte_for_byte_what_training_exports(tmp_path):
    """`./xiaodai train` without arguments makes the shipped scorecard and its report again (A3-32)."""
    path = tmp_path / "county.csv"
    synthetic.write_csv(path, train.PEOPLE, train.SEED)
    assert train_command.main([str(path), "--out", str(tmp_path), "--json"]) == 0
    shipped = resources.files("backend.domains.decision") / "scorecards"
    for made, kept in (
        ("scorecard.json", "personal_credit.json"),
        ("report.json", "personal_credit.report.json"),
    ):
        assert (tmp_path / made).read_bytes() == (shipped / kept).read_bytes(), made


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "没有 defaulted 这一列"),
        ("a,b\n1,2\n", "没有 defaulted 这一列"),
        ("defaulted\n1\n1\n", "同时有 0 和 1"),
        ("defaulted\n0\nyes\n", "同时有 0 和 1"),
        ("defaulted\n" + "0\n" * 500 + "1\n" * 5, "至少 100 个"),
        ("defaulted\n" + "0\n" * 500 + "1\n" * 500, "缺少列"),
    ],
)
def test_a_table_that_cannot_train_exits_2_with_one_line(tmp_path, capsys, text, sentence):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    assert train_command.main([str(path), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_a_file_that_is_not_there_exits_2(tmp_path, capsys):
    assert train_command.main([str(tmp_path / "none.csv")]) == 2
    assert "读不到" in capsys.readouterr().err


def test_a_person_of_the_county_is_the_same_every_time_and_fits_the_catalogue():
    for number in range(300):
        record = synthetic.person(str(number))
        assert record == synthetic.person(str(number))
        for name, value in record.items():
            assert facts.catalogue()[name].problem(value) == "", (name, value)
