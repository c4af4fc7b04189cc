"""How often a person of ours touched a case: zero on the pure-online road (A7-01, A6-21)."""

from backend.db import queries
from backend.db.database import Tx

Q = queries.load(__package__)


async def count(tx: Tx, application_nos: list[str]) -> int:
    """Acts of staff recorded for these applications; needs a union-wide reader."""
    return int(await Q.human_actions(tx, application_nos=application_nos))
