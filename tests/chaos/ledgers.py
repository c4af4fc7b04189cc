"""What the outside world saw against what we ordered and hold (trust §1): the questions no SQL of ours answers."""

import asyncio
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from backend import wiring
from backend.db.embedded import Embedded
from backend.domains.audit import service as audit
from backend.overview import invariants
from backend.settings import load
from tests.chaos.arena import Arena

# (system, effect) that may stand in a ledger once per case and no more. Two photographs go to the archive.
MOST = {
    ("mobile_bank", "offer_received"): 1,
    ("mobile_bank", "offer_fetched"): 1,
    ("mobile_bank", "offer_withdrawn"): 1,
    ("mobile_bank", "offer_signed"): 1,
    ("mobile_bank", "offer_cancelled"): 1,
    ("image_archive", "image_stored"): 2,
    ("credit_bureau", "report_queried"): 1,
    ("identity_check", "identity_queried"): 1,
    ("core_banking", "line_opened"): 1,
}
# How far a case must have come here once the bank knows of a step; later states are as good.
REACHED = {
    "offer_signed": {"signed", "drawn", "repaid"},
    "offer_drawn": {"drawn", "repaid"},
    "offer_cancelled": {"cancelled"},
}
DECIDED = {
    "approved",
    "declined",
    "referred",
    "handed_off",
    "signed",
    "drawn",
    "repaid",
    "expired",
    "cancelled",
}
HANDED = {"handed_off", "signed", "drawn", "repaid"}


def database(arena: Arena) -> wiring.Database:
    return wiring.database(load({}, xiaodai_data=str(arena.data)), size=2)


DRAINED_WITHIN = 60.0  # seconds after the last fault

_UNDER_WAY = """
select 'case ' || application_no || ' ' || status from applications.applications
where status in ('submitted', 'deciding', 'held') and submitted_at < $1
union all
select 'effect ' || kind || ' ' || status || ' ' || attempts || ' ' || coalesce(last_error, '') from outbox.effects
where status not in ('delivered', 'overtaken') and created_at < $1
union all
select 'message ' || message_id from outbox.inbox where applied_at is null and received_at < $1
"""


async def drained(arena: Arena) -> float:
    """Seconds until everything that was ordered by now is done; fails past the limit."""
    began, now = time.monotonic(), datetime.now(UTC)
    while True:
        left = await _left(arena, now)
        seconds = time.monotonic() - began
        if left == []:
            return seconds
        assert seconds <= DRAINED_WITHIN, f"not drained: {left}\n{arena.logs()}"
        await asyncio.sleep(0.5)


async def _left(arena: Arena, ordered_before: datetime) -> list[str] | None:
    """What is under way; None while the database cannot be asked."""
    try:
        owner = await asyncpg.connect(Embedded(arena.data).dsn(), timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None
    try:
        return [row[0] for row in await owner.fetch(_UNDER_WAY, ordered_before)]
    finally:
        await owner.close()


async def quiet(arena: Arena) -> None:
    """Wait until nothing at all is under way, here or at the bank."""
    end = time.monotonic() + 120
    while True:
        left = await _left(arena, datetime.now(UTC))
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            calls = (await http.get(f"{arena.sandbox}/control/callbacks")).json()
        if left == [] and not calls:
            return
        assert time.monotonic() < end, f"never quiet: {left} {calls}\n{arena.logs()}"
        await asyncio.sleep(1)


async def violations(arena: Arena, acknowledged: list[str]) -> dict[str, object]:
    """Every question of trust §1 that is answered with something; empty when all holds.

    `acknowledged`: numbers of applications whose customers were told that they were handed in.
    """
    problems: dict[str, object] = {}
    db = database(arena)
    await db.open()
    try:
        problems |= await invariants.ask(db)
        broken = (await audit.verify(db))[1]
        if broken:
            problems["audit chain broken"] = broken
    finally:
        await db.close()
    owner = await asyncpg.connect(Embedded(arena.data).dsn())
    try:
        cases = await owner.fetch("select id::text, application_no, status from applications.applications")
        ordered = await owner.fetch(
            "select kind, key, case_id from outbox.effects where status = 'delivered'"
        )
    finally:
        await owner.close()
    known = {row["application_no"]: row["status"] for row in cases}
    missing = [number for number in acknowledged if known.get(number, "draft") == "draft"]
    if missing:
        problems["acknowledged and lost"] = missing
    problems |= compare(await ledger(arena), {row["id"]: row["status"] for row in cases}, ordered)
    return problems


async def ledger(arena: Arena) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        found: list[dict[str, Any]] = (await http.get(f"{arena.sandbox}/control/ledger")).json()
    return found


def compare(ledger: list[dict[str, Any]], cases: dict[str, str], ordered: Any) -> dict[str, object]:
    """`cases`: id → status; `ordered`: delivered effects with kind, key and case_id."""
    seen = Counter((e["system"], e["effect"], e["case"]) for e in ledger)
    keys = Counter((e["system"], e["key"]) for e in ledger if e["key"])
    of_case: dict[str, set[str]] = defaultdict(set)
    for entry in ledger:
        of_case[entry["case"]].add(entry["effect"])
    by_kind: dict[str, set[str]] = defaultdict(set)
    for row in ordered:
        by_kind[row["kind"]].add(row["key"])
    at_the_bank = {case for case, effects in of_case.items() if {"offer_received", "offer_fetched"} & effects}
    answers = {
        "an effect twice": [k for k, n in seen.items() if n > MOST.get((k[0], k[1]), n)],
        "a key applied twice": [k for k, n in keys.items() if n > 1],
        "told by two means": _told_twice(keys),
        "effects nobody ordered": _unordered(ledger, cases, by_kind),
        "offers missing at the bank": [c for c, s in cases.items() if s in HANDED and c not in at_the_bank],
        "offers that outlive their case": [
            case
            for case in at_the_bank
            if cases.get(case) in {"cancelled", "expired"}
            and not {"offer_withdrawn", "offer_cancelled"} & of_case[case]
        ],
        "facts never asked for": [
            case
            for case, s in cases.items()
            if s in {"approved"} | HANDED and "report_queried" not in of_case[case]
        ],
        "messages marked sent and never received": _never_received(ledger, by_kind),
        "known there and not here": [
            f"{case} {effect} {cases.get(case)}"
            for effect, reached in REACHED.items()
            for case, effects in of_case.items()
            if effect in effects and cases.get(case) not in reached
        ],
        "paid off there and not here": [
            entry["case"]
            for entry in ledger
            if entry["effect"] == "offer_repaid"
            and entry["response"].get("paid_off")
            and cases.get(entry["case"]) != "repaid"
        ],
    }
    return {question: found for question, found in answers.items() if found}


def _unordered(
    ledger: list[dict[str, Any]], cases: dict[str, str], by_kind: dict[str, set[str]]
) -> list[str]:
    """Effects at other systems that no effect or case of ours explains."""
    strange = []
    for entry in ledger:
        case, effect, key = entry["case"], entry["effect"], entry["key"]
        if effect == "offer_received" and key not in by_kind["mobile_bank.offer"]:
            strange.append(f"{effect} {case} {key}")
        if effect == "image_stored" and key not in by_kind["image.archive"]:
            strange.append(f"{effect} {case} {key}")
        if (
            effect == "sms_sent"
            and key.removesuffix(":sms") not in by_kind["sms.send"] | by_kind["notify.status"]
        ):
            strange.append(f"{effect} {case} {key}")
        if effect in {"report_queried", "identity_queried"} and cases.get(case) not in DECIDED:
            strange.append(f"{effect} {case} {cases.get(case)}")
    return strange


def _told_twice(keys: Counter[tuple[str, str]]) -> list[str]:
    """Notices (`notice:<case>:<status>:<means or grant>`) that reached their customer more than once."""
    notices = Counter(key.rsplit(":", 1)[0] for _, key in keys if key.startswith("notice:"))
    return [notice for notice, n in notices.items() if n > 1]


def _never_received(ledger: list[dict[str, Any]], by_kind: dict[str, set[str]]) -> list[str]:
    received = {(e["system"], e["key"]) for e in ledger}
    missing = [key for key in by_kind["sms.send"] if ("sms", key) not in received]
    return missing + [key for key in by_kind["image.archive"] if ("image_archive", key) not in received]
