"""What must hold over all data at any quiet moment (trust §1). Each question returns the rows that break it."""

from backend.core.actor import everywhere
from backend.db import queries
from backend.db.database import Database, Tx
from backend.domains.evidence import sources

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
    found["question_without_consent"] = await questions_without_consent(tx)
    return {name: rows for name, rows in found.items() if rows}


async def questions_without_consent(tx: Tx) -> list[str]:
    """The proof of D3-09: every answer that no consent of its person covered. Needs a union-wide reader."""
    asked = sources.asked()
    rows = await Q.question_without_consent(
        tx, sources=[source.name for source in asked], purposes=[source.consent for source in asked]
    )
    return [str(row["who"]) for row in rows]


async def ask(db: Database) -> dict[str, list[str]]:
    async with db.read(everywhere("invariants")) as tx:
        return await broken(tx)
