"""The embedded server: starts, survives a kill, listens on no port, leaves nothing behind."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.db.embedded import Embedded, stop


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="xiaodai-pg-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_the_server_comes_back_after_a_kill_with_what_was_committed(folder: Path) -> None:
    server = Embedded(folder)
    server.initialise()
    process = server.spawn()
    server.wait_ready(process)
    server.ensure_database()
    server.sql("create table kept (a int); insert into kept values (7)")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    again = server.spawn()
    try:
        server.wait_ready(again)
        assert server.sql("select a from kept").strip() == "7"
        listening = [c for c in psutil.Process(again.pid).net_connections("inet") if c.status == "LISTEN"]
        assert listening == []
        assert server.sql("show fsync").strip() == "on"
        assert server.sql("show data_checksums").strip() == "on"
    finally:
        stop(again)
    assert not psutil.pid_exists(again.pid) or psutil.Process(again.pid).status() == "zombie"
    assert not (server.cluster / "postmaster.pid").exists()


def test_a_deep_data_directory_still_gets_a_usable_socket(folder: Path) -> None:
    server = Embedded(folder / ("d" * 60) / ("e" * 60))
    assert len(str(server.sockets / ".s.PGSQL.5432")) < 107
