"""Sixty seconds of faults under travelling customers: nothing lost, nothing doubled (trust §1).

`CHAOS_SECONDS` and `CHAOS_SEED` lengthen and vary it on demand; the long run wants at least 1,000 faults.
"""

import asyncio
import os
import random
import time
from collections import Counter

import asyncpg
import httpx
import pytest

from backend import wiring
from backend.db.embedded import Embedded
from backend.domains.audit import service as audit
from backend.overview import invariants
from backend.sandbox import travellers
from backend.settings import load
from tests.chaos.arena import Arena, hurt

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("CHAOS_SEED", str(int(time.time()))))
DRAINED_WITHIN = 60.0  # seconds after the last fault

# (effect, case) that may stand in a ledger once and no more.
ONCE = {
    "mobile_bank": {"offer_received", "offer_signed", "offer_cancelled"},
    "image_archive": {"image_stored"},
    "credit_bureau": {"report_queried"},
    "identity_check": {"identity_queried"},
    "core_banking": {"line_opened"},
}


@pytest.mark.chaos
@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_is_doubled_under_faults() -> None:
    arena = Arena()
    try:
        await asyncio.to_thread(arena.start)
        journeys, faults = await _travel_under_faults(arena)
        drained = await _drain(arena)
        print(f"seed {SEED}: {len(faults)} faults {Counter(faults)}; drained in {drained:.1f} s")
        print(f"{len(journeys)} journeys: {Counter(j.end or j.error for j in journeys)}")
        assert len(faults) >= SECONDS * 0.75, faults
        acknowledged = [j.application_no for j in journeys if j.application_no]
        assert acknowledged, [j.error for j in journeys]
        problems = await _violations(arena, acknowledged)
        assert problems == {}, (problems, arena.logs())
    finally:
        arena.remove()


async def _travel_under_faults(arena: Arena) -> tuple[list[travellers.Journey], list[str]]:
    stop = asyncio.Event()
    done: list[travellers.Journey] = []
    seeds = iter(range(SEED % 10**6 * 1000, 10**12))

    async def keep_travelling() -> None:
        while not stop.is_set():
            traveller = travellers.Traveller(next(seeds), web=arena.web, sandbox=arena.sandbox, patience=60)
            done.append(await traveller.travel())

    roads = [asyncio.create_task(keep_travelling()) for _ in range(3)]
    faults = await hurt(arena, SECONDS, 1.0, SEED)
    stop.set()
    # Whoever is on the road arrives in calm weather.
    await asyncio.wait_for(asyncio.gather(*roads), 240)
    return done, faults


async def _drain(arena: Arena) -> float:
    """Wait until nothing is under way any more; returns the seconds, fails past the limit."""
    began = time.monotonic()
    db = _database(arena)
    await db.open()
    try:
        moving = {"case_without_end", "effect_undelivered", "message_not_applied"}
        while True:
            open_questions = {k: v for k, v in (await invariants.ask(db)).items() if k in moving}
            calls = httpx.get(f"{arena.sandbox}/control/callbacks", timeout=20, trust_env=False).json()
            if not open_questions and not calls:
                return time.monotonic() - began
            if time.monotonic() - began > DRAINED_WITHIN:
                raise AssertionError(f"not drained: {open_questions} callbacks {calls} {arena.logs()}")
            await asyncio.sleep(1)
    finally:
        await db.close()


async def _violations(arena: Arena, acknowledged: list[str]) -> dict[str, object]:
    problems: dict[str, object] = {}
    db = _database(arena)
    await db.open()
    try:
        problems |= await invariants.ask(db)
        broken = (await audit.verify(db))[1]
        if broken:
            problems["audit chain"] = broken
    finally:
        await db.close()
    owner = await asyncpg.connect(Embedded(arena.data).dsn())
    try:
        known = {
            row["application_no"]: row
            for row in await owner.fetch(
                "select id::text, application_no, status from applications.applications"
            )
        }
        kept = await owner.fetch("select kind, case_id from outbox.effects")
    finally:
        await owner.close()
    missing = [n for n in acknowledged if n not in known or known[n]["status"] == "draft"]
    if missing:
        problems["acknowledged and lost"] = missing
    problems |= _ledger_problems(arena, {row["id"]: row["status"] for row in known.values()}, kept)
    return problems


def _ledger_problems(arena: Arena, cases: dict[str, str], kept: list[asyncpg.Record]) -> dict[str, object]:
    """What the outside world saw, against what we ordered."""
    ledger = httpx.get(
        f"{arena.sandbox}/control/ledger", params={"since": 0}, timeout=60, trust_env=False
    ).json()
    seen = Counter((e["system"], e["effect"], e["case"]) for e in ledger)
    doubled = [
        k for k, n in seen.items() if n > 1 and k[1] in ONCE.get(k[0], set()) and k[0] != "image_archive"
    ]
    ordered = {row["case_id"] for row in kept if row["kind"] == "mobile_bank.offer"}
    received = {e["case"] for e in ledger if e["effect"] == "offer_received"}
    problems: dict[str, object] = {}
    if doubled:
        problems["an effect twice"] = doubled
    if received - ordered:
        problems["effects nobody ordered"] = sorted(received - ordered)
    handed = {c for c, status in cases.items() if status in {"handed_off", "signed", "drawn", "repaid"}}
    if handed - received:
        problems["expected effects missing"] = sorted(handed - received)
    keys = Counter((e["system"], e["key"]) for e in ledger if e["key"])
    if any(n > 1 for n in keys.values()):
        problems["a key applied twice"] = [k for k, n in keys.items() if n > 1]
    signed = {e["case"] for e in ledger if e["effect"] == "offer_signed"}
    late = {c for c in signed if cases.get(c) not in {"signed", "drawn", "repaid", "cancelled"}}
    if late:
        problems["signed there, not here"] = sorted(late)
    return problems


def _database(arena: Arena) -> wiring.Database:
    return wiring.database(load({}, xiaodai_data=str(arena.data)), size=2)


def test_the_choice_of_faults_repeats_by_its_seed() -> None:
    from tests.chaos.arena import FAULTS

    one, two = random.Random(7), random.Random(7)
    assert [one.choice(FAULTS).name for _ in range(50)] == [two.choice(FAULTS).name for _ in range(50)]
