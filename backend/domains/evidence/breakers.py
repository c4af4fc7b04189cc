"""熔断: one circuit breaker per source, shared by all processes through one row (N19).

A source that failed `failures` times more than it answered within its window is asked no more; every
`pause_seconds` one call is let through, and its answer closes the breaker. Each call here is one statement; give it
a transaction of its own, so that no case waits for another.
"""

from datetime import datetime, timedelta

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.evidence.sources import Source

Q = queries.load(__package__)


class Breaker(msgspec.Struct, frozen=True):
    """`state` closed, open or half_open; `retry_at` when the next call may try, None while closed; `last_error` is
    the kind of the last failure. `held_until`: stopped by hand until then; `note` and `noted_by` are the last word of
    head office about it."""

    source: str
    state: str
    failures: int
    failed_at: datetime | None
    retry_at: datetime | None
    last_error: str
    changed_at: datetime
    held_until: datetime | None
    note: str
    noted_by: str


async def every(tx: Tx) -> dict[str, Breaker]:
    """By source. One that never failed has none."""
    return {row["source"]: Breaker(**dict(row)) for row in await Q.breakers(tx)}


async def admit(tx: Tx, source: Source) -> bool:
    """May it be asked now? True for a closed breaker, and for the one call that tries an open one."""
    until = tx.now + timedelta(seconds=source.deadline_seconds + source.pause_seconds)
    return bool(await Q.probe(tx, source=source.name, now=tx.now, until=until))


async def failed(tx: Tx, source: Source, why: str) -> bool:
    """It did not answer. True when the breaker is open now."""
    state = await Q.fail(
        tx,
        source=source.name,
        now=tx.now,
        why=why,
        most=source.failures,
        since=tx.now - timedelta(seconds=source.window_seconds),
        retry_at=tx.now + timedelta(seconds=source.pause_seconds),
    )
    return str(state) == "open"


async def answered(tx: Tx, source: Source) -> bool:
    """It answered, be it with a no. True when that closed the breaker: what waited for it may go on."""
    return bool(await Q.succeed(tx, source=source.name, now=tx.now))


async def stop(tx: Tx, source: Source, hours: int, why: str) -> None:
    """By hand: nobody asks it for so many hours. Cases go down its ladder meanwhile; the worst is that a person
    decides."""
    until = tx.now + timedelta(hours=hours)
    await Q.stop(tx, source=source.name, until=until, note=why, who=str(tx.actor), now=tx.now)
    audit.add(tx, "source.stopped", source.name, hours=hours, reason=why)


async def resume(tx: Tx, source: Source, why: str) -> bool:
    """By hand: asked again from now on. False when it was asked anyway."""
    who = str(tx.actor)
    if not await Q.resume(tx, source=source.name, note=why, who=who, now=tx.now):
        return False
    audit.add(tx, "source.resumed", source.name, reason=why)
    return True
