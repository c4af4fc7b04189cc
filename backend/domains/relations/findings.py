"""The nightly look over a whole institution: old edges go, the kept state is held against the edges, and what is
worth a person's look is raised with an owner to be found (N9)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from backend.core import clock, ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.relations import service
from backend.domains.relations.model import (
    FalseAlarms,
    Finding,
    FindingMoved,
    FindingNotFound,
    Pattern,
    Run,
    SayMore,
)
from backend.domains.relations.repository import Q, patiently

_TABLE = "relations.findings"
SHORTEST, LONGEST = 4, 500
ANSWERS = ("confirmed", "false_alarm")
MOST = 100
"""Findings of one page."""

SHARED = {
    "RL_PAYEE": ("payee",),
    "RL_HELPER": ("openid", "device"),
    "RL_PHONE": ("phone",),
    "RL_RETURNS": ("payee",),
}
"""Patterns that are one key with many households on it."""


async def age(tx: Tx, before: datetime, most: int) -> int:
    """Take away at most so many edges last seen before a moment; returns how many went."""
    gone: int = await Q.age(tx, institution_id=tx.institution_id, before=before, most=most)
    return gone


async def age_sightings(tx: Tx, before: datetime) -> int:
    gone: int = await Q.age_sightings(tx, institution_id=tx.institution_id, before=before)
    return gone


async def compare(tx: Tx, say: Callable[[int], None] = lambda _: None) -> tuple[int, int]:
    """Work out components, households and counts from the edges alone and put right what was kept otherwise.

    Returns (customers, differing). `differing` must be 0: more is a fault of ours, told by whoever called.
    """
    given = {"institution_id": tx.institution_id}
    [[customers]] = await patiently(tx, Q.look_members, **given)
    await patiently(tx, Q.look_nodes, **given)
    while moved := (await patiently(tx, Q.look_spread))[0][0]:
        say(moved)
    await patiently(tx, Q.look_homes, **given)
    [[differing]] = await patiently(tx, Q.look_repair, **given)
    return customers, differing


async def raise_all(tx: Tx) -> int:
    """Raise what is new or has grown since it was answered; returns how many findings there are more."""
    raised = 0
    for pattern in (await service.patterns(tx)).values():
        for row in await _found(tx, pattern):
            made = await Q.raise_finding(
                tx,
                institution_id=tx.institution_id,
                id=ids.new(),
                code=pattern.code,
                **dict(row),
                now=tx.now,
            )
            raised += made is not None
    return raised


async def _found(tx: Tx, pattern: Pattern) -> list[Any]:
    given = {"institution_id": tx.institution_id}
    if pattern.code in SHARED:
        since = tx.now - timedelta(days=pattern.days) if pattern.days else None
        kinds = list(SHARED[pattern.code])
        return await patiently(
            tx,
            Q.found_shared,
            **given,
            code=pattern.code,
            kinds=kinds,
            least=pattern.least,
            since=since,
            owned=pattern.code == "RL_RETURNS",
        )
    if pattern.code == "RL_RING":
        return await patiently(tx, Q.found_rings, **given, least=pattern.least)
    if pattern.code == "RL_GUARANTEE":
        return await patiently(tx, Q.found_guarantees, **given)
    if pattern.code == "RL_IMPERSONATION":
        return await patiently(tx, Q.found_impersonations, **given, least=pattern.least)
    return []


async def record(tx: Tx, *, customers: int, aged: int, differing: int, raised: int) -> None:
    """One night's row; a difference is also an entry of the audit chain."""
    await Q.record_run(
        tx,
        institution_id=tx.institution_id,
        run_on=_today(tx),
        customers=customers,
        aged=aged,
        differing=differing,
        findings=raised,
        now=tx.now,
    )
    if differing:
        audit.add(tx, "relations.repaired", "graph", differing=differing)


async def ran_today(tx: Tx) -> bool:
    return bool(await Q.ran_on(tx, institution_id=tx.institution_id, run_on=_today(tx)))


async def runs(tx: Tx) -> list[Run]:
    return [Run(*row) for row in await Q.runs(tx, institution_id=tx.institution_id)]


async def all_findings(tx: Tx, most: int = MOST) -> list[Finding]:
    """What who asks has in hand first, then what nobody has taken."""
    rows = await Q.findings(tx, institution_id=tx.institution_id, me=tx.actor.id, most=most)
    return [_opened(tx, row) for row in rows]


async def waiting(tx: Tx) -> int:
    """How many wait for who asks: those nobody has taken, and their own."""
    return int(await Q.findings_waiting(tx, institution_id=tx.institution_id, me=tx.actor.id))


async def get(tx: Tx, finding_id: str) -> Finding:
    """Raises `FindingNotFound`."""
    row = (
        await Q.finding(tx, institution_id=tx.institution_id, id=finding_id)
        if ids.is_uuid(finding_id)
        else None
    )
    if row is None:
        raise FindingNotFound()
    return _opened(tx, row)


async def take_in_hand(tx: Tx, finding_id: str) -> None:
    """The finding is this person's. Raises `FindingMoved`, `FindingNotFound`."""
    finding = await get(tx, finding_id)
    if (
        await Q.own_finding(
            tx, institution_id=tx.institution_id, id=finding_id, owner=tx.actor.id, now=tx.now
        )
        is None
    ):
        raise FindingMoved()
    audit.add(tx, "finding.in_hand", finding_id, code=finding.code)


async def answer(tx: Tx, finding_id: str, *, outcome: str, said: str) -> None:
    """The owner's word; `outcome` is one of `ANSWERS`.

    Raises `SayMore`, `FindingMoved` (also for who does not own it), `FindingNotFound`.
    """
    finding, said = await get(tx, finding_id), said.strip()
    if not SHORTEST <= len(said) <= LONGEST:
        raise SayMore(fields={"said": SayMore.message})
    if outcome not in ANSWERS:
        raise SayMore(fields={"outcome": "请选属实还是误报"})
    done = await Q.answer_finding(
        tx,
        institution_id=tx.institution_id,
        id=finding_id,
        status=outcome,
        said=tx.vault.encrypt(_TABLE, "said", finding_id, said),
        owner=tx.actor.id,
        now=tx.now,
    )
    if done is None:
        raise FindingMoved()
    audit.add(tx, f"finding.{outcome}", finding_id, code=finding.code)


async def false_alarms(tx: Tx) -> list[FalseAlarms]:
    """How the answered findings turned out, by pattern: what a threshold is judged by."""
    return [FalseAlarms(*row) for row in await Q.false_alarms(tx, institution_id=tx.institution_id)]


def _opened(tx: Tx, row: object) -> Finding:
    values = dict(row)  # type: ignore[call-overload]
    said = values["said"]
    values["said"] = tx.vault.decrypt(_TABLE, "said", values["id"], said) if said else ""
    return Finding(**values)


def _today(tx: Tx) -> Any:
    return clock.local(tx.now).date()
