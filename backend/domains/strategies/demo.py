"""The demo union begins with the shipped strategies as version 1, whichever county is seeded first."""

from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.strategies import shipped

_SET = "select set_config('app.institution', $1, true)"


async def seed(tx: Tx, institution_id: str) -> None:
    """As head office for a moment; running it again changes nothing."""
    union = Tx(tx.connection, system(HEAD_OFFICE, "release"), tx.now, tx.vault)
    await tx.connection.execute(_SET, HEAD_OFFICE)
    await shipped.adopt(union)
    await tx.connection.execute(_SET, institution_id)
