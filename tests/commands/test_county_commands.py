"""`seed --county`, `backtest` and `score-batch` as an operator meets them (N20, A3-33): one line and 2 when wrong."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import polars as pl
import pytest

from backend.domains.decision import bundle
from backend.domains.decision.model import Stage
from tests.commands.test_support_commands import ROOT, run
from tests.domains.decision.test_service import stricter

SHIPPED = "backend/domains/decision/scorecards/personal_credit.json"


def test_a_county_is_seeded_tried_scored_and_wiped(owner_dsn: str, tmp_path: Path) -> None:
    here = {"DATABASE_URL": owner_dsn, "XIAODAI_DATA": str(tmp_path)}
    made = run("seed", "--county", "演练县", "--households", "2000", "--seed", "3", "--json", **here)
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["ok"] is True
    assert told["rows"]["facts"] == told["households"] == 2_000
    assert {check["row"] for check in told["checks"]} >= {"A10-04", "A10-05", "A10-13"}
    assert (tmp_path / "practice" / "99.json").exists()

    draft = tmp_path / "eligibility.json"
    draft.write_bytes(msgspec.json.encode(stricter(bundle.seeded_documents())[Stage.ELIGIBILITY]))
    out = tmp_path / "report"
    tried = run(
        "backtest", "--strategy", str(draft), "--against", "live", "--county", "演练县", "--limit", "500",
        "--workers", "1", "--json", "--out", str(out), **here,
    )  # fmt: skip
    assert tried.returncode == 0, tried.stderr
    result = json.loads(tried.stdout)
    assert (result["run"]["status"], result["run"]["partial"]) == ("done", False)
    sides = {row["side"]: row for row in result["results"] if row["grouping"] == "all"}
    assert sides["swap_out"]["cases"] == sides["base"]["approved"] - sides["draft"]["approved"] > 0
    assert json.loads((out / "results.json").read_text()) == result
    assert "不再通过" in (out / "report.html").read_text()
    shown = run(
        "backtest", "--strategy", "live", "--county", "演练县", "--limit", "50", "--workers", "1", **here
    )
    assert shown.returncode == 0
    assert "性别" in shown.stdout

    scores = tmp_path / "scores.csv"
    scored = run(
        "score-batch", "--model", "live", "--county", "演练县", "--out", str(scores), "--json", **here
    )
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["scored"] == 2_000
    with scores.open() as file:
        assert [row["household"] for row in csv.DictReader(file)] == [str(n) for n in range(2_000)]

    assert run("seed", "--county", "演练县", "--households", "9", **here).returncode == 2
    assert run("seed", "--county", "演练县", "--wipe", **here).returncode == 0
    assert not (tmp_path / "practice" / "99.json").exists()
    gone = run("backtest", "--strategy", "live", "--county", "演练县", **here)
    assert (gone.returncode, gone.stderr.count("\n")) == (2, 1)


def test_ctrl_c_leaves_a_partial_result_marked_so(owner_dsn: str, tmp_path: Path) -> None:
    here = {"DATABASE_URL": owner_dsn, "XIAODAI_DATA": str(tmp_path)}
    assert run("seed", "--county", "演练县", "--households", "20000", "--json", **here).returncode == 0
    words = [
        "backtest",
        "--strategy",
        "live",
        "--county",
        "演练县",
        "--workers",
        "1",
        "--out",
        str(tmp_path / "r"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", *words],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **here},
    )  # fmt: skip
    assert process.stderr is not None
    assert "/" in process.stderr.readline(), "the first chunk is told"
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "结果不完整" in printed
    assert "不完整" in (tmp_path / "r" / "report.html").read_text()
    told = json.loads((tmp_path / "r" / "results.json").read_text())["run"]
    assert (told["status"], told["partial"]) == ("cancelled", True)
    assert 0 < told["cases_done"] < 20_000


@pytest.mark.slow
def test_an_export_trains_a_scorecard_that_is_good_and_not_too_good(tmp_path: Path) -> None:
    table = tmp_path / "county.csv"
    made = run(
        "seed", "--county", "演练县", "--households", "20000", "--seed", "2", "--export", str(table), "--json"
    )
    assert json.loads(made.stdout)["rows"] == 20_000
    done = run("train", str(table), "--target", "defaulted", "--out", str(tmp_path / "card"), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert 0.75 < _auc(report) < 0.88
    parquet = tmp_path / "county.parquet"
    run("seed", "--county", "演练县", "--households", "500", "--seed", "2", "--export", str(parquet))
    assert pl.read_parquet(parquet).equals(pl.read_parquet(parquet).sort("household"))
    assert pl.read_parquet(parquet).height == 500


def _auc(report: dict) -> float:
    """The out-of-sample AUC wherever the report holds it."""
    return float(report["test"]["auc"])


WRONG = (
    ["seed", "--households", "5"],
    ["seed", "--county", "a b"],
    ["seed", "--county", "演练县", "--households", "0"],
    ["seed", "--county", "演练县", "--export", "x.parquet"],
    ["seed", "--county", "演练县", "--households", "5", "--export", "x.xlsx"],
    ["seed", "--county", "演练县", "--households", "5", "--export", "/no/such/place/x.csv"],
    ["backtest", "--strategy", "/no/such.json", "--county", "演练县"],
    ["backtest", "--strategy", "README.md", "--county", "演练县"],
    ["backtest", "--strategy", "live", "--county", "演练县", "--limit", "0"],
    ["score-batch", "--model", "README.md", "--data", "x.parquet", "--out", "y.parquet"],
    ["score-batch", "--model", SHIPPED, "--data", "/no/such.parquet", "--out", "y.parquet"],
    ["score-batch", "--model", SHIPPED, "--data", "README.md", "--out", "y.parquet"],
    ["score-batch", "--model", SHIPPED, "--data", "x.parquet", "--out", "y.xlsx"],
)


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(words[:4]))
def test_wrong_input_is_one_line_and_exit_2(words: list[str], tmp_path: Path) -> None:
    done = run(*words, XIAODAI_DATA=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert any("一" <= character <= "鿿" for character in done.stderr)


def test_an_interrupted_batch_is_gone_on_with(tmp_path: Path) -> None:
    table = tmp_path / "county.parquet"
    run("seed", "--county", "演练县", "--households", "3000", "--export", str(table))
    out = tmp_path / "scores.parquet"
    first = run("score-batch", "--model", SHIPPED, "--data", str(table), "--out", str(out), "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["resumed_rows"] == 0
    again = run(
        "score-batch", "--model", SHIPPED, "--data", str(table), "--out", str(out), "--resume", "--json"
    )
    assert json.loads(again.stdout)["scored"] == 3_000
