"""The pool and the only two ways to a transaction: `begin` to write, `read` to read.

Both tell PostgreSQL for which institution the code works, so that row-level security decides what exists
(trust §2), and who works in it: that name the audit chain takes, and nobody signs with another (`xd.sign`). The
settings are `SET LOCAL`: they end with the transaction.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol

import asyncpg
import msgspec

from backend.core import clock, failpoints
from backend.core.actor import Actor
from backend.core.crypto import Vault
from backend.core.errors import Unavailable
from backend.db.together import Together

COMMITTING = failpoints.declare("commit.before", "everything is written and nothing is committed")
COMMITTED = failpoints.declare("commit.after", "a transaction is committed; nobody has been told")

_INSTITUTION = re.compile(r"[0-9]{0,12}|\*")
_NAME = re.compile(r"[^\\\x00]{0,200}")
_open: ContextVar[bool] = ContextVar("in_transaction", default=False)


class DatabaseDown(Unavailable):
    code = "database_down"
    message = "系统正在恢复，您填的内容没有丢，请一分钟后再试"


class FirstWrite(Protocol):
    """What a keyed request does in its first transaction that writes (`outbox.idempotency.Claim`)."""

    async def began(self, tx: "Tx") -> bool:
        """In the transaction, before anything else. False: another request was first, this one is rolled back."""

    async def was_second(self) -> None:
        """After that, with no transaction open. Raises."""

    def committed(self) -> None:
        """What `began` wrote is there to stay."""


first_write: ContextVar[FirstWrite | None] = ContextVar("first_write", default=None)


def in_transaction() -> bool:
    """True while this task holds a transaction open; outside calls are refused then."""
    return _open.get()


class Tx:
    """An open transaction: its connection, who works in it, its moment, and the vault for personal data."""

    __slots__ = (
        "actor",
        "at_the_end",
        "audit",
        "by_hand",
        "durable",
        "now",
        "reviewed",
        "stamps",
        "together",
        "vault",
    )

    def __init__(self, connection: Any, actor: Actor, now: datetime, vault: Vault) -> None:
        self.reviewed, self.actor, self.now, self.vault = connection, actor, now, vault
        self.audit: list[dict[str, str]] = []
        self.at_the_end: list[str] = []
        """Statements for the round trip of the commit (`Query.at_the_end`)."""
        self.by_hand = self.durable = False
        """`durable`: what began without need of the disk has come to something that must outlast the server."""
        self.stamps: dict[str, str] | None = None
        """Of the reference data (`db/reference.py`); None until asked for, and after every change."""
        self.together: Together | None = None
        """While statements are sent together (`db/together.py`)."""

    @property
    def connection(self) -> Any:
        """For statements that stand in no `queries.sql`: they may change the session, so it is reset after them.

        `reviewed` is the same connection for those that do: a house test holds that none of them leaves a trace.
        """
        self.by_hand, self.stamps = True, None
        return self.reviewed

    @property
    def institution_id(self) -> str:
        return self.actor.institution_id

    async def become(self, actor: Actor) -> None:
        """Another job of ours goes on in this transaction, under its own name. No person becomes anybody."""
        if (self.actor.kind, actor.kind) != (
            "system",
            "system",
        ) or actor.institution_id != self.institution_id:
            raise ValueError("only one job of an institution becomes another")
        await self.reviewed.execute(_acting(actor))
        self.actor = actor

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone alone, and so is what it noted for the end; the error goes on. Not for
        nesting."""
        audit, at_the_end = len(self.audit), len(self.at_the_end)
        await self.reviewed.execute("savepoint inner_step")
        try:
            yield
        except BaseException:
            await self.reviewed.execute("rollback to savepoint inner_step")
            self.stamps = None
            del self.audit[audit:], self.at_the_end[at_the_end:]
            raise
        await self.reviewed.execute("release savepoint inner_step")


STATEMENTS = 1024
"""Prepared statements a connection keeps, as long as it lives: more than we have, since one that is pushed out is
parsed and planned anew each time (a decision alone uses more than the driver's hundred)."""


class Database:
    """A pool of connections under the role `xiaodai_app`, which owns nothing and bypasses nothing."""

    def __init__(
        self,
        dsn: str,
        vault: Vault,
        *,
        flush_audit: Callable[[Tx], None],
        size: int = 10,
        role: str | None = None,
    ) -> None:
        """`flush_audit` has `tx.audit` appended to the chain with the commit (domains.audit.service.flush)."""
        self._dsn, self._size, self._role = dsn, size, role
        self._flush_audit = flush_audit
        self.vault = vault
        self._pool: Any = None

    async def open(self) -> None:
        settings = {"application_name": "xiaodai", "timezone": "UTC", "lock_timeout": "5s"}
        if self._role:
            settings["role"] = self._role
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._size,
            command_timeout=15,
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            timeout=10,
            server_settings=settings,
            init=_set_codecs,
            connection_class=_Connection,
        )

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @property
    def pool(self) -> Any:
        """For the job queue only, which brings its own statements."""
        return self._pool

    def begin(
        self, actor: Actor, *, durable: bool = True, same_plans: bool = False
    ) -> AbstractAsyncContextManager[Tx]:
        """A READ WRITE transaction for one actor; commits when the block ends without an error.

        `durable=False` does not wait for the disk: a server that dies in the next moments forgets it, as if it had
        never been. Only for notes on our own work that is then simply done again, such as the lease of an effect.
        `same_plans` for a road that many walk: its statements are planned once, not anew for the values of each.
        """
        how = "" if durable else "; set local synchronous_commit = off"
        how += "; set local plan_cache_mode = force_generic_plan" if same_plans else ""
        return _Transaction(self, actor, "begin", self._flush_audit, how)

    def read(self, actor: Actor) -> AbstractAsyncContextManager[Tx]:
        """A READ ONLY transaction; union-wide actors see every institution here."""
        return _Transaction(self, actor, "begin read only", self._flush_audit)

    @asynccontextmanager
    async def alone(self, actor: Actor) -> AsyncIterator[Tx]:
        """For one statement that calls a function which says itself for whom it works: it needs no transaction, and
        no institution is set."""
        connection = await self.acquire()
        try:
            yield Tx(connection, actor, clock.now(), self.vault)
        except _GONE as cause:
            raise DatabaseDown() from cause
        finally:
            connection.leave_alone()
            await self.release(connection)

    async def acquire(self) -> Any:
        """A connection for one transaction. Raises `DatabaseDown` when there is none within five seconds."""
        try:
            async with asyncio.timeout(5):
                return await self._pool.acquire()
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
        ) as cause:
            raise DatabaseDown() from cause

    async def release(self, connection: Any) -> None:
        try:
            await self._pool.release(connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # The server is gone; the pool replaces the connection at the next acquire.
            connection.terminate()


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """Commits, with what was kept for the end, and does the pool's reset in one round trip; after reviewed statements
    alone there is nothing to reset.

    Only the reset that follows a commit at once is saved; every other way out of a transaction, and everyone
    else who uses the pool, is reset as ever.
    """

    is_reset = False

    async def commit(self, last: Sequence[str], *, reset: bool, durable: bool) -> None:
        """`last`: statements that go before it; one that fails takes the whole transaction with it."""
        before = ("set local synchronous_commit to default",) if durable else ()
        after = (str(super().get_reset_query()),) if reset else ()
        await self.execute("; ".join((*last, *before, "commit", *after)))
        self.is_reset = True

    def leave_alone(self) -> None:
        """A reviewed statement outside a transaction has left nothing to reset."""
        self.is_reset = True

    def get_reset_query(self) -> str:
        done, self.is_reset = self.is_reset, False
        return "" if done else str(super().get_reset_query())


class _Transaction:
    """The block of `begin` and `read`."""

    __slots__ = ("_actor", "_connection", "_db", "_first", "_flush_audit", "_how", "_start", "_token", "_tx")

    def __init__(
        self,
        db: Database,
        actor: Actor,
        start: str,
        flush_audit: Callable[[Tx], None],
        how: str = "",
    ) -> None:
        self._db, self._actor, self._start, self._flush_audit = db, actor, start, flush_audit
        self._how = how
        self._first = first_write.get() if start == "begin" else None

    async def __aenter__(self) -> Tx:
        if _open.get():
            raise RuntimeError("a transaction is already open in this task; pass its tx on instead")
        within = introduce(self._actor)
        self._connection = await self._db.acquire()
        self._token = _open.set(True)
        try:
            # One round trip for all; asyncpg's own transaction object would cost another.
            await self._connection.execute(f"{self._start}; {within}{self._how}")
            self._tx = Tx(self._connection, self._actor, clock.now(), self._db.vault)
            second = self._first is not None and not await self._first.began(self._tx)
        except BaseException as error:
            await self._leave(error)
            raise
        if second and self._first is not None:
            await self._leave(_Second())
            await self._first.was_second()
        return self._tx

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                await self._commit()
            except BaseException as failure:
                await self._leave(failure)
                raise
        await self._leave(error)

    async def _commit(self) -> None:
        if self._tx.audit:
            self._flush_audit(self._tx)
        writes = self._start == "begin"
        if writes:
            failpoints.hit(COMMITTING)
        tx = self._tx
        await self._connection.commit(tx.at_the_end, reset=tx.by_hand, durable=tx.durable)
        if self._first is not None:
            self._first.committed()
        if writes:
            failpoints.hit(COMMITTED)

    async def _leave(self, error: BaseException | None) -> None:
        """Give the connection back. Raises `DatabaseDown` in place of an error that says the server is gone."""
        try:
            if error is not None and not self._connection.is_closed():
                await self._connection.execute("rollback")
        except _GONE as cause:
            error = cause
        finally:
            _open.reset(self._token)
            await self._db.release(self._connection)
        if isinstance(error, _GONE):
            raise DatabaseDown(unknown=self._start == "begin") from error


def introduce(actor: Actor) -> str:
    """SQL that tells a transaction who works in it, and for which institution."""
    if not _INSTITUTION.fullmatch(actor.institution_id):
        raise ValueError("an institution id is digits, '*' or nothing")
    return f"set local app.institution = '{actor.institution_id}'; {_acting(actor)}"


def _acting(actor: Actor) -> str:
    who = str(actor)
    if not _NAME.fullmatch(who):
        raise ValueError("the name of an actor is short and plain")
    return "set local app.actor = '{}'".format(who.replace("'", "''"))


class _Second(Exception):
    """Why a transaction is rolled back that another request with the same key was first to begin."""


_GONE = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,  # it is being stopped, or comes up again after a crash
    asyncpg.InsufficientResourcesError,  # its disk is full
    OSError,
)


async def _set_codecs(connection: Any) -> None:
    """In binary, as rows inside rows come (`db/together.py`)."""
    await connection.set_type_codec(
        "jsonb", format="binary", encoder=_json_out, decoder=_json_in, schema="pg_catalog"
    )
    await connection.set_type_codec(
        "uuid",
        format="binary",
        encoder=lambda text: uuid.UUID(str(text)).bytes,
        decoder=_uuid_in,
        schema="pg_catalog",
    )


_JSONB = b"\x01"
"""Version 1, before the text; there is no other."""


def _json_out(value: Any) -> bytes:
    # Text is JSON already: the job queue encodes its own values.
    return _JSONB + (value.encode() if isinstance(value, str) else msgspec.json.encode(value))


def _json_in(sent: bytes) -> Any:
    return msgspec.json.decode(sent[len(_JSONB) :])


def _uuid_in(sent: bytes) -> str:
    text = sent.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
