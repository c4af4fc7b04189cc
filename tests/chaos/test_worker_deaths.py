"""What PgQueuer does not do for us (findings): jobs that kill, block or stumble, in real worker processes."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from backend.core.actor import system
from backend.db.database import Database
from backend.outbox import effects
from backend.settings import Settings
from tests.chaos.arena import ROOT

JIA = system("4101", "test")

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(database_dsn: str, owner_dsn: str, settings: Settings) -> Iterator[Start]:
    """Starts a worker on the test's own database; all are gone afterwards."""
    running: list[subprocess.Popen[bytes]] = []
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XIAODAI", "DATABASE"))}

    def start(planted: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.planted", "worker"],
            cwd=ROOT,
            stderr=(settings.data / "worker.log").open("ab"),
            env=kept
            | {
                "DATABASE_URL": database_dsn,
                "DATABASE_OWNER_URL": owner_dsn,
                "XIAODAI_DATA": str(settings.data),
                "PLANTED": planted,
            },
        )
        running.append(process)
        return process

    try:
        yield start
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def always_one(start: Start, planted: str) -> Iterator[list[int]]:
    """A worker that is started again whenever it dies, as the supervisor does; the list holds the deaths."""
    deaths: list[int] = []
    stop = threading.Event()

    def keep() -> None:
        process = start(planted)
        while not stop.wait(0.1):
            if process.poll() is not None:
                deaths.append(process.returncode)
                process = start(planted)

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        yield deaths
    finally:
        stop.set()
        keeper.join()


async def add(db: Database, kind: str, key: str = "k") -> str:
    async with db.begin(JIA) as tx:
        made = await effects.add(tx, kind=kind, case_id="c", payload={}, key=key)
    assert made is not None
    return made


async def ends(db: Database, effect_id: str, *statuses: str, seconds: float = 150) -> effects.EffectState:
    end = time.monotonic() + seconds
    while True:
        async with db.read(JIA) as tx:
            [found] = [e for e in await effects.of_case(tx, "c") if e.id == effect_id]
        if found.status in statuses:
            return found
        assert time.monotonic() < end, found
        await asyncio.sleep(0.2)


def notes(settings: Settings) -> list[str]:
    log = Path(settings.data, "planted.log")
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.chaos
@pytest.mark.on_demand
async def test_a_job_that_kills_its_worker_ends_as_a_dead_letter_and_takes_nobody_with_it(
    db: Database, start: Start, settings: Settings
) -> None:
    poison = await add(db, "test.kill")
    innocent = [await add(db, "test.note", f"innocent {n}") for n in range(5)]
    with always_one(start, "quick,kinds") as deaths:
        letter = await ends(db, poison, "dead", seconds=500)
        for effect_id in innocent:
            await ends(db, effect_id, "delivered")
    assert (letter.attempts, letter.last_error) == (effects.MOST_LOST, "worker_lost")
    assert deaths == [-signal.SIGKILL] * effects.MOST_LOST
    assert sorted(set(notes(settings))) == [f"note innocent {n}" for n in range(5)]


@pytest.fixture
async def owner(owner_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_dsn)
    yield connection
    await connection.close()


async def both_listen(owner: asyncpg.Connection) -> None:
    """Two workers have their queue's connection, beside this one."""
    named = (
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = ''"
    )
    for _ in range(600):
        if await owner.fetchval(named) >= 3:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the workers did not start")


@pytest.mark.chaos
@pytest.mark.slow
async def test_a_handler_that_blocks_its_loop_runs_again_elsewhere_and_counts_once(
    db: Database, start: Start, settings: Settings, owner: asyncpg.Connection
) -> None:
    for _ in range(2):
        start("quick,kinds")
    await both_listen(owner)
    blocking = await add(db, "test.block")
    done = await ends(db, blocking, "delivered")
    await asyncio.sleep(13)  # the first one wakes up and reports: nobody listens
    again = await ends(db, blocking, "delivered")
    assert done == again
    runs = [note.split() for note in notes(settings)]
    assert [attempt for _, attempt, _ in runs] == [str(n + 1) for n in range(done.attempts)]
    assert len(runs) > 1
    assert runs[0][2] != runs[1][2]


@pytest.mark.chaos
@pytest.mark.slow
async def test_a_handler_that_waits_longer_than_the_lease_keeps_it(
    db: Database, start: Start, settings: Settings
) -> None:
    for _ in range(2):
        start("quick,kinds")
    waiting = await add(db, "test.wait")
    assert (await ends(db, waiting, "delivered")).attempts == 1
    assert len(notes(settings)) == 1


@pytest.mark.chaos
@pytest.mark.slow
async def test_a_job_the_queue_holds_back_does_not_hold_its_effect_back(
    db: Database, start: Start, owner: asyncpg.Connection
) -> None:
    effect_id = await add(db, "test.note")
    start("kinds,stumble")
    await ends(db, effect_id, "delivered")
    # Kept for a person to look at (on_failure="hold"), not deleted; the queue writes it down a little later.
    held = "select count(*) from queue.pgqueuer where status = 'failed'"
    for _ in range(300):
        if await owner.fetchval(held):
            break
        await asyncio.sleep(0.1)
    assert await owner.fetchval(held) == 1
