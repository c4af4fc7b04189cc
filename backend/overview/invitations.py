"""邀请名单: an officer's people who could be invited, with what the marketing gate asks of each (A3-25, D3-03).

Who did not agree to be told of offers, or took it back, is not in here at all: the gate lets nobody invite them.
"""

from datetime import datetime, timedelta

import msgspec

from backend.core import clock
from backend.db import queries
from backend.db.database import Tx

Q = queries.load(__package__, "queries_invitations.sql")
MONTH = timedelta(days=30)
MOST = 1_500
"""Households of one officer (A10-06)."""


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who agreed; `touches` of the last 30 days by anybody, `invited_at` the last invitation."""

    customer_id: str
    application_id: str
    application_no: str
    product_code: str
    status: str
    step: str
    updated_at: datetime
    touches: int
    invited_at: datetime | None
    complains: bool


async def prospects(tx: Tx, outreach: frozenset[str]) -> list[Prospect]:
    """The latest movement first. `outreach`: statuses in which a contact is to win the person."""
    rows = await Q.invitable(
        tx,
        institution_id=tx.institution_id,
        officer_id=tx.actor.id,
        outreach=sorted(outreach),
        today=clock.today(),
        since=tx.now - MONTH,
        most=MOST,
    )
    return [Prospect(**dict(row)) for row in rows]


async def households(tx: Tx) -> int:
    """How many people are the officer's."""
    return int(await Q.households(tx, institution_id=tx.institution_id, officer_id=tx.actor.id))
