"""The tamper-evident audit chain (审计): one hash chain per institution (ASVS 16.4.2).

Entries are collected during a transaction and appended in one call in the round trip of its commit, so the head of
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


def flush(tx: Tx) -> None:
    """Called by `Database.begin` before the commit."""
    entries, tx.audit = tx.audit, []
    Q.append.at_the_end(tx, entries=msgspec.json.encode(entries).decode())


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


class Seen(msgspec.Struct, frozen=True):
    """An entry of the auditor's page. `sound`: it follows from the row before it, unaltered."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: str
    sound: bool


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor looks for; empty fields ask for everything. `kind` is the word before an action's dot,
    `subjects` any of these, `until` is excluded."""

    actor: str = ""
    actor_kind: str = ""
    kind: str = ""
    subjects: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


async def trail(tx: Tx, wanted: Filter, before: int | None, most: int) -> list[Seen]:
    """Of the institution of the transaction, newest first, older than the row `before`."""
    rows = await Q.trail(
        tx,
        institution_id=tx.institution_id,
        before=before or 2**62,
        actor=wanted.actor or None,
        actor_kind=wanted.actor_kind or None,
        kind=wanted.kind or None,
        subjects=list(wanted.subjects) or None,
        since=wanted.since,
        until=wanted.until,
        most=most,
    )
    return [Seen(*row) for row in rows]


STRETCH = 20_000
"""Rows verified by one question, so that a long chain needs no long one."""


class Walked(msgspec.Struct, frozen=True):
    """One chain walked to its end. `rows` are the first that were altered, removed or added; empty: all is well."""

    total: int
    head: str
    rows: list[int]


async def walk(tx: Tx, institution_id: str) -> Walked:
    """From the first entry to the end the head knew when the walk began; work may go on meanwhile."""
    found = await Q.head(tx, institution_id=institution_id)
    seq, head = (found["seq"], bytes(found["hash"])) if found else (0, b"\x00")
    rows: list[int] = []
    for after in range(0, seq, STRETCH):
        links = await Q.broken_links(
            tx, institution_id=institution_id, after=after, upto=min(after + STRETCH, seq)
        )
        rows += [row["seq"] for row in links]
    if found and (
        found["last_seq"] != seq or await Q.entry_hash(tx, institution_id=institution_id, seq=seq) != head
    ):
        rows.append(min(seq, found["last_seq"] or 0) + 1)  # cut off, added to, or with another end
    return Walked(seq, head.hex(), rows[:20])


async def verify(db: Database) -> tuple[int, list[Broken]]:
    """Walk every chain. Returns the number of entries and what is broken (empty when all is well)."""
    total, broken = 0, []
    async with db.read(everywhere("audit verify")) as tx:
        for institution_id, *_ in await Q.institutions_with_entries(tx):
            walked = await walk(tx, institution_id)
            total += walked.total
            if walked.rows:
                broken.append(Broken(institution_id, walked.rows))
    return total, broken
