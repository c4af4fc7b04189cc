"""Reads that do not wait for each other's answers, asked in one statement.

The way of a statement costs both sides as much as its work, and a decision asks many small ones. Inside `together`
reads are written as ever, a coroutine each; what all of them ask next goes to the database as one.
"""

import asyncio
import functools
import re
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from backend.db.database import Tx
    from backend.db.queries import Query

T = TypeVar("T")
_PARAMETER = re.compile(r"\$(\d+)")


class Row(tuple[Any, ...]):
    """A row of one of the statements, read as asyncpg's own: by name, by place, or as the values in order."""

    places: dict[str, int]

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.places[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        return list(self.places)


class _Asked(msgspec.Struct, frozen=True):
    """One statement with its values, and who waits for its rows."""

    query: "Query"
    values: list[object]
    rows: asyncio.Future[list[Any]]


class Batch:
    """What a transaction's readers ask at the same time."""

    def __init__(self, tx: "Tx") -> None:
        self._tx = tx
        self._asked: list[_Asked] = []
        self._reading = self._waiting = 0

    async def ask(self, query: "Query", values: list[object]) -> list[Any]:
        """The rows of one statement, once all who read beside it wait as well."""
        same = (each for each in self._asked if each.query is query and each.values == values)
        asked = next(same, None)
        if asked is None:
            asked = _Asked(query, values, asyncio.get_running_loop().create_future())
            self._asked.append(asked)
        self._waiting += 1
        await self._send_if_all_wait()
        return await asked.rows

    def more(self) -> None:
        """One more reads."""
        self._reading += 1

    async def fewer(self) -> None:
        """One reads no more, or waits for others of these."""
        self._reading -= 1
        await self._send_if_all_wait()

    async def _send_if_all_wait(self) -> None:
        if not self._asked or self._waiting < self._reading:
            return
        asked, self._asked, self._waiting = self._asked, [], 0
        try:
            answers = await _answers(self._tx, asked)
        except BaseException as error:
            for each in asked:
                if not each.rows.done():  # who waited may be gone, and their question with them
                    each.rows.set_exception(error)
                    each.rows.exception()
            if not isinstance(error, Exception):
                raise
        else:
            for each, rows in zip(asked, answers, strict=True):
                if not each.rows.done():
                    each.rows.set_result(rows)


class Together:
    """`async with Together(tx) as also: one = also(read(tx, …)); …`, and then `one.result()`.

    What a coroutine raises is raised at the end of the block, of several the first in their order. For reading: what
    writes or locks rows has an order to keep, and raises `RuntimeError` here. A coroutine waits for nothing but `tx`;
    blocks within blocks ask together too.
    """

    def __init__(self, tx: "Tx") -> None:
        self._tx, self._outer = tx, tx.together
        self._batch = self._outer or Batch(tx)
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> "Together":
        self._tx.together = self._batch
        return self

    def __call__(self, read: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        self._batch.more()
        task = asyncio.create_task(self._run(read))
        self._tasks.append(task)
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._outer:
            await self._batch.fewer()
        try:
            found = await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            self._tx.together = self._outer
            if self._outer:
                self._batch.more()
        for each in found:
            if error is None and isinstance(each, BaseException):
                raise each

    async def _run(self, read: Coroutine[Any, Any, T]) -> T:
        try:
            return await read
        finally:
            await self._batch.fewer()


async def _answers(tx: "Tx", asked: list[_Asked]) -> list[list[Any]]:
    if len(asked) == 1:
        return [await tx.reviewed.fetch(asked[0].query.sql, *asked[0].values)]
    statement = _joined(tuple(each.query for each in asked))
    found = await tx.reviewed.fetchrow(statement, *(value for each in asked for value in each.values))
    kinds = [each.query.row or await _learn(tx, each.query) for each in asked]
    return [[kind(row) for row in rows] for kind, rows in zip(kinds, found, strict=True)]


@functools.cache
def _joined(queries: "Sequence[Query]") -> str:
    """One row: of each statement its rows, as an array in their order."""
    parts, before = [], 0
    for query in queries:
        own = _PARAMETER.sub(lambda found, by=before: f"${int(found[1]) + by}", query.sql)  # type: ignore[misc]
        parts.append(f"array(select each from ({own}) each)")  # noqa: S608 - reviewed statements alone
        before += len(query.parameters)
    return "select " + ", ".join(parts)


async def _learn(tx: "Tx", query: "Query") -> type[Row]:
    """What its columns are called, once in a process."""
    prepared = await tx.reviewed.prepare(query.sql)
    names = [each.name for each in prepared.get_attributes()]
    query.row = type("Row", (Row,), {"places": {name: place for place, name in enumerate(names)}})
    return query.row
