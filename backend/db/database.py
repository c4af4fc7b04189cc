"""The pool and the only two ways to a transaction: `begin` to write, `read` to read.

Both tell PostgreSQL for which institution the code works, so that row-level security decides what exists
(trust §2). The setting is `SET LOCAL`: it ends with the transaction.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from backend.core import clock, failpoints
from backend.core.actor import Actor
from backend.core.crypto import Vault
from backend.core.errors import Unavailable

COMMITTING = failpoints.declare("commit.before", "everything is written and nothing is committed")
COMMITTED = failpoints.declare("commit.after", "a transaction is committed; nobody has been told")

_INSTITUTION = re.compile(r"[0-9]{0,12}|\*")
_open: ContextVar[bool] = ContextVar("in_transaction", default=False)


class DatabaseDown(Unavailable):
    code = "database_down"
    message = "系统正在恢复，您填的内容没有丢，请一分钟后再试"


def in_transaction() -> bool:
    """True while this task holds a transaction open; outside calls are refused then."""
    return _open.get()


class Tx:
    """An open transaction: its connection, who works in it, its moment, and the vault for personal data."""

    __slots__ = ("actor", "audit", "connection", "now", "vault")

    def __init__(self, connection: Any, actor: Actor, now: datetime, vault: Vault) -> None:
        self.connection, self.actor, self.now, self.vault = connection, actor, now, vault
        self.audit: list[dict[str, str]] = []

    @property
    def institution_id(self) -> str:
        return self.actor.institution_id

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone alone; the error goes on. Not for nesting."""
        await self.connection.execute("savepoint inner_step")
        try:
            yield
        except BaseException:
            await self.connection.execute("rollback to savepoint inner_step")
            raise
        await self.connection.execute("release savepoint inner_step")


class Database:
    """A pool of connections under the role `xiaodai_app`, which owns nothing and bypasses nothing."""

    def __init__(
        self,
        dsn: str,
        vault: Vault,
        *,
        flush_audit: Callable[[Tx], Awaitable[None]],
        size: int = 10,
        role: str | None = None,
    ) -> None:
        """`flush_audit` appends `tx.audit` to the chain before a commit (domains.audit.service.flush)."""
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
            timeout=10,
            server_settings=settings,
            init=_set_codecs,
        )

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @property
    def pool(self) -> Any:
        """For the job queue only, which brings its own statements."""
        return self._pool

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[Tx]:
        """A READ WRITE transaction for one actor; commits when the block ends without an error."""
        async with self._transaction(actor, readonly=False) as tx:
            yield tx

    @asynccontextmanager
    async def read(self, actor: Actor) -> AsyncIterator[Tx]:
        """A READ ONLY transaction; union-wide actors see every institution here."""
        async with self._transaction(actor, readonly=True) as tx:
            yield tx

    @asynccontextmanager
    async def _transaction(self, actor: Actor, *, readonly: bool) -> AsyncIterator[Tx]:
        if _open.get():
            raise RuntimeError("a transaction is already open in this task; pass its tx on instead")
        if not _INSTITUTION.fullmatch(actor.institution_id):
            raise ValueError("an institution id is digits, '*' or nothing")
        connection = await self._acquire()
        token = _open.set(True)
        try:
            # One round trip for both; asyncpg's own transaction object would cost another.
            mode = " read only" if readonly else ""
            await connection.execute(f"begin{mode}; set local app.institution = '{actor.institution_id}'")
            try:
                tx = Tx(connection, actor, clock.now(), self.vault)
                yield tx
                if tx.audit:
                    await self._flush_audit(tx)
                if not readonly:
                    failpoints.hit(COMMITTING)
                await connection.execute("commit")
                if not readonly:
                    failpoints.hit(COMMITTED)
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("rollback")
                raise
        except (asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError, OSError) as cause:
            raise DatabaseDown(unknown=not readonly) from cause
        finally:
            _open.reset(token)
            await self._release(connection)

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire(timeout=5)
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresConnectionError,
            asyncpg.CannotConnectNowError,
        ) as cause:
            raise DatabaseDown() from cause

    async def _release(self, connection: Any) -> None:
        try:
            await self._pool.release(connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # The server is gone; the pool replaces the connection at the next acquire.
            connection.terminate()


async def _set_codecs(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        # Text is JSON already: the job queue encodes its own values.
        encoder=lambda value: value if isinstance(value, str) else msgspec.json.encode(value).decode(),
        decoder=lambda text: msgspec.json.decode(text),
        schema="pg_catalog",
    )
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog")
