"""Open, list and answer reviews; what an answer does to the application is a flow's work."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.core import ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.reviews.model import (
    Inquiry,
    InquiryMissing,
    InquiryOpen,
    Owed,
    Review,
    ReviewAnswered,
    ReviewMissing,
)

Q = queries.load(__package__)

_TABLE, _INQUIRIES = "reviews.reviews", "reviews.inquiries"


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
        asked_by=str(tx.actor),
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


async def came_from(tx: Tx, application_id: str) -> str | None:
    """The application this one goes on from."""
    found = await Q.came_from(tx, institution_id=tx.institution_id, application_id=application_id)
    return str(found) if found else None


async def origin(tx: Tx, application_id: str) -> str | None:
    """The application whose customer said and showed what this one is judged by; None for one that went on from no
    other."""
    found = await Q.origin(tx, institution_id=tx.institution_id, application_id=application_id)
    return str(found) if found else None


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
    exceeded: str = "",
) -> None:
    """`exceeded` names the caps it is above. Raises `ReviewAnswered` when somebody else was first."""
    done = await Q.answer(
        tx,
        institution_id=tx.institution_id,
        id=review.id,
        outcome=outcome,
        amount=None if amount_fen is None else money.yuan(amount_fen),
        annual_rate=annual_rate,
        term_months=term_months,
        reason=reason,
        answered_by=str(tx.actor),
        new_application_id=new_application_id,
        now=tx.now,
    )
    if not done:
        raise ReviewAnswered()
    above = {"exceeded": exceeded} if exceeded else {}
    audit.add(tx, "review.answered", review.application_id, outcome=outcome, kind=review.kind, **above)


async def close(tx: Tx, application_id: str) -> None:
    """The case ended without an answer being needed."""
    if await Q.close(tx, institution_id=tx.institution_id, application_id=application_id):
        audit.add(tx, "review.closed", application_id)


async def ask(tx: Tx, review: Review, officer_id: str, question: str) -> None:
    """退回核实: the officer has the ball until they answer. Raises `InquiryOpen`."""
    inquiry_id = ids.new()
    asked = await Q.ask(
        tx,
        institution_id=tx.institution_id,
        id=inquiry_id,
        review_id=review.id,
        officer_id=officer_id,
        asked=tx.vault.encrypt(_INQUIRIES, "asked", inquiry_id, question),
        asked_by=str(tx.actor),
        now=tx.now,
    )
    if not asked:
        raise InquiryOpen()
    audit.add(tx, "review.inquiry", review.application_id, officer=officer_id)


async def inquiry(tx: Tx, inquiry_id: str) -> Inquiry:
    """Locked until the transaction ends. Raises `InquiryMissing`."""
    row = None
    if ids.is_uuid(inquiry_id):
        row = await Q.inquiry(tx, institution_id=tx.institution_id, id=inquiry_id)
    if row is None:
        raise InquiryMissing()
    return _inquiry(tx, row)


async def inquiries(tx: Tx, review_id: str) -> list[Inquiry]:
    rows = await Q.inquiries(tx, institution_id=tx.institution_id, review_id=review_id)
    return [_inquiry(tx, row) for row in rows]


async def owed(tx: Tx, officer_id: str, most: int = 50) -> list[Owed]:
    """What an officer still has to find out, what is due first on top."""
    rows = await Q.open_inquiries(tx, institution_id=tx.institution_id, officer_id=officer_id, most=most)
    return [Owed(_inquiry(tx, row), row["application_id"], row["due_at"]) for row in rows]


async def hand_over_inquiries(tx: Tx, from_officer: str, to_officer: str) -> int:
    moved: int = await Q.hand_over_inquiries(
        tx, institution_id=tx.institution_id, from_officer=from_officer, to_officer=to_officer
    )
    return moved


async def answer_inquiry(tx: Tx, asked: Inquiry, review: Review, answer: str) -> None:
    """Raises `InquiryMissing` when it has been answered meanwhile."""
    sealed = tx.vault.encrypt(_INQUIRIES, "answer", asked.id, answer)
    if not await Q.answer_inquiry(
        tx, institution_id=tx.institution_id, id=asked.id, answer=sealed, now=tx.now
    ):
        raise InquiryMissing()
    audit.add(tx, "review.inquiry_answered", review.application_id)


def _inquiry(tx: Tx, row: Any) -> Inquiry:
    values = {name: row[name] for name in Inquiry.__struct_fields__}
    for column in ("asked", "answer"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_INQUIRIES, column, values["id"], stored) if stored else ""
    return Inquiry(**values)


def _review(tx: Tx, row: Any) -> Review:
    values = dict(row)
    del values["institution_id"]
    said, amount = values.pop("said"), values.pop("amount")
    values["said"] = tx.vault.decrypt(_TABLE, "said", values["id"], said) if said else ""
    values["amount_fen"] = None if amount is None else money.fen(amount)
    return Review(**values)


async def forget(tx: Tx, application_ids: list[str]) -> None:
    """Nothing of what was said about these cases stays; how they ended does."""
    await Q.forget(tx, institution_id=tx.institution_id, applications=application_ids)
