"""营销触达: how often somebody of ours set out to win a person lately; what the marketing gate counts (D4-08)."""

from datetime import datetime

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit

Q = queries.load(__package__, "queries_touches.sql")


async def add(tx: Tx, customer_id: str, application_id: str | None, kind: str, assessment_id: str) -> None:
    """One touch, on what the gate said."""
    await Q.add(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        customer_id=customer_id,
        application_id=application_id,
        kind=kind,
        assessment_id=assessment_id,
        by_whom=str(tx.actor),
        now=tx.now,
    )
    audit.add(tx, "outreach.touched", application_id or customer_id, kind=kind)


async def count(tx: Tx, customer_id: str, since: datetime) -> int:
    """Touches of a person since then, by anybody of the institution."""
    return int(await Q.count(tx, institution_id=tx.institution_id, customer_id=customer_id, since=since))
