"""The one place that knows PgQueuer: jobs carry ids only, effects live in our own table.

PgQueuer's tables lie in the schema `queue`. Its `attempts` does not count crashes, so ours does
(findings.md); a lost job is found again by the sweep over `outbox.effects`.
"""

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

os.environ["PGQUEUER_SCHEMA"] = "queue"  # read by pgqueuer's settings at its import

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

if TYPE_CHECKING:
    from backend.db.database import Tx

ENTRYPOINT = "effect"


async def install(connection: Any) -> None:
    """Create PgQueuer's tables if they are not there; called by the migration with the owner's connection."""
    queries = Queries(AsyncpgDriver(connection))
    if not await queries.schema_is_installed():
        await queries.install()
    await connection.execute(
        "grant usage on schema queue to xiaodai_app;"
        "grant select, insert, update, delete on all tables in schema queue to xiaodai_app;"
        "grant usage, select on all sequences in schema queue to xiaodai_app;"
    )


async def enqueue(
    tx: "Tx",
    institution_id: str,
    effect_id: str,
    attempt: str = "0",
    delay: timedelta | None = None,
    *,
    first: bool = False,
) -> None:
    """Wake a worker for one effect, in the same transaction. A second job for the same attempt is skipped.

    `first`: before everything else that waits, because a person looks at the page until it is done.
    The attempt is part of the key because the job of a killed worker stays in the queue for a while.
    """
    await Queries(AsyncpgDriver(tx.connection)).enqueue(
        ENTRYPOINT,
        f"{institution_id}/{effect_id}".encode(),
        int(first),
        execute_after=delay,
        dedupe_key=f"{effect_id}:{attempt}",
        on_conflict="skip",
    )
