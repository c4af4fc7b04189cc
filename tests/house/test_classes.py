"""Every column of every table has its class, and C2 is sealed or hashed (D3-14, JR/T 0171-2020)."""

import asyncpg
import msgspec

from backend.db import sealed
from backend.db.classes import CLASSES, Columns

KINDS = tuple(Columns.__struct_fields__)

WITHOUT_ROTATION = {("channels.access_tokens", "token")}
"""Renewed every two hours: one under a key that is gone is fetched anew."""


def names(columns: Columns, kind: str) -> list[str]:
    return str(getattr(columns, kind)).split()


async def stored(owner: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """Table → column → type, as PostgreSQL has them."""
    rows = await owner.fetch(
        "select n.nspname || '.' || c.relname as t, a.attname as c, format_type(a.atttypid, null) as d "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'p', 'm', 'f') and a.attnum > 0 and not a.attisdropped "
        "and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_temp'"
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["t"], {})[row["c"]] = row["d"]
    return found


async def test_every_column_of_every_table_is_declared_once_and_none_is_left_over(
    owner: asyncpg.Connection,
) -> None:
    there = await stored(owner)
    declared = {
        table: sorted(name for kind in KINDS for name in names(columns, kind))
        for table, columns in CLASSES.items()
    }
    assert declared == {table: sorted(columns) for table, columns in there.items()}


async def test_c2_is_bytes_under_a_key_or_a_figure_beside_ids(owner: asyncpg.Connection) -> None:
    there = await stored(owner)
    wrong = []
    for table, columns in CLASSES.items():
        wrong += [
            f"{table}.{name}"
            for kind in ("sealed", "index")
            for name in names(columns, kind)
            if there[table][name] != "bytea"
        ]
        wrong += [
            f"{table}.{name}"
            for name in names(columns, "figures")
            if there[table][name] not in {"bigint", "integer", "numeric", "text", "text[]"}
        ]
    assert wrong == []


def test_what_is_sealed_is_rotated_and_the_other_way_round() -> None:
    declared = {(table, name) for table, columns in CLASSES.items() for name in names(columns, "sealed")}
    rotated = {(each.table, column) for each in sealed.SEALED for column in each.columns}
    assert declared == rotated | WITHOUT_ROTATION


async def test_bytes_in_the_open_are_hashes_of_what_is_no_secret(owner: asyncpg.Connection) -> None:
    there = await stored(owner)
    open_bytes = {
        f"{table}.{name}"
        for table, columns in CLASSES.items()
        for name in names(columns, "plain")
        if there[table][name] == "bytea"
    }
    ends = ("hash", "sha256", "received.key")
    assert {name for name in open_bytes if not name.endswith(ends)} == {
        "queue.pgqueuer.payload",  # two ids
        "models.reports.pdf",  # figures of a sample, nobody's
        "models.training_results.pdf",  # the same, before it stands in the register
    }


def test_the_class_of_a_column_is_data_a_report_can_read() -> None:
    assert msgspec.json.encode(CLASSES)
