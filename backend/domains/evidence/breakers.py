"""熔断: one circuit breaker per source, shared by all processes through one row (N19).

A source that failed `failures` times more than it answered within its window is asked no more; every
`pause_seconds` one call is let through, and its answer closes the breaker. Each call here is one statement; give it
a transaction of its own, so that no case waits for another.
"""

from datetime import datetime, timedelta

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.evidence.sources import Source

Q = queries.load(__package__)

OPEN = ("open", "half_open")


class Breaker(msgspec.Struct, frozen=True):
    """`state` closed, open or half_open; `retry_at` when the next call may try, None while closed; `last_error` is
    the kind of the last failure."""

    source: str
    state: str
    failures: int
    failed_at: datetime | None
    retry_at: datetime | None
    last_error: str
    changed_at: datetime


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
