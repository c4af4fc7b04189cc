"""SQL as reviewed source: `queries.sql` beside each domain, read at import, run on the asyncpg connection.

Each statement has a header `-- name: find(institution_id, id)^`, a comment line saying why it exists, and
named parameters `:id`. The suffix says what comes back: `^` one record or None, `$` one value, `!` the number
of rows touched, none a list of records.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from aiosql.adapters.asyncpg import AsyncPGAdapter
from aiosql.query_loader import QueryLoader
from aiosql.types import SQLOperationType

if TYPE_CHECKING:
    from backend.db.database import Tx
    from backend.db.together import Row

LOADED: dict[str, "Queries"] = {}
"""Every module of queries by package name; the house tests prepare them all."""


_WRITES = re.compile(
    r"\b(insert\s+into|update|delete\s+from)\s+(products|regulation|institutions|models|decision\.(live|versions))\b",
    re.IGNORECASE,
)
"""Statements that change reference data (`db/reference.py`)."""
_CHANGES = re.compile(
    r"\b(insert\s+into|update|delete\s+from)\s+\w|\bfor\s+(update|no\s+key|share|key)\b", re.IGNORECASE
)
PARAMETER = re.compile(r"\$(\d+)")
"""Where a value stands in the text of a statement."""


def literal(value: object) -> str:
    """A value as SQL text, for a statement that is sent with others and so without parameters.

    Text goes as the hexadecimal figures of its bytes: nothing that a person wrote can end it. A list needs its type
    beside it in the statement (`:kinds::text[]`), for it may be empty. Raises `TypeError` for anything else than such
    statements are given.
    """
    match value:
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case str():
            return f"convert_from('\\x{value.encode().hex()}', 'UTF8')"
        case datetime():
            return f"'{value.isoformat()}'::timestamptz"
        case list():
            return f"array[{', '.join(map(literal, value))}]"
    raise TypeError(f"no literal for {type(value).__name__}")


class Query:
    """One statement, callable as `await query(tx, name=value, …)`."""

    def __init__(self, name: str, sql: str, doc: str, parameters: list[str], operation: Any) -> None:
        self.name, self.sql, self.doc, self.parameters = name, sql, doc, parameters
        self.row: type[Row] | None = None
        """How its rows are read where it is asked together with others (`db/together.py`)."""
        self.changes = operation is SQLOperationType.INSERT_UPDATE_DELETE or bool(_CHANGES.search(sql))
        self._writes = bool(_WRITES.search(sql))
        self._run: Callable[[Tx, list[object]], Awaitable[Any]] = {
            SQLOperationType.SELECT_ONE: self._one,
            SQLOperationType.SELECT_VALUE: self._value,
            SQLOperationType.INSERT_UPDATE_DELETE: self._execute,
            SQLOperationType.SELECT: self._many,
        }[operation]

    async def __call__(self, tx: "Tx", **given: object) -> Any:
        values = self._in_order(given)
        if self._writes:
            tx.stamps = None
        if self.changes and tx.together is not None and not tx.together.writing:
            raise RuntimeError(f"{self.name} changes or locks something: not together with others")
        return await self._run(tx, values)

    def at_the_end(self, tx: "Tx", **given: object) -> None:
        """Run it in the round trip of the commit, after all others; nobody reads what it finds.

        For what takes a lock that everybody wants: it is held neither while we think nor while the network does.
        """
        values = self._in_order(given)
        text = PARAMETER.sub(lambda found: literal(values[int(found[1]) - 1]), self.sql)
        tx.at_the_end.append(text)

    def _in_order(self, given: dict[str, object]) -> list[object]:
        try:
            values = [given.pop(name) for name in self.parameters]
        except KeyError as missing:
            raise TypeError(f"{self.name}: parameter {missing} is not given") from None
        if given:
            raise TypeError(f"{self.name}: no parameter {', '.join(given)}")
        return values

    async def _one(self, tx: "Tx", values: list[object]) -> Any:
        if tx.together is not None:
            rows = await tx.together.ask(self, values)
            return rows[0] if rows else None
        return await tx.reviewed.fetchrow(self.sql, *values)

    async def _value(self, tx: "Tx", values: list[object]) -> Any:
        if tx.together is not None:
            rows = await tx.together.ask(self, values)
            return rows[0][0] if rows else None
        return await tx.reviewed.fetchval(self.sql, *values)

    async def _many(self, tx: "Tx", values: list[object]) -> Any:
        if tx.together is not None:
            return await tx.together.ask(self, values)
        return await tx.reviewed.fetch(self.sql, *values)

    async def _execute(self, tx: "Tx", values: list[object]) -> int:
        if tx.together is not None:
            return len(await tx.together.ask(self, values))
        status: str = await tx.reviewed.execute(self.sql, *values)
        count = status.rsplit(" ", 1)[-1]
        return int(count) if count.isdigit() else 0


class Queries:
    """The statements of one file as attributes."""

    def __init__(self, package: str, queries: dict[str, Query]) -> None:
        self.package, self.statements = package, queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self.statements[name]
        except KeyError:
            raise AttributeError(f"{self.package} has no query {name}") from None


def load(package: str | None, file: str = "queries.sql") -> Queries:
    """Read `queries.sql` of a package (`__package__`). A malformed header fails the import."""
    assert package
    text = resources.files(package).joinpath(file).read_text("utf-8")
    adapter = AsyncPGAdapter()  # type: ignore[no-untyped-call]
    loader = QueryLoader(adapter, None)
    found: dict[str, Query] = {}
    for datum in loader.load_query_data_from_sql(text, [], file):
        if datum.query_name in found:
            raise ValueError(f"{package}/{file}: {datum.query_name} stands twice")
        if not datum.doc_comments:
            raise ValueError(f"{package}/{file}: {datum.query_name} does not say why it exists")
        found[datum.query_name] = Query(
            datum.query_name,
            datum.sql.rstrip().rstrip(";"),
            datum.doc_comments,
            list(adapter.var_sorted[datum.query_name]),
            datum.operation_type,
        )
    queries = Queries(package, found)
    LOADED[f"{package}/{file}"] = queries
    return queries
