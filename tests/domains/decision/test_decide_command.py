"""`./xiaodai decide CASE.json` (A3-30)."""

import json
import re

import msgspec
import pytest

from backend import __main__ as command_line
from backend.domains.decision import bundle, decide_command, evaluate, model
from tests.domains.decision.conftest import CASES

ENGLISH = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")


def test_it_prints_one_line_of_json_the_same_each_time(capsys):
    path = str(CASES / "approved_payroll.json")
    assert decide_command.main([path]) == 0
    first = capsys.readouterr().out
    assert decide_command.main([path, "--json"]) == 0
    assert capsys.readouterr().out == first
    decision = json.loads(first)
    assert (decision["outcome"], decision["amount_fen"], decision["annual_rate_bp"]) == (
        "approved",
        2000000,
        535,
    )
    assert decision["versions"]["scorecard"] == bundle.seeded().card.hash


def test_the_text_says_it_in_chinese(capsys):
    decide_command.main([str(CASES / "declined_many_queries.json"), "--text"])
    assert capsys.readouterr().out.startswith(
        "未通过\n- 近 6 个月有 9 次贷款查询（过 3 个月再试，会更有把握）"
    )


def test_the_capsule_it_writes_replays_to_the_same_bytes(tmp_path, capsys):
    path = tmp_path / "capsule.json"
    decide_command.main([str(CASES / "declined_low_score.json"), "--capsule", str(path)])
    kept = msgspec.json.decode(path.read_bytes(), type=model.Capsule)
    assert model.canonical(evaluate.evaluate(kept.case, bundle.seeded())) == path.read_bytes()


def test_replay_of_a_capsule_file_compares_every_byte(tmp_path, capsys):
    path = tmp_path / "capsule.json"
    decide_command.main([str(CASES / "approved_payroll.json"), "--capsule", str(path)])
    capsys.readouterr()
    assert command_line.main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == "和存证一字不差：按当时的规则再算一遍，结果完全一样\n"
    path.write_bytes(path.read_bytes().replace(b'"amount_fen":2000000', b'"amount_fen":9010000', 1))
    assert command_line.main(["replay", str(path)]) == 1
    told = capsys.readouterr().out
    assert "和存证不一致" in told
    assert "{" not in told, "JSON is for --json"
    path.write_bytes(b"{}")
    assert command_line.main(["replay", str(path)]) == 2
    assert capsys.readouterr().err.endswith("这个文件不是存证：缺少 format\n")
    path.write_bytes(b"[" * 5000)
    assert command_line.main(["replay", str(path)]) == 2
    assert command_line.main(["replay", "nothing"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"product": "x"}',
        '{"product": "x", "as_of": "yesterday", "sources": {}}',
        '{"product": "x", "as_of": "2026-11-23T10:00:00", "sources": {}}',
        '{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": [], "extra": 1}',
        '{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": {"moon": '
        '{"observed_at": "2026-11-23T10:00:00Z", "facts": {"cheese": 1}}}}',
        '{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": {"stage": '
        '{"observed_at": "2026-11-23T10:00:00Z", "facts": {"score": 800}}}}',
        '{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": {}, "interrupted_at": "never"}',
        "[" * 5000,
        '{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": {"application": '
        '{"observed_at": "2026-11-23T10:00:00Z", "facts": {"requested_amount": NaN}}}}',
    ],
)
def test_wrong_input_exits_2_with_one_line(tmp_path, capsys, text):
    path = tmp_path / "case.json"
    path.write_text(text, encoding="utf-8")
    assert decide_command.main([str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert ENGLISH.search(said.err.replace(str(path), "")) is None


def test_a_fact_said_twice_exits_2_and_is_never_the_last_word(tmp_path, capsys):
    """A decoder takes the last of two; yes and no about one fact is no fact."""
    path = tmp_path / "case.json"
    text = (CASES / "approved_payroll.json").read_text()
    once = '"bureau_written_off": false'
    path.write_text(text.replace(once, f'"bureau_written_off": true, {once}'))
    assert decide_command.main([str(path)]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert "bureau_written_off 写了两遍" in told.err


def test_a_file_that_is_not_there_exits_2(tmp_path, capsys):
    assert decide_command.main([str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err == f"读不到文件 {tmp_path / 'none.json'}：没有这个文件或目录\n"


def test_a_capsule_that_cannot_be_written_exits_2(tmp_path, capsys):
    case = str(CASES / "approved_payroll.json")
    assert decide_command.main([case, "--capsule", str(tmp_path / "none" / "capsule.json")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_a_case_with_nothing_in_it_is_referred(tmp_path, capsys):
    path = tmp_path / "case.json"
    path.write_text('{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": {}}', encoding="utf-8")
    assert decide_command.main([str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "referred"
