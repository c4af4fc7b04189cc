"""The one place that knows PgQueuer: jobs carry ids only, effects live in our own table.

PgQueuer's tables lie in the schema `queue`. Its `attempts` does not count crashes, so ours does
(findings.md); a lost job is found again by the sweep over `outbox.effects`.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

os.environ["PGQUEUER_SCHEMA"] = "queue"  # read by pgqueuer's settings at its import

from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.models import Job

if TYPE_CHECKING:
    from backend.db.database import Tx

FIRST, REST = "first", "effect"
"""The lanes: what a person looks at the page for, and everything else. A worker may serve one or both."""

_ENQUEUE = QueryQueueBuilder().build_enqueue_query("skip")
"""Its text once a process: the library's own call writes it anew for every job."""


class _Jobs(Queries):
    """Jobs of ours are never put off (what must wait is found by the sweep), so nobody asks when the next is due.

    After a batch that was not full the queue is empty nearly always. Whether it is costs a fifth of taking from it, so
    that is asked first, and the answer stands until the library waits for the next notice.
    """

    _short = _empty = False

    async def dequeue(self, batch_size: int, entrypoints: Any, *rest: Any, **more: Any) -> list[Job]:
        if self._short:
            self._short = False
            self._empty = not await super().eligible_queued_work(list(entrypoints))
            if self._empty:
                return []
        jobs = await super().dequeue(batch_size, entrypoints, *rest, **more)
        self._short = 0 < len(jobs) < batch_size
        return jobs

    async def eligible_queued_work(self, entrypoints: Any) -> int:
        empty, self._empty = self._empty, False
        return 0 if empty else int(await super().eligible_queued_work(entrypoints))

    async def next_deferred_eta(self, entrypoints: object) -> None:
        """None."""

    async def queued_work(self, entrypoints: object) -> int:  # noqa: ARG002
        return 0


def jobs(connection: Any) -> PgQueuer:
    """The library at work on a connection that is for the queue alone."""
    driver = AsyncpgDriver(connection)
    return PgQueuer(connection=driver, queries=_Jobs(driver))


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
    tx: "Tx", institution_id: str, effect_id: str, attempt: str = "0", *, first: bool = False
) -> None:
    """Wake a worker for one effect, in the same transaction. A second job for the same attempt is skipped.

    `first`: before everything else that waits, because a person looks at the page until it is done.
    The attempt is part of the key because the job of a killed worker stays in the queue for a while.
    """
    await _enqueue(tx, [(institution_id, effect_id, attempt)], first=first)


async def enqueue_all(tx: "Tx", jobs: Sequence[tuple[str, str, str]]) -> None:
    """As `enqueue` for each (institution, effect, attempt), in one statement."""
    if jobs:
        await _enqueue(tx, jobs, first=False)


async def _enqueue(tx: "Tx", jobs: Sequence[tuple[str, str, str]], *, first: bool) -> None:
    count = len(jobs)
    await tx.reviewed.fetch(  # an insert of the library's, which leaves the session alone
        _ENQUEUE,
        [int(first)] * count,
        [FIRST if first else REST] * count,
        [f"{institution_id}/{effect_id}".encode() for institution_id, effect_id, _ in jobs],
        [timedelta()] * count,
        [f"{effect_id}:{attempt}" for _, effect_id, attempt in jobs],
        ["null"] * count,
    )
