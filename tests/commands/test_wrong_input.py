"""`decide`, `train`, `replay`, `backtest`, `score-batch`: whatever is given, one Chinese line and 2, never a traceback
(issue 3 §9). In process, so that hundreds of wrong inputs cost little; nothing here reaches a database."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.__main__ import main
from backend.core import given
from tests.commands.test_county_commands import SHIPPED
from tests.commands.test_support_commands import ROOT, run

CARD = str(ROOT / SHIPPED)
CASE = str(ROOT / "tests/data/cases/approved_payroll.json")
FILES: dict[str, bytes | None] = {
    "missing.json": None,
    "empty.json": b"",
    "broken.json": b'{"nodes": [',
    "list.json": b"[]",
    "null.json": b"null",
    "text.json": b'"x"',
    "object.json": b"{}",
    "huge_number.json": b"1e999",
    "not_a_number.json": b'{"product": NaN}',
    "deep.json": b"[" * 100_000,
    "zeros.json": b"\0\0\0",
    "marked.json": b"\xef\xbb\xbf{}",
    "gbk.json": '{"名": "张"}'.encode("gbk"),
    "picture.json": b"\x89PNG\r\n\x1a\n",
}
TABLES: dict[str, bytes | None] = {
    "missing.csv": None,
    "empty.csv": b"",
    "header.csv": b"a,b\n",
    "other.csv": b"a,b\n1,0\n",
    "gbk.csv": "客户,坏\n张三,1\n".encode("gbk"),
    "utf16.csv": "a,b\n1,0\n".encode("utf-16"),
    "ragged.csv": b"a,b\n1\n1,2,3,4\n",
    "missing.parquet": None,
    "broken.parquet": b"PAR1garbagePAR1",
    "table.xlsx": b"PK\x03\x04",
    "table.json": b"{}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wrong")
    for name, content in (FILES | TABLES).items():
        if content is not None:
            (made / name).write_bytes(content)
    for name in ("folder.json", "folder.csv"):
        (made / name).mkdir()
    return made


def commands() -> Iterator[list[str]]:
    for name in (*FILES, "folder.json"):
        yield ["decide", name, "--json"]
        yield ["replay", name, "--json"]
        yield ["score-batch", "--model", name, "--data", "other.csv", "--out", "o.csv", "--json"]
        yield ["backtest", "--strategy", name, "--county", "x", "--json"]
        yield ["backtest", "--strategy", "live", "--against", name, "--county", "x", "--json"]
    for name in (*TABLES, "folder.csv"):
        yield ["train", name, "--target", "b", "--out", "out", "--json"]
        yield ["train", name, "--target", "no such column", "--out", "out", "--json"]
        yield ["score-batch", "--model", CARD, "--data", name, "--out", "o.csv", "--json"]
    yield ["decide", CASE, "--capsule", "folder.json", "--json"]
    yield ["decide", CASE, "--capsule", "no/where.json", "--json"]
    yield ["decide", ""]
    yield ["replay", ""]
    yield ["replay", "../nothing"]
    yield ["train", "other.csv", "--target", "", "--json"]
    yield ["train", "other.csv", "--target", "b", "--out", "other.csv", "--json"]
    yield ["train", "other.csv", "--target", "b", "--monotone", "no such column", "--json"]
    yield ["train", "other.csv", "--target", "b", "--group", "no such column", "--out", "out"]
    yield ["train", "other.csv", "--target", "b", "--scorecard-version", "-5", "--out", "out", "--json"]
    yield ["train", "other.csv", "--target", "b", "--special", "nan", "--out", "out", "--json"]
    yield ["backtest", "--strategy", "live", "--history", "--limit", "0"]
    yield ["backtest", "--strategy", "live", "--history", "--workers", "0"]
    yield ["backtest", "--history", "--institution", "乙县", "--json"]
    yield ["backtest", "--county", "演练县", "--institution", "XXX"]
    yield ["backtest", "--strategy", "live", "--county", "x", "--against", "decided"]
    yield ["score-batch", "--model", "live", "--data", "other.csv", "--out", "o.txt"]
    yield ["score-batch", "--model", CARD, "--data", "other.csv", "--out", "no/where/o.csv"]
    yield ["score-batch", "--model", "", "--data", "other.csv", "--out", "o.csv"]


@pytest.mark.parametrize(
    "words", list(commands()), ids=lambda words: " ".join(Path(w).name for w in words[:5])
)
def test_wrong_input_is_one_chinese_line_and_exit_2(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XIAODAI_DATA", str(folder / "var"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    before = {path.name for path in folder.iterdir()}
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert any("一" <= character <= "鿿" for character in said.err), said.err
    assert {path.name for path in folder.iterdir()} - before <= {"out", "var"}, "nothing half written is left"


SPECIAL = (
    "endless.json",
    "silent.json",
    "huge.json",
    "endless.csv",
    "silent.csv",
    "huge.csv",
    "huge.parquet",
)
"""A device without an end, a pipe nobody writes into, a file of a terabyte that takes no room on the disk."""


def endless() -> Iterator[list[str]]:
    for name in SPECIAL[:3]:
        yield ["decide", name, "--json"]
        yield ["replay", name, "--json"]
        yield ["score-batch", "--model", name, "--data", "x.csv", "--out", "o.csv", "--json"]
        yield ["backtest", "--strategy", name, "--county", "x", "--json"]
        yield ["backtest", "--against", name, "--county", "x", "--json"]
    for name in SPECIAL[3:]:
        yield ["train", name, "--target", "b", "--out", "out", "--json"]
        yield ["score-batch", "--model", CARD, "--data", name, "--out", "o.csv", "--json"]


@pytest.fixture
def impatient() -> Iterator[None]:
    """Ten seconds; a read that never ends would otherwise take the whole run with it."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it hangs"))
    signal.alarm(10)
    yield
    signal.alarm(0)


@pytest.mark.parametrize("words", list(endless()), ids=lambda words: " ".join(words[:4]))
def test_a_file_without_an_end_is_one_line_and_exit_2(
    words: list[str],
    tmp_path: Path,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in SPECIAL:
        if name.startswith("endless"):
            (tmp_path / name).symlink_to("/dev/zero")
        elif name.startswith("silent"):
            os.mkfifo(tmp_path / name)
        else:
            with (tmp_path / name).open("wb") as file:
                file.truncate(1 << 40)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(given, "SILENCE", 0.1)
    assert main(words) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1), said.err
    assert any("一" <= character <= "鿿" for character in said.err), said.err
    if words[0] != "replay":  # what is no plain file is no capsule to it
        assert any(why in said.err for why in ("不是一般的文件", "没有内容", "不能是管道", "最多")), said.err


def test_a_case_comes_through_a_pipe_as_well(
    tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.write(writing, Path(CASE).read_bytes())
    os.close(writing)
    assert main(["decide", f"/dev/fd/{reading}"]) == 0
    told = capsys.readouterr().out
    os.close(reading)
    assert main(["decide", CASE]) == 0
    assert capsys.readouterr().out == told

    reading, writing = os.pipe()
    monkeypatch.setattr(given, "DOCUMENT", 3)
    os.write(writing, b"[1, 2, 3]")
    assert main(["decide", f"/dev/fd/{reading}"]) == 2
    assert "文件太大" in capsys.readouterr().err, "without waiting for its end"
    os.close(reading)
    os.close(writing)


UNKNOWN = (
    ["backtest", "--strategy", "limit:999", "--history"],
    ["backtest", "--strategy", "没有:1", "--history"],
    ["backtest", "--strategy", "3", "--history"],
    ["backtest", "--strategy", "00000000-0000-7000-8000-000000000000", "--history"],
    ["backtest", "--strategy", "collection:1", "--history"],
    ["backtest", "--strategy", "early_warning:1", "--history"],
    ["backtest", "--model", "没有这个模型", "--history"],
    ["backtest", "--model", "00000000-0000-7000-8000-000000000000", "--history"],
    ["backtest", "--strategy", "live", "--county", "没有这个县"],
    ["backtest", "--strategy", "live", "--history"],
    ["score-batch", "--model", "00000000-0000-7000-8000-000000000000", "--county", "x", "--out", "o.csv"],
    ["score-batch", "--model", "live", "--county", "没有这个县", "--out", "o.csv"],
    ["replay", "00000000-0000-7000-8000-000000000000"],
    ["replay", "26110199999"],
)


@pytest.mark.parametrize("words", UNKNOWN, ids=" ".join)
def test_a_version_model_county_or_number_nobody_has_is_said_so(
    words: list[str], owner_dsn: str, tmp_path: Path
) -> None:
    done = run(*words, "--json", DATABASE_URL=owner_dsn, XIAODAI_DATA=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert any("一" <= character <= "鿿" for character in done.stderr)
