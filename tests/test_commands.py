"""The command line as a shell uses it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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
