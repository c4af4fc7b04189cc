"""Migrations: numbered SQL files, each in one transaction, under one advisory lock, held to their hash.

A file that changed after it was applied stops the start: what ran and what is in the source must agree.
"""

import hashlib
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

import asyncpg

LOCK = 8_154_711  # any fixed number: the advisory lock of this product's migrations


class Drifted(Exception):
    """An applied migration no longer has the text it was applied with."""


def files() -> list[tuple[str, str]]:
    """(name, text) of every migration in order. Raises ValueError when two share a number."""
    folder = resources.files("backend.db").joinpath("migrations")
    found = sorted((f.name, f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql"))
    numbers = [name[:4] for name, _ in found]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"two migrations share a number: {numbers}")
    return found


async def apply(
    owner_dsn: str,
    *,
    install_queue: Callable[[Any], Awaitable[None]],
    say: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Bring the database up to date; returns the names applied now. Safe to run twice at once.

    `install_queue` creates the job queue's own tables (outbox.queue.install).
    """
    connection = await asyncpg.connect(owner_dsn, timeout=15)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(
            "create schema if not exists xd;"
            "create table if not exists xd.migrations ("
            " name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
        )
        done = dict(await connection.fetch("select name, sha256 from xd.migrations"))
        applied = await _apply_missing(connection, done, say)
        await install_queue(connection)
        return applied
    finally:
        await connection.close()


async def _apply_missing(connection: Any, done: dict[str, str], say: Callable[[str], None]) -> list[str]:
    applied = []
    for name, text in files():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if name in done:
            if done[name] != digest:
                raise Drifted(f"{name} 在应用之后被改过；请新增一个迁移，不要改旧的")
            continue
        say(name)
        async with connection.transaction():
            await connection.execute(text)
            await connection.execute("insert into xd.migrations (name, sha256) values ($1, $2)", name, digest)
        applied.append(name)
    return applied
