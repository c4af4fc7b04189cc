"""Sixty seconds of faults under travelling customers: nothing lost, nothing doubled (trust §1).

`CHAOS_SECONDS`, `CHAOS_SEED` and `CHAOS_TRAVELLERS` lengthen and vary it on demand; the long run wants at
least 1,000 faults: `CHAOS_SECONDS=1300`. Beside the faults every failpoint kills its process once in fifty.
"""

import asyncio
import os
import random
import time
from collections import Counter

import pytest

from backend.sandbox import travellers
from tests.chaos import ledgers
from tests.chaos.arena import Arena, deck, hurt, well_known

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("CHAOS_SEED", str(int(time.time()))))
TRAVELLERS = int(os.environ.get("CHAOS_TRAVELLERS", "5"))
PAUSE = 0.9  # seconds between two faults, on average
FAULTS_PER_SECOND = 0.75  # trust §1: at least 45 in 60 s


@pytest.mark.chaos
@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_is_doubled_under_faults() -> None:
    print(f"CHAOS_SEED={SEED} CHAOS_SECONDS={SECONDS:g} repeats this run")
    arena = Arena(environment={"XIAODAI_FAILPOINTS": "*=kill:0.02"})
    try:
        await asyncio.to_thread(arena.start)
        journeys, faults, drained = await _travel_under_faults(arena)
        await ledgers.quiet(arena)
        print(f"{len(faults)} faults {dict(Counter(faults))}, {sum(arena.hits().values())} failpoints hit")
        print(f"{len(journeys)} journeys {dict(Counter(j.end or j.error for j in journeys))}")
        print(f"drained {drained:.1f} s after the last fault")
        acknowledged = [j.application_no for j in journeys if j.application_no]
        assert acknowledged, [j.error for j in journeys]
        problems = await ledgers.violations(arena, acknowledged)
        assert problems == {}, (SEED, problems, arena.logs())
    finally:
        arena.remove()


async def _travel_under_faults(arena: Arena) -> tuple[list[travellers.Journey], list[str], float]:
    """Journeys, faults, and how long what was under way at the last fault took to be done."""
    stop = asyncio.Event()
    done: list[travellers.Journey] = []
    seeds = iter(range(SEED % 10**6 * 1000, 10**12))

    async def keep_travelling() -> None:
        while not stop.is_set():
            seed = next(seeds)
            traveller = travellers.Traveller(seed, web=arena.web, sandbox=arena.sandbox, patience=60)
            if seed % 3:  # most of them get a loan; the others are anybody
                await well_known(arena, traveller.person)
            done.append(await traveller.travel())

    arena.storm()
    roads = [asyncio.create_task(keep_travelling()) for _ in range(TRAVELLERS)]
    faults = await hurt(arena, SECONDS, PAUSE, SEED, least=int(SECONDS * FAULTS_PER_SECOND))
    stop.set()
    drained = await ledgers.drained(arena)
    # Whoever is still on the road arrives in calm weather.
    await asyncio.wait_for(asyncio.gather(*roads), 300)
    return done, faults, drained


def test_the_choice_of_faults_repeats_by_its_seed() -> None:
    one, two = deck(random.Random(7)), deck(random.Random(7))
    assert [next(one).name for _ in range(50)] == [next(two).name for _ in range(50)]


def test_every_kind_of_fault_comes_within_a_smoke_run() -> None:
    faults = deck(random.Random(7))
    names = {next(faults).name for _ in range(45)}
    assert {
        "kill postgres",
        "kill worker",
        "kill web",
        "pause worker",
        "end worker",
        "half-open line",
    } <= names
