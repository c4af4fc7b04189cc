"""The sandbox's memory: SQLite, so that it survives a restart and a kill.

Everything here is synchronous and runs on the event loop: one short local write, and no other task can
come between the steps of an effect.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from backend.core import clock

SCHEMA = """
create table if not exists ledger (
  seq integer primary key autoincrement, system text not null, effect text not null, case_id text not null,
  key text not null, request_sha256 text not null, response text not null, at text not null);
create index if not exists ledger_by_case on ledger (case_id);
create index if not exists ledger_by_key on ledger (system, key);
create table if not exists answers (
  system text not null, key text not null, request_sha256 text not null, status integer not null,
  content_type text not null, headers text not null, body blob not null, primary key (system, key));
create table if not exists faults (
  fault_id integer primary key autoincrement, system text not null, operation text not null,
  fault text not null, times integer, rate real, args text not null, seen integer not null default 0,
  hit integer not null default 0);
create table if not exists things (
  kind text not null, id text not null, ref text not null, body text not null, seq integer not null,
  primary key (kind, id));
create index if not exists things_by_ref on things (kind, ref);
create table if not exists counters (name text primary key, value integer not null);
create table if not exists callbacks (
  callback_id text primary key, system text not null, path text not null, body text not null,
  attempts integer not null, state text not null, last_answer text not null, at text not null);
"""


class Store:
    """Documents by kind and id, counters, and the tables of the machinery."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("pragma synchronous = normal")
        self.connection.execute("pragma busy_timeout = 5000")
        self.connection.executescript(SCHEMA)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a nested one is part of the outer one."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        return [dict(row) for row in self.connection.execute(statement, values)]

    def row(self, statement: str, *values: object) -> dict[str, Any] | None:
        found = self.connection.execute(statement, values).fetchone()
        return dict(found) if found else None

    def next(self, name: str) -> int:
        """1, 2, 3 … for every name; the source of numbers that must not repeat."""
        found = self.connection.execute(
            "insert into counters values (?, 1) on conflict do update set value = value + 1 returning value",
            (name,),
        ).fetchone()
        return int(found[0])

    def put(self, kind: str, id: str, body: object, *, ref: str = "") -> None:
        self.connection.execute(
            "insert into things values (?, ?, ?, ?, ?)"
            " on conflict (kind, id) do update set body = excluded.body, ref = excluded.ref",
            (kind, id, ref, encoded(body), self.next("things")),
        )

    def get(self, kind: str, id: str) -> dict[str, Any] | None:
        found = self.connection.execute(
            "select body from things where kind = ? and id = ?", (kind, id)
        ).fetchone()
        return decoded(found[0]) if found else None

    def delete(self, kind: str, id: str) -> None:
        self.connection.execute("delete from things where kind = ? and id = ?", (kind, id))

    def all(self, kind: str, *, ref: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """In the order of first arrival; `seq` is added to each."""
        found = self.connection.execute(
            "select body, seq from things where kind = ? and seq > ? and (? is null or ref = ?) order by seq",
            (kind, after, ref, ref),
        )
        return [{**decoded(row[0]), "seq": row[1]} for row in found]

    def wipe(self, *, keep: tuple[str, ...] = ()) -> None:
        """Forget everything but the kinds of things to keep. Numbers go on, so none is used twice."""
        with self.transaction():
            for table in ("ledger", "answers", "faults", "callbacks"):
                self.connection.execute(f"delete from {table}")  # noqa: S608 - names from the line above
            marks = ",".join("?" * len(keep))
            self.connection.execute(f"delete from things where kind not in ({marks})", keep)  # noqa: S608


def encoded(body: object) -> str:
    """Canonical JSON text."""
    return msgspec.json.encode(body, order="deterministic").decode()


def decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def stamp() -> str:
    """Now, as every system writes it."""
    return clock.now().isoformat()
