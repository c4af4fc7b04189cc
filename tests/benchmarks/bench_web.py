"""What our layers cost over the bare parts: web endpoint, transaction, landing page.

Every figure is a ratio to a ceiling measured in the same run on the same machine: a raw ASGI application
with a bare asyncpg pool under the same server, and pgbench against the same database.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from backend import demo, wiring
from backend.core.actor import system
from backend.db import migrate
from backend.db.embedded import Embedded, _programs, stop
from backend.domains.audit import service as audit
from backend.outbox import queue
from backend.settings import load

Figure = dict[str, Any]
REQUESTS = 3000
CLIENTS = 8


def run() -> list[Figure]:
    """Start an embedded database of its own and measure; takes about a minute."""
    folder = Path(tempfile.mkdtemp(prefix="xiaodai-bench-", dir="/tmp"))
    server = Embedded(folder)
    server.initialise()
    process = server.spawn()
    try:
        server.wait_ready(process)
        server.ensure_database()
        settings = load({}, xiaodai_data=str(folder))
        asyncio.run(_prepare(server, settings))
        return [*_requests(folder, server), *_transactions(server, settings)]
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


async def _prepare(server: Embedded, settings: Any) -> None:
    await migrate.apply(server.dsn(), install_queue=queue.install)
    await demo.seed(server.dsn(), wiring.vault(settings))
    connection = await asyncpg.connect(server.dsn())
    await connection.execute(
        "create table bench_rows (id bigserial primary key, institution_id text, note text);"
        "grant all on bench_rows to xiaodai_app; grant usage on sequence bench_rows_id_seq to xiaodai_app"
    )
    await connection.close()


def _requests(folder: Path, server: Embedded) -> list[Figure]:
    raw = _serve("tests.benchmarks.raw_app:create", folder, server)
    ours = _serve("backend.serving:web", folder, server)
    try:
        raw_us = _cpu_per_request(raw, "/one")
        ours_us = _cpu_per_request(ours, "/readyz")
        landing_us = _cpu_per_request(ours, "/p/4101/SXD")
    finally:
        for process, _ in (raw, ours):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    return [
        _ratio("JSON endpoint with one SELECT", "raw ASGI + asyncpg", raw_us / ours_us, ">=", 0.5, ours_us, "CPU µs"),
        {
            "name": "landing page", "value": round(landing_us), "unit": "CPU µs", "goal": "<= 300",
            "ceiling": "raw ASGI + asyncpg, one SELECT", "ratio": round(landing_us / raw_us, 2),
            "met": landing_us <= 300,
        },
    ]  # fmt: skip


def _serve(factory: str, folder: Path, server: Embedded) -> tuple[Any, str]:
    from tests.chaos.arena import free_port

    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--port", str(port), "--loop",
               "uvloop", "--no-ws", "--log-level", "error", factory]  # fmt: skip
    environment = {**os.environ, "XIAODAI_DATA": str(folder), "PORT": str(port), "LOG_LEVEL": "warning",
                   "BENCH_DSN": server.dsn("xiaodai_app")}  # fmt: skip
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            if httpx.get(base + "/healthz", trust_env=False).status_code < 500:
                return process, base
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"{factory} did not start")


def _cpu_per_request(served: tuple[Any, str], path: str) -> float:
    """CPU microseconds of the server's processes for one request."""
    process, base = served
    asyncio.run(_load(base + path, 300))
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    before = sum(sum(p.cpu_times()[:2]) for p in family)
    asyncio.run(_load(base + path, REQUESTS))
    after = sum(sum(p.cpu_times()[:2]) for p in family)
    return (after - before) / REQUESTS * 1e6


async def _load(url: str, count: int) -> None:
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=30) as client:

        async def one(times: int) -> None:
            for _ in range(times):
                reply = await client.get(url)
                if reply.status_code != 200:
                    raise RuntimeError(f"{url}: {reply.status_code}")

        await asyncio.gather(*(one(count // CLIENTS) for _ in range(CLIENTS)))


def _transactions(server: Embedded, settings: Any) -> list[Figure]:
    script = Path(tempfile.mkstemp(suffix=".sql")[1])
    script.write_text(
        "begin;\ninsert into bench_rows (institution_id, note) values ('4101', 'x');\ncommit;\n"
    )
    script.chmod(0o644)
    try:
        ceiling = _pgbench(server, script)
        ours = asyncio.run(_insert_rate(server, settings))
    finally:
        script.unlink()
    return [
        _ratio("INSERT transaction", "pgbench, 8 clients", ours / ceiling, ">=", 0.35, ours, "per second")
    ]


def _pgbench(server: Embedded, script: Path) -> float:
    done = subprocess.run(
        [str(_programs() / "pgbench"), "-n", "-c", str(CLIENTS), "-j", "2", "-T", "5", "-M", "prepared", "-f",
         str(script), "-h", str(server.sockets), "-U", "postgres", "xiaodai"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found
    return float(found[1])


async def _insert_rate(server: Embedded, settings: Any, seconds: float = 5) -> float:
    """INSERT transactions a second through `db.begin`, eight at a time."""
    db = wiring.Database(
        server.dsn("xiaodai_app"), wiring.vault(settings), flush_audit=audit.flush, size=CLIENTS
    )
    await db.open()
    actor, done, end = system("4101", "bench"), 0, time.perf_counter() + seconds

    async def work() -> None:
        nonlocal done
        while time.perf_counter() < end:
            async with db.begin(actor) as tx:
                await tx.connection.execute(
                    "insert into bench_rows (institution_id, note) values ($1, $2)", "4101", "x"
                )
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    rate = done / (time.perf_counter() - began)
    await db.close()
    return rate


def _ratio(name: str, ceiling: str, ratio: float, sign: str, goal: float, value: float, unit: str) -> Figure:
    met = ratio >= goal if sign == ">=" else ratio <= goal
    return {
        "name": name, "value": round(value, 1), "unit": unit, "ceiling": ceiling, "ratio": round(ratio, 3),
        "goal": f"{sign} {goal}", "met": met,
    }  # fmt: skip
