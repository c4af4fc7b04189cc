"""还款日提醒: which lines were looked at today for instalments that are due soon (N17)."""

from datetime import date

from backend.db import queries
from backend.db.database import Tx

Q = queries.load(__package__, "queries_dues.sql")


async def looked(tx: Tx, application_id: str, on: date) -> bool:
    """Today's look at a line is done; False when it was done already."""
    return bool(await Q.looked(tx, institution_id=tx.institution_id, application_id=application_id, on=on))
