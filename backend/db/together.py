"""Statements that do not wait for each other's answers, sent as one.

The way of a statement costs both sides as much as its work, and a decision has many small ones. Inside `Together`
reads, or the writes of one change, are written as ever, a coroutine each; what all of them ask next goes to the
database as one.
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
_PART = re.compile(r"\s*([a-z_]+)\s+as\s+\(", re.IGNORECASE)
_WRITE = re.compile(r"\s*(insert|update|delete)\b", re.IGNORECASE)
_RETURNING = re.compile(r"\breturning\b", re.IGNORECASE)
_CHANGED = re.compile(r"\b(?:update|delete\s+from)\s+(\w+\.\w+)", re.IGNORECASE)


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

    def __init__(self, tx: "Tx", *, writing: bool) -> None:
        self.writing = writing
        self._tx = tx
        self._asked: list[_Asked] = []
        self._reading = self._waiting = 0

    async def ask(self, query: "Query", values: list[object]) -> list[Any]:
        """The rows of one statement, once all who read beside it wait as well."""
        same = (each for each in self._asked if each.query is query and each.values == values)
        asked = None if query.changes else next(same, None)
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

    What a coroutine raises is raised at the end of the block, of several the first in their order. A coroutine waits
    for nothing but `tx`; blocks within blocks ask together too.

    For reading: what writes or locks rows has an order to keep, and raises `RuntimeError` here. `writing` is for the
    writes of one change to rows that are locked already, which have none: all of them see what was there before the
    block, so none may look for what another writes. PostgreSQL would let one of two changes of a row fall silently:
    where two statements of a block change rows of one table, the other way round than by inserting, it raises as well.
    """

    def __init__(self, tx: "Tx", *, writing: bool = False) -> None:
        self._tx, self._outer = tx, tx.together
        if writing and self._outer and not self._outer.writing:
            raise RuntimeError("writing among reads")
        self._batch = self._outer or Batch(tx, writing=writing)
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
    if len(asked) == 1 and not asked[0].query.changes:
        return [await tx.reviewed.fetch(asked[0].query.sql, *asked[0].values)]
    statement = _joined(tuple(each.query for each in asked))
    found = await tx.reviewed.fetchrow(statement, *(value for each in asked for value in each.values))
    kinds = [each.query.row or await _learn(tx, each.query) for each in asked]
    return [[kind(row) for row in rows] for kind, rows in zip(kinds, found, strict=True)]


@functools.cache
def _joined(queries: "Sequence[Query]") -> str:
    """One row: of each statement its rows, as an array in their order.

    A statement that writes may stand at the top of a statement alone: as a part of its own, and so the parts of one
    that has some.
    """
    parts, rows, before = list[str](), list[str](), 0
    for place, query in enumerate(queries):
        own = _PARAMETER.sub(lambda found, by=before: f"${int(found[1]) + by}", query.sql)  # type: ignore[misc]
        before += len(query.parameters)
        if query.changes:
            own_parts, own = _parted(own)
            parts += own_parts
        if _WRITE.match(own):
            own += "" if _RETURNING.search(own) else " returning 1"
            parts.append(f"write_{place} as ({own})")
            own = f"select * from write_{place}"  # noqa: S608 - reviewed statements alone
        rows.append(f"array(select each from ({own}) each)")  # noqa: S608 - reviewed statements alone
    _stand_apart(queries, parts)
    return ("with " + ", ".join(parts) + " " if parts else "") + "select " + ", ".join(rows)


def _parted(sql: str) -> tuple[list[str], str]:
    """The parts of `with a as (…), b as (…) rest`, and the rest."""
    parts, rest = list[str](), sql.lstrip()
    if not rest[:5].lower().startswith("with "):
        return parts, sql
    rest = "," + rest[5:]
    while rest.startswith(",") and (begun := _PART.match(rest, 1)):
        end, depth = begun.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(rest[end], 0)
            end += 1
        parts.append(rest[1:end].strip())
        rest = rest[end:].lstrip()
    return parts, rest


def _stand_apart(queries: "Sequence[Query]", parts: Sequence[str]) -> None:
    changed = [
        table for query in queries for table in {found.lower() for found in _CHANGED.findall(query.sql)}
    ]
    names = [part.partition(" ")[0] for part in parts]
    if len(set(changed)) < len(changed) or len(set(names)) < len(names):
        raise RuntimeError(f"two of these change one table: {', '.join(query.name for query in queries)}")


async def _learn(tx: "Tx", query: "Query") -> type[Row]:
    """What its columns are called, once in a process."""
    prepared = await tx.reviewed.prepare(query.sql)
    names = [each.name for each in prepared.get_attributes()]
    query.row = type("Row", (Row,), {"places": {name: place for place, name in enumerate(names)}})
    return query.row
