"""The command line as a shell uses it."""

import argparse
import io
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backend.__main__ import main
from backend.commands import lock, wrong_use
from backend.commands.lock import command as lock_command
from tests.chaos.arena import free_port

ROOT = Path(__file__).resolve().parents[1]


def test_output_that_nobody_reads_to_the_end_is_no_error() -> None:
    line = f"{sys.executable} -m backend settings | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), "Traceback" in done.stderr) == ("0", False)


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backend", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "0"], "PORT 应当是 1 到 65535 之间的整数，现在是 0"),
        (["--port", "99999"], "PORT 应当是 1 到 65535 之间的整数，现在是 99999"),
        (["--workers", "0"], "WORKERS 应当是 1 到 64 之间的整数，现在是 0"),
        (["--data", "/dev/null/there"], "数据目录 /dev/null/there 用不了"),
    ],
)
def test_up_refuses_what_cannot_be_in_one_line_before_anything_starts(words: list[str], told: str) -> None:
    done = command("up", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_somebody_listens_on_is_not_shared_but_named(tmp_path: Path) -> None:
    """The ASGI server binds with SO_REUSEPORT: two products would take turns answering one customer."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = command("up", "--port", port, "--sandbox-port", str(free_port()), "--data", str(tmp_path))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"端口 {port} 已经被占用，请用 --port 换一个\n"
        done = command("up", "--port", str(free_port()), "--sandbox-port", port, "--data", str(tmp_path))
        assert done.stderr == f"端口 {port} 已经被占用，请用 --sandbox-port 换一个\n"


def test_website_and_sandbox_cannot_be_given_one_port(tmp_path: Path) -> None:
    port = str(free_port())
    done = command("up", "--port", port, "--sandbox-port", port, "--data", str(tmp_path))
    assert (done.returncode, done.stderr) == (2, f"端口 {port} 已经被占用，请用 --sandbox-port 换一个\n")


@pytest.mark.parametrize("where", ["data", "url"])
@pytest.mark.parametrize(
    "words", [("audit", "verify"), ("migrate",), ("seed",), ("rotate-keys",), ("replay", "1")]
)
def test_without_a_database_every_command_says_so_in_one_line(
    tmp_path: Path, words: tuple[str, ...], where: str
) -> None:
    if where == "data":
        done = command(*words, "--data", str(tmp_path))
    else:
        done = command(*words, DATABASE_URL="postgresql://127.0.0.1:1/nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("连不上数据库")
    assert done.stderr.count("\n") == 1


def test_an_argument_nobody_knows_is_exit_2() -> None:
    done = command("settings", "--nonsense")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


@pytest.mark.parametrize("name", ["serve", "sandbox"])
def test_a_part_started_alone_does_not_share_a_port_either(tmp_path: Path, name: str) -> None:
    option = {"serve": "--port", "sandbox": "--sandbox-port"}[name]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = command(name, option, port, "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"端口 {port} 已经被占用，请用 {option} 换一个\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["upp"], "没有 upp 这个命令。用法：./xiaodai --help"),
        (["serve", "--port", "eight"], "--port 应当是整数，现在是 'eight'。用法：./xiaodai serve --help"),
        (["serve", "--port"], "--port 后面要写上值。用法：./xiaodai serve --help"),
        (["serve", "--prt", "1"], "不认识 --prt 1。用法：./xiaodai --help"),
        (["audit"], "还缺 action。用法：./xiaodai audit --help"),
        (["audit", "repair"], "action 只能是 'verify'，现在是 'repair'。用法：./xiaodai audit --help"),
        (["decide"], "还缺 case。用法：./xiaodai decide --help"),
        (
            ["journey", "--count", "a\nb"],
            "--count 应当是整数，现在是 'a\\nb'。用法：./xiaodai journey --help",
        ),
    ],
)
def test_wrong_use_is_told_in_one_chinese_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err) == (2, "", told + "\n")


def test_every_sentence_of_the_standard_parser_has_a_chinese_one() -> None:
    """Driven through the parser itself, so that another Python's wording is noticed."""
    parser = wrong_use.Parser(prog="t")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--one", action="store_true")
    group.add_argument("--other", type=int)
    parser.add_argument("--share", type=float)
    parser.add_argument("--many", nargs="+")
    parser.add_argument("--those", choices=["a", "b"])
    parser.add_argument("--thorough", action="store_true")
    for words in (
        [], ["--one", "--other", "1"], ["--other", "x"], ["--one", "--share", "x"], ["--one", "--many"],
        ["--one", "--those", "c"], ["--one", "--th"], ["--one=1"], ["--one", "more"], ["--other"],
    ):  # fmt: skip
        told = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", told_to := io.StringIO())
            with pytest.raises(SystemExit):
                parser.parse_args(words)
            told = told_to.getvalue().splitlines()
        assert len(told) == 1, words
        assert "命令写得不对" not in told[0], words
        assert not re.search(r"argument|invalid|expected|required|choose", told[0]), told[0]


def test_the_lock_file_names_no_address_and_pins_everything() -> None:
    assert lock.unusable(lock.LOCK.read_text("utf-8")) == ""
    good = "a==1 \\\n    --hash=sha256:00\nb[x]==2 ; python_version < '4' \\\n    --hash=sha256:11\n"
    assert lock.unusable(good) == ""
    for wrong in (
        "", "--index-url https://packages.example/simple\n" + good, "-f /opt/wheels\n" + good,
        "a @ https://files.example/a.whl \\\n    --hash=sha256:00\n", "a==1\n", "a>=1 \\\n    --hash=sha256:00\n",
    ):  # fmt: skip
        assert lock.unusable(wrong), wrong


@pytest.mark.parametrize("written", ["--extra-index-url https://packages.example/\n", None, "a==1"])
def test_a_resolution_that_failed_or_names_a_host_leaves_the_lock_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], written: str | None
) -> None:
    before = tmp_path / "requirements.lock"
    before.write_text("kept")
    monkeypatch.setattr(lock, "LOCK", before)
    does = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])" if written else "raise SystemExit(3)"
    monkeypatch.setattr(lock, "command", lambda out: [sys.executable, "-c", does, str(out), written or ""])
    assert lock.run(argparse.Namespace()) == 1
    assert (before.read_text(), "requirements.lock 没有动" in capsys.readouterr().err) == ("kept", True)


def test_a_good_resolution_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "requirements.lock"
    there.write_text("kept")
    good = "a==1 \\\n    --hash=sha256:00\n"
    does = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    monkeypatch.setattr(lock, "LOCK", there)
    monkeypatch.setattr(lock, "command", lambda out: [sys.executable, "-c", does, str(out), good])
    assert lock.run(argparse.Namespace()) == 0
    assert there.read_text() == good
    assert {"--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"} <= set(lock_command(tmp_path))
