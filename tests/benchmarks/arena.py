"""What the web figures are measured on: a database and servers of their own, gone when the block ends."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import psutil

from backend import demo, wiring
from backend.commands import parts
from backend.db import migrate
from backend.db.embedded import Embedded, stop
from backend.outbox import queue
from backend.settings import Settings, load
from tests.benchmarks import load as client
from tests.chaos.arena import free_port

CLIENTS = 8
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def database() -> Iterator[tuple[Embedded, Settings]]:
    """An embedded server with the demo union, as `up` starts it; and a table for the bare INSERT."""
    folder = Path(tempfile.mkdtemp(prefix="xiaodai-bench-", dir="/tmp"))
    server = Embedded(folder)
    try:
        server.initialise()
        process = server.spawn()
        try:
            server.wait_ready(process)
            server.ensure_database()
            settings = load({}, xiaodai_data=str(folder))
            asyncio.run(_fill(server, settings))
            yield server, settings
        finally:
            stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(server: Embedded, settings: Settings) -> None:
    await migrate.apply(server.dsn(), install_queue=queue.install)
    await demo.seed(server.dsn(), wiring.vault(settings))
    connection = await asyncpg.connect(server.dsn())
    await connection.execute(
        "create table bench_rows (id bigserial primary key, institution_id text, note text);"
        "grant all on bench_rows to xiaodai_app; grant usage on sequence bench_rows_id_seq to xiaodai_app"
    )
    await connection.close()


def environment(settings: Settings) -> dict[str, str]:
    """Of a process of ours that works on the bench's own folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XIAODAI", "DATABASE"))}
    return {**kept, "XIAODAI_DATA": str(settings.data)}


def cpu_nanoseconds(pid: int, *, alone: bool = False) -> int:
    """What a process and its children (unless `alone`) have had, as the kernel's scheduler counts it: `cpu_times`
    counts in hundredths of a second."""
    top, spent = psutil.Process(pid), 0
    for process in (top,) if alone else (top, *top.children(recursive=True)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            tasks = Path(f"/proc/{process.pid}/task").iterdir()
            spent += sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    return spent


class Served:
    """One application under the server and the options `up` uses, one process."""

    def __init__(self, factory: str, settings: Settings, **more: str) -> None:
        self.port = free_port()
        lock = settings.data / "postgres" / "postmaster.pid"
        self._database = psutil.Process(int(lock.read_text().splitlines()[0]))
        command = [*parts.granian("web", "127.0.0.1", self.port, 1)[:-1], factory]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment(settings), "PORT": str(self.port), **more},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait(factory)

    def _wait(self, factory: str) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/healthz", trust_env=False)
                return
            except httpx.HTTPError:
                time.sleep(0.1)
        self.end()
        raise RuntimeError(f"{factory} did not start")

    def cpu_micros(self, requests: Callable[[], bytes], count: int) -> float:
        """CPU microseconds of one request: of the web process and of the database together."""
        before = self.spent()
        asyncio.run(client.send(self.port, requests, count, CLIENTS))
        return (self.spent() - before) / count / 1000

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def database_pid(self) -> int:
        return self._database.pid

    def spent(self) -> int:
        """CPU nanoseconds of the web process and of the database together."""
        return cpu_nanoseconds(self.pid) + cpu_nanoseconds(self.database_pid)

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


@contextmanager
def serving(factory: str, settings: Settings, **more: str) -> Iterator[Served]:
    served = Served(factory, settings, **more)
    try:
        yield served
    finally:
        served.end()
