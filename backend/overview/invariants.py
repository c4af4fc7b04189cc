"""What must hold over all data at any quiet moment (trust §1). Each question returns the rows that break it."""

from backend.core.actor import everywhere
from backend.db import queries
from backend.db.database import Database, Tx

Q = queries.load(__package__)

QUESTIONS = (
    "case_without_end",
    "decision_contradicts_status",
    "effect_undelivered",
    "events_with_a_gap",
    "events_with_a_broken_chain",
    "status_unlike_last_event",
    "message_not_applied",
)


async def broken(tx: Tx) -> dict[str, list[str]]:
    """Questions that are answered with rows; empty when everything holds. Needs a union-wide reader."""
    found = {name: [str(row["who"]) for row in await getattr(Q, name)(tx)] for name in QUESTIONS}
    return {name: rows for name, rows in found.items() if rows}


async def ask(db: Database) -> dict[str, list[str]]:
    async with db.read(everywhere("invariants")) as tx:
        return await broken(tx)
