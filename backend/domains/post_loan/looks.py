"""Which lines were looked at in which night, and what the bureau said of them since the loan (A6-06, D3-09)."""

from datetime import date, datetime

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit

Q = queries.load(__package__, "queries_looks.sql")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How many lenders the bureau knew of at a moment."""

    read_at: datetime
    lenders: int


class NewReading(msgspec.Struct, frozen=True, kw_only=True):
    customer_id: str
    consent_id: str
    reference: str
    sha256: str
    price_fen: int
    lenders: int
    read_at: datetime


async def last_on(tx: Tx, application_id: str) -> date | None:
    """The last night a line was looked at."""
    found = await Q.last_on(tx, institution_id=tx.institution_id, application_id=application_id)
    return found if isinstance(found, date) else None


async def looked(tx: Tx, application_id: str, on: date, outcome: str, gaps: int) -> bool:
    """Tonight's look at a line is done; False when it was done already."""
    return bool(
        await Q.looked(
            tx,
            institution_id=tx.institution_id,
            application_id=application_id,
            on=on,
            outcome=outcome,
            gaps=gaps,
        )
    )


async def read(tx: Tx, application_id: str, reading: NewReading) -> None:
    """Keep what a paid question gave."""
    given = msgspec.structs.asdict(reading)
    await Q.read(tx, institution_id=tx.institution_id, application_id=application_id, **given)
    audit.add(tx, "bureau.post_loan", application_id, reference=reading.reference, consent=reading.consent_id)


async def readings(tx: Tx, application_id: str) -> list[Reading]:
    """Oldest first."""
    rows = await Q.readings(tx, institution_id=tx.institution_id, application_id=application_id)
    return [Reading(read_at=row["read_at"], lenders=row["lenders"]) for row in rows]
