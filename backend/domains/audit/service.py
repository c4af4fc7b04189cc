"""The tamper-evident audit chain (审计): one hash chain per institution (ASVS 16.4.2).

Entries are collected during a transaction and appended in one call just before its commit, so the head of
the chain is locked for a moment only. Details hold ids, codes and counts; never personal data.
"""

from datetime import datetime

import msgspec

from backend.core.actor import everywhere
from backend.db import queries
from backend.db.database import Database, Tx

Q = queries.load(__package__)


class Entry(msgspec.Struct, frozen=True):
    seq: int
    at: object
    actor: str
    action: str
    subject: str
    details: str


class Broken(msgspec.Struct, frozen=True):
    """A chain that does not verify: the first rows that were altered, removed or added."""

    institution_id: str
    rows: list[int]


def add(tx: Tx, action: str, subject: str, **details: object) -> None:
    """Note an act; it is written when the transaction commits, or not at all."""
    text = msgspec.json.encode(details, order="deterministic").decode()
    tx.audit.append({"action": action, "subject": subject, "details": text})


async def flush(tx: Tx) -> None:
    """Called by `Database.begin` before the commit."""
    actor = f"{tx.actor.kind}:{tx.actor.id}"
    entries, tx.audit = tx.audit, []
    await Q.append(tx, institution=tx.institution_id, at=tx.now, actor=actor, entries=entries)


async def of(tx: Tx, subject: str, most: int = 50) -> list[Entry]:
    rows = await Q.entries_of(tx, institution_id=tx.institution_id, subject=subject, most=most)
    return [Entry(*row) for row in rows]


class Position(msgspec.Struct, frozen=True):
    """Where an act stands in the chain of its institution, and the chain's end when asked; hashes in hex."""

    seq: int
    hash: str
    at: datetime
    head_seq: int
    head_hash: str


async def position(tx: Tx, action: str, subject: str) -> Position | None:
    row = await Q.position(tx, institution_id=tx.institution_id, action=action, subject=subject)
    return None if row is None else Position(*row)


async def recent(tx: Tx, before: int | None = None, most: int = 50) -> list[Entry]:
    rows = await Q.recent(tx, institution_id=tx.institution_id, before=before or 2**62, most=most)
    return [Entry(*row) for row in rows]


async def verify(db: Database) -> tuple[int, list[Broken]]:
    """Walk every chain. Returns the number of entries and what is broken (empty when all is well)."""
    total, broken = 0, []
    async with db.read(everywhere("audit verify")) as tx:
        heads = await Q.institutions_with_entries(tx)
        for institution_id, seq, head in heads:
            total += seq
            rows = [row["seq"] for row in await Q.broken_links(tx, institution_id=institution_id)]
            last = await Q.last_entry(tx, institution_id=institution_id)
            if not rows and (last is None or (last["seq"], last["hash"]) != (seq, head)):
                rows = [seq]
            if rows:
                broken.append(Broken(institution_id, rows))
    return total, broken
