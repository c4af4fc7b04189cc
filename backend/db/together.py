"""Statements that do not wait for each other's answers, sent as one.

The way of a statement costs both sides as much as its work, and a decision has many small ones. Inside `Together`
reads, or the writes of one change, are written as ever, a coroutine each; what all of them ask next goes to the
database as one.
"""

import functools
import re
from collections.abc import Coroutine, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from backend.db.queries import PARAMETER

if TYPE_CHECKING:
    from backend.db.database import Tx
    from backend.db.queries import Query

T = TypeVar("T")
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


_ENDED = object()


class _Question:
    """One statement with its values; awaited, its rows. Only what a `Together` runs may wait for one."""

    __slots__ = ("query", "values")

    def __init__(self, query: "Query", values: list[object]) -> None:
        self.query, self.values = query, values

    def __await__(self) -> Generator[tuple["_Question", ...], list[list[Any]], list[Any]]:
        answers = yield (self,)
        return answers[0]


class _Several:
    """The questions of a block within a block: awaited, the rows of each."""

    __slots__ = ("questions",)

    def __init__(self, questions: tuple[_Question, ...]) -> None:
        self.questions = questions

    def __await__(self) -> Generator[tuple[_Question, ...], list[list[Any]], list[list[Any]]]:
        return (yield self.questions)


class _Through:
    """Whatever else a coroutine of ours waits for, handed on to the loop as it is."""

    __slots__ = ("waited_for",)

    def __init__(self, waited_for: object) -> None:
        self.waited_for = waited_for

    def __await__(self) -> Generator[object, Any, Any]:
        return (yield self.waited_for)


class Outcome(Generic[T]):
    """What one of them comes to."""

    __slots__ = ("_end", "_work", "error")

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work, self._end = work, list[T]()
        self.error: BaseException | None = None

    def result(self) -> T:
        """Once the block has ended well."""
        if not self._end:
            raise self.error or RuntimeError("the block has not ended")
        return self._end[0]

    def step(self, answer: object, error: BaseException | None = None) -> object:
        """Go on with the answer to what it waited for last, up to the next: `_ENDED` after the last."""
        try:
            return self._work.throw(error) if error else self._work.send(answer)
        except StopIteration as end:
            self._end.append(end.value)
        except BaseException as raised:
            self.error = raised
        return _ENDED

    def close(self) -> None:
        self._work.close()


class Together:
    """`async with Together(tx) as also: one = also(read(tx, …)); …`, and then `one.result()`.

    They run at the end of the block, each up to its next statement, by hand and not as tasks: a task costs as much as
    the statement it would save. What a coroutine raises is raised then, of several the first in their order. Where one
    waits for anything but `tx`, the others stand still; blocks within blocks ask together too.

    For reading: what writes or locks rows has an order to keep, and raises `RuntimeError` here. `writing` is for the
    writes of one change to rows that are locked already, which have none: all of them see what was there before the
    block, so none may look for what another writes. PostgreSQL would let one of two changes of a row fall silently:
    where two statements of a block change rows of one table, the other way round than by inserting, it raises as well.
    """

    def __init__(self, tx: "Tx", *, writing: bool = False) -> None:
        self._tx, self._outer = tx, tx.together
        if writing and self._outer and not self._outer.writing:
            raise RuntimeError("writing among reads")
        self.writing: bool = self._outer.writing if self._outer else writing
        self._outcomes: list[Outcome[Any]] = []

    async def __aenter__(self) -> "Together":
        return self

    def __call__(self, work: Coroutine[Any, Any, T]) -> Outcome[T]:
        outcome = Outcome(work)
        self._outcomes.append(outcome)
        return outcome

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._run()
        finally:
            for each in self._outcomes:
                each.close()
        for each in self._outcomes:
            if error is None and each.error:
                raise each.error

    async def ask(self, query: "Query", values: list[object]) -> list[Any]:
        """The rows of one statement, sent when all who work beside it wait as well."""
        return await _Question(query, values)

    async def _run(self) -> None:
        waiting = [(each, asked) for each in self._outcomes if (asked := await self._step(each, None))]
        while waiting:
            questions = tuple(question for _, asked in waiting for question in asked)
            answers, error = list[list[Any]](), None
            try:
                answers = await self._answers(questions)
            except Exception as problem:
                error = problem
            except BaseException as end:
                for each, _ in waiting:
                    each.step(None, end)
                raise
            rest, waited, waiting = iter(answers), waiting, []
            for each, asked in waited:
                own = [next(rest) for _ in asked] if error is None else None
                if more := await self._step(each, own, error):
                    waiting.append((each, more))

    async def _step(
        self, each: Outcome[Any], answer: object, error: BaseException | None = None
    ) -> tuple[_Question, ...]:
        """Up to its next questions; none when it has ended."""
        while True:
            before, self._tx.together = self._tx.together, self
            try:
                met = each.step(answer, error)
            finally:
                self._tx.together = before
            if isinstance(met, tuple):
                return met
            if met is _ENDED:
                if each.error and not isinstance(each.error, Exception):
                    raise each.error  # the whole of it is to end
                return ()
            answer = error = None
            try:
                answer = await _Through(met)
            except BaseException as problem:
                error = problem

    async def _answers(self, questions: tuple[_Question, ...]) -> list[list[Any]]:
        if self._outer:
            return await _Several(questions)
        different: list[_Question] = []
        places = [_place(question, different) for question in questions]
        answers = await _answers(self._tx, different)
        return [answers[place] for place in places]


def _place(question: _Question, among: list[_Question]) -> int:
    """Where it is asked; the same question is asked once."""
    if not question.query.changes:
        for place, other in enumerate(among):
            if other.query is question.query and other.values == question.values:
                return place
    among.append(question)
    return len(among) - 1


async def _answers(tx: "Tx", asked: list[_Question]) -> list[list[Any]]:
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
        own = PARAMETER.sub(lambda found, by=before: f"${int(found[1]) + by}", query.sql)  # type: ignore[misc]
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
