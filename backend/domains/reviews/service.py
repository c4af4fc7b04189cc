"""Open, list and answer reviews; what an answer does to the application is a flow's work."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.core import ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.reviews.model import Review, ReviewAnswered, ReviewMissing

Q = queries.load(__package__)

_TABLE = "reviews.reviews"


async def open_review(
    tx: Tx, application_id: str, kind: str, *, due_at: datetime, ground: str = "", said: str = ""
) -> bool:
    """Put a case before a person; False when one of this kind was opened before."""
    review_id = ids.new()
    opened = await Q.open(
        tx,
        institution_id=tx.institution_id,
        id=review_id,
        application_id=application_id,
        kind=kind,
        ground=ground,
        said=tx.vault.encrypt(_TABLE, "said", review_id, said) if said else None,
        asked_by=f"{tx.actor.kind}:{tx.actor.id}",
        due_at=due_at,
        now=tx.now,
    )
    if opened:
        audit.add(tx, "review.opened", application_id, kind=kind, ground=ground)
    return bool(opened)


async def get(tx: Tx, review_id: str, *, lock: bool = False) -> Review:
    """Raises `ReviewMissing`."""
    query = Q.lock if lock else Q.get
    row = await query(tx, institution_id=tx.institution_id, id=review_id) if ids.is_uuid(review_id) else None
    if row is None:
        raise ReviewMissing()
    return _review(tx, row)


async def of_application(tx: Tx, application_id: str) -> dict[str, Review]:
    """By kind."""
    rows = await Q.of_application(tx, institution_id=tx.institution_id, application_id=application_id)
    return {row["kind"]: _review(tx, row) for row in rows}


async def waiting(tx: Tx, most: int = 200) -> list[Review]:
    return [_review(tx, row) for row in await Q.waiting(tx, institution_id=tx.institution_id, most=most)]


async def answer(
    tx: Tx,
    review: Review,
    *,
    outcome: str,
    reason: str,
    amount_fen: int | None = None,
    annual_rate: Decimal | None = None,
    term_months: int | None = None,
    new_application_id: str | None = None,
) -> None:
    """Raises `ReviewAnswered` when somebody else was first."""
    done = await Q.answer(
        tx,
        institution_id=tx.institution_id,
        id=review.id,
        outcome=outcome,
        amount=None if amount_fen is None else money.yuan(amount_fen),
        annual_rate=annual_rate,
        term_months=term_months,
        reason=reason,
        answered_by=f"{tx.actor.kind}:{tx.actor.id}",
        new_application_id=new_application_id,
        now=tx.now,
    )
    if not done:
        raise ReviewAnswered()
    audit.add(tx, "review.answered", review.application_id, outcome=outcome, kind=review.kind)


async def close(tx: Tx, application_id: str) -> None:
    """The case ended without an answer being needed."""
    if await Q.close(tx, institution_id=tx.institution_id, application_id=application_id):
        audit.add(tx, "review.closed", application_id)


def _review(tx: Tx, row: Any) -> Review:
    values = dict(row)
    del values["institution_id"]
    said, amount = values.pop("said"), values.pop("amount")
    values["said"] = tx.vault.decrypt(_TABLE, "said", values["id"], said) if said else ""
    values["amount_fen"] = None if amount is None else money.fen(amount)
    return Review(**values)
