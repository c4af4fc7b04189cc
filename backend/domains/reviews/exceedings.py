"""超上限: what a reviewer wishes to grant above the caps, and the second person's look at it (A6-03, A7-05)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from backend.core import ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.reviews.model import (
    Exceeded,
    Exceeding,
    ExceedingEnded,
    ExceedingNotYours,
    ExceedingWaits,
    ExceedingYours,
    Review,
    WordsMissing,
)

Q = queries.load(__package__, "queries_exceedings.sql")
_TABLE = "reviews.exceedings"
SHORTEST = 4  # characters


async def propose(
    tx: Tx,
    review: Review,
    *,
    outcome: str,
    amount_fen: int,
    annual_rate: Decimal,
    term_months: int,
    reason: str,
    exceeded: Sequence[Exceeded],
    why: str,
) -> None:
    """Raises `ExceedingWaits`."""
    exceeding_id = ids.new()
    proposed = await Q.propose(
        tx,
        institution_id=tx.institution_id,
        id=exceeding_id,
        review_id=review.id,
        outcome=outcome,
        amount=money.yuan(amount_fen),
        annual_rate=annual_rate,
        term_months=term_months,
        reason=reason,
        exceeded=tx.vault.encrypt(_TABLE, "exceeded", exceeding_id, msgspec.json.encode(exceeded).decode()),
        why=tx.vault.encrypt(_TABLE, "why", exceeding_id, why),
        maker=str(tx.actor),
        now=tx.now,
    )
    if not proposed:
        raise ExceedingWaits()
    audit.add(tx, "review.exceeding_proposed", review.application_id, exceeded=labels(exceeded))


def labels(exceeded: Sequence[Exceeded]) -> str:
    """The caps by name, for the audit chain: what they amount to is the customer's own and stays beside the review."""
    return "、".join(each.label for each in exceeded)


async def of_review(tx: Tx, review_id: str) -> list[Exceeding]:
    rows = await Q.of_review(tx, institution_id=tx.institution_id, review_id=review_id)
    return [_exceeding(tx, row) for row in rows]


async def waiting(tx: Tx, review_id: str) -> Exceeding | None:
    return next((each for each in await of_review(tx, review_id) if each.status == "proposed"), None)


async def look(tx: Tx, review: Review, exceeding: Exceeding, status: str, found: str) -> None:
    """The second person confirms or refuses. Raises `WordsMissing`, `ExceedingYours`, `ExceedingEnded`."""
    if exceeding.maker == str(tx.actor):
        raise ExceedingYours()
    await _end(tx, review, exceeding, status, found)


async def take_back(tx: Tx, review: Review, exceeding: Exceeding, found: str) -> None:
    """Raises `WordsMissing`, `ExceedingNotYours`, `ExceedingEnded`."""
    if exceeding.maker != str(tx.actor):
        raise ExceedingNotYours()
    await _end(tx, review, exceeding, "taken_back", found)


async def _end(tx: Tx, review: Review, exceeding: Exceeding, status: str, found: str) -> None:
    if len(found.strip()) < SHORTEST:
        raise WordsMissing(fields={"found": f"请写明理由，至少 {SHORTEST} 个字"})
    if not await Q.end(
        tx,
        institution_id=tx.institution_id,
        id=exceeding.id,
        status=status,
        checker=str(tx.actor),
        found=tx.vault.encrypt(_TABLE, "found", exceeding.id, found.strip()),
        now=tx.now,
    ):
        raise ExceedingEnded()
    audit.add(tx, f"review.exceeding_{status}", review.application_id, exceeded=labels(exceeding.exceeded))


def _exceeding(tx: Tx, row: Any) -> Exceeding:
    values = {name: row[name] for name in Exceeding.__struct_fields__ if name != "amount_fen"}
    for column in ("exceeded", "why", "found"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_TABLE, column, values["id"], stored) if stored else ""
    values["exceeded"] = msgspec.json.decode(values["exceeded"] or "[]", type=tuple[Exceeded, ...])
    return Exceeding(**values, amount_fen=money.fen(row["amount"]))
