"""Every failpoint, in real processes: each kills its process `SWEEP_TIMES` times while customers travel (trust §1).

One `up`, all failpoints armed at once; customers of four kinds pass every place: who goes the whole road, who
changes their mind, who never signs, and who is told by subscription notice. CI takes each place once, the
target of three times (`SWEEP_TIMES=3`) is on demand.
"""

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress

import asyncpg
import pytest

from backend.core import failpoints
from backend.db.embedded import Embedded
from backend.sandbox.travellers import Traveller
from backend.settings import load
from tests.chaos import ledgers
from tests.chaos.arena import Arena, kill_part, set_fault, well_known

TIMES = int(os.environ.get("SWEEP_TIMES", "1"))
SECONDS = 100 + 110 * TIMES


class ChangesMind(Traveller):
    """Handed over to the bank, and then not interested any more."""

    async def _bank(self) -> None:
        page = await self._get(f"/my/{self.journey.application_no}")
        await self._post(page.form("/cancel"))


class NeverSigns(Traveller):
    """Handed over to the bank, and never seen again."""

    async def _bank(self) -> None:
        return


class AllowsNotices(Traveller):
    """Taps 允许 on every question for a notice, before the officer's code is scanned."""

    async def _scan(self) -> None:
        await super()._scan()
        template = load({}).wechat_progress_template
        grant = {"template_id": template, "accept": True, "scene": "0"}
        for _ in range(6):
            await self._control("POST", f"/phone/{self.openid}/subscribe-grants", grant)


KINDS = (Traveller, ChangesMind, AllowsNotices, NeverSigns)


@pytest.mark.chaos
@pytest.mark.slow
async def test_every_failpoint_is_hit_and_nothing_is_lost_or_doubled() -> None:
    everything = await _declared()
    arena = Arena(
        environment={"XIAODAI_FAILPOINTS": f"*=kill:{TIMES}x", "PLANTED": "quick"},
        entry="tests.chaos.planted",
    )
    try:
        await asyncio.to_thread(arena.start)
        journeys = await _sweep(arena, everything)
        drained = await ledgers.drained(arena)
        await ledgers.quiet(arena)
        hits = arena.hits()
        print(f"{sum(hits.values())} deaths at {len(hits)} places; drained {drained:.1f} s after the last")
        print(f"{len(journeys)} journeys {dict(Counter(journeys))}")
        assert {name: hits.get(name, 0) for name in everything if hits.get(name, 0) < TIMES} == {}, (
            arena.logs()
        )
        assert await ledgers.violations(arena, list(journeys)) == {}
    finally:
        arena.remove()


async def _declared() -> set[str]:
    """Every failpoint of web and worker."""
    from backend import serving  # noqa: F401 - declares what the web process knows
    from backend.app import doors
    from backend.jobs import worker  # noqa: F401

    doors()
    return set(failpoints.NAMES)


async def _sweep(arena: Arena, everything: set[str]) -> dict[str, str]:
    """Travellers until every place was hit; application number → how the journey ended."""
    arena.storm()
    set_fault(arena, "wechat", "cgi-bin/message/custom/send", "errcode", times=12, errcode=45015)
    ends: dict[str, str] = {}
    all_hit, seeds = asyncio.Event(), iter(range(int(time.time()) % 10**6 * 1000, 10**12))

    async def keep_travelling(kind: type[Traveller]) -> None:
        while not all_hit.is_set():
            seed = next(seeds)
            person = kind(seed, web=arena.web, sandbox=arena.sandbox, patience=60)
            await well_known(arena, person.person)
            journey = await person.travel()
            if journey.application_no:
                ends[journey.application_no] = journey.end or journey.error

    roads = [asyncio.create_task(keep_travelling(kind)) for kind in KINDS]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and any(arena.hits().get(name, 0) < TIMES for name in everything):
        await asyncio.sleep(2)
        if await _offers_lapsed(arena) and arena.hits().get("expire.withdrawn", 0) < TIMES:
            # The timetable looks for them every ten minutes, and whenever a worker starts.
            kill_part(arena, "worker")
    all_hit.set()
    await asyncio.to_thread(arena.calm)
    await asyncio.wait_for(asyncio.gather(*roads), 300)
    return ends


async def _offers_lapsed(arena: Arena) -> bool:
    """Offers that have been with the bank for a while were good until the day before yesterday."""
    with suppress(OSError, TimeoutError, asyncpg.PostgresError):
        owner = await asyncpg.connect(Embedded(arena.data).dsn(), timeout=5)
        try:
            done = await owner.execute(
                "update contracts.contracts set valid_until = current_date - 2 where status = 'ready'"
                " and offer_no is not null and valid_until >= current_date"
                " and updated_at < now() - interval '15 seconds'"
            )
        finally:
            await owner.close()
        return done != "UPDATE 0"
    return False
