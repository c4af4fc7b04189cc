"""The data disk is full under travelling customers: nothing acknowledged is lost, and it goes on by itself (trust §1).

Mounts a small file system, so it needs root; on a machine where that is not permitted it fails and says so.
"""

import asyncio
import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from backend.db.embedded import Embedded
from backend.sandbox.travellers import Journey, Traveller
from tests.chaos import ledgers
from tests.chaos.arena import Arena

SIZE = "700m"
FULL_FOR = float(os.environ.get("CHAOS_FULL_SECONDS", "20"))
RESUMED_WITHIN = 5.0


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="xiaodai-disk-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.fail(
            f"this machine lets nobody mount a file system, so a full disk cannot be tried: {mounted.stderr}"
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


class Writer:
    """Commits numbered rows all the time; `kept` are those the server acknowledged."""

    def __init__(self, arena: Arena) -> None:
        self._arena, self.kept, self.refused = arena, list[int](), 0
        self.last_ack = 0.0

    async def run(self) -> None:
        number = 0
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(self._dsn, timeout=3, command_timeout=5)
                try:
                    while True:
                        number += 1
                        await connection.execute(
                            "insert into public.numbers values ($1, $2)", number, "x" * 4000
                        )
                        self.kept.append(number)
                        self.last_ack = time.monotonic()
                        await asyncio.sleep(0.02)
                finally:
                    connection.terminate()
            self.refused += 1
            await asyncio.sleep(0.1)

    async def lost(self) -> set[int]:
        connection = await asyncpg.connect(self._dsn)
        try:
            return set(self.kept) - {
                r[0] for r in await connection.fetch("select number from public.numbers")
            }
        finally:
            await connection.close()

    async def prepare(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        await connection.execute("create table public.numbers (number integer primary key, filler text)")
        await connection.execute("alter table public.numbers alter filler set storage external")
        await connection.close()

    @property
    def _dsn(self) -> str:
        return Embedded(self._arena.data).dsn()


@pytest.mark.chaos
@pytest.mark.on_demand
async def test_a_full_disk_loses_nothing_acknowledged_and_is_over_when_there_is_room(
    small_disk: Path,
) -> None:
    data = small_disk / "data"
    data.mkdir()
    arena = Arena(data=data)
    try:
        await asyncio.to_thread(arena.start)
        writer = Writer(arena)
        await writer.prepare()
        writing = asyncio.create_task(writer.run())
        travelling = asyncio.create_task(_travel(arena, 4))
        await asyncio.sleep(15)
        filler = small_disk / "filler"
        await _fill(filler, FULL_FOR)
        free = os.statvfs(small_disk).f_bavail
        before, emptied = writer.last_ack, time.monotonic()
        filler.unlink()
        resumed = await _resumed(arena, writer, emptied)
        writing.cancel()
        journeys = await asyncio.wait_for(travelling, 300)
        drained = await ledgers.drained(arena)
        print(
            f"full for {FULL_FOR:.0f} s ({free} blocks free, {writer.refused} refusals, the last acknowledged "
            f"{emptied - before:.1f} s before there was room); resumed after {resumed:.1f} s, drained after "
            f"{drained:.1f} s; {len(writer.kept)} rows acknowledged; journeys {[j.end or j.error for j in journeys]}"
        )
        assert writer.refused > 0, "the disk was never full"
        assert await writer.lost() == set()
        await ledgers.quiet(arena)
        assert await ledgers.violations(arena, [j.application_no for j in journeys if j.application_no]) == {}
        assert resumed <= RESUMED_WITHIN
    finally:
        arena.remove()


async def _travel(arena: Arena, count: int) -> list[Journey]:
    async def one(number: int) -> Journey:
        await asyncio.sleep(number * 6)
        return await Traveller(9000 + number, web=arena.web, sandbox=arena.sandbox, patience=90).travel()

    return list(await asyncio.gather(*(one(n) for n in range(count))))


async def _fill(filler: Path, seconds: float) -> None:
    """Take every block there is, and what is given back meanwhile too."""
    end = time.monotonic() + seconds
    with filler.open("wb", buffering=0) as file:
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * 65536)
            with contextlib.suppress(OSError):
                file.write(b"\0" * 4096)
            await asyncio.sleep(0.05)


async def _resumed(arena: Arena, writer: Writer, since: float) -> float:
    """Seconds until rows are acknowledged again and the web process says that it can serve."""
    while True:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            with contextlib.suppress(httpx.HTTPError):
                ready = (await http.get(f"{arena.web}/readyz")).status_code == 200
                if ready and writer.last_ack > since:
                    return time.monotonic() - since
        assert time.monotonic() - since < 60, arena.logs()
        await asyncio.sleep(0.1)
