"""Who wakes the worker, and the one place that knows PgQueuer. Ids only: effects live in our own table, and what is
lost on the way is found again by the sweep over it.

What a person waits for at the page (`FIRST`) is called out by PostgreSQL's NOTIFY at the commit: to be written down as
a job, taken and struck off again cost a decision more than to be read. Everything else is a job of PgQueuer's, whose
tables lie in the schema `queue`; its `attempts` does not count crashes, so ours does (findings.md).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

os.environ["PGQUEUER_SCHEMA"] = "queue"  # read by pgqueuer's settings at its import

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.models import Job

if TYPE_CHECKING:
    from backend.db.database import Tx

FIRST, REST, CLOCK = LANES = "first", "effect", "clock"
"""The lanes: what a person looks at the page for, every other effect, and the timetable. A worker may serve some."""

_CALLED = "first_effect"
"""Where `insert_called` (queries.sql) calls out."""

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


async def enqueue(tx: "Tx", institution_id: str, effect_id: str, attempt: str = "0") -> None:
    """Wake a worker for one effect, in the same transaction. A second job for the same attempt is skipped.

    The attempt is part of the key because the job of a killed worker stays in the queue for a while.
    """
    await enqueue_all(tx, [(institution_id, effect_id, attempt)])


async def enqueue_all(tx: "Tx", jobs: Sequence[tuple[str, str, str]]) -> None:
    """As `enqueue` for each (institution, effect, attempt), in one statement."""
    if not jobs:
        return
    if tx.together is not None:
        raise RuntimeError("the library's statement goes by itself: not together with others")
    count = len(jobs)
    await tx.reviewed.fetch(  # an insert of the library's, which leaves the session alone
        _ENQUEUE,
        [0] * count,
        [REST] * count,
        [_named(institution_id, effect_id).encode() for institution_id, effect_id, _ in jobs],
        [timedelta()] * count,
        [f"{effect_id}:{attempt}" for _, effect_id, attempt in jobs],
        ["null"] * count,
    )


Heard = asyncio.Queue[tuple[str, str] | None]
"""(institution, effect); None: nothing more comes."""


@asynccontextmanager
async def calls(connection: Any) -> AsyncIterator[Heard]:
    """What is called out on a connection from here on, in the order of the commits."""
    heard: Heard = asyncio.Queue()

    def hear(*said: Any) -> None:
        heard.put_nowait(parted(said[-1]))

    await connection.add_listener(_CALLED, hear)
    try:
        yield heard
    finally:
        if not connection.is_closed():
            await connection.remove_listener(_CALLED, hear)


async def stay(connection: Any, stop: asyncio.Event) -> None:
    """For a worker that only hears: until `stop`. Raises `InterfaceError` when its connection is gone, as the library
    does."""
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    ends = [asyncio.create_task(each.wait()) for each in (stop, gone)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    if not stop.is_set():
        raise asyncpg.InterfaceError("the connection that hears is closed")


def _named(institution_id: str, effect_id: str) -> str:
    return f"{institution_id}/{effect_id}"


def parted(name: str) -> tuple[str, str]:
    """(institution, effect) of a job's payload or a call."""
    institution_id, _, effect_id = name.partition("/")
    return institution_id, effect_id
