"""A statement the database refuses must not take the test's transaction with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backend.db.database import Tx


@asynccontextmanager
async def savepoint(tx: Tx) -> AsyncIterator[None]:
    await tx.connection.execute("savepoint refusal")
    try:
        yield
    except BaseException:
        await tx.connection.execute("rollback to refusal")
        raise
