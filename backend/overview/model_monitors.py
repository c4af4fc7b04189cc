"""Counts for the monitors of models: what was decided, by whom, for whom, and how loans ended. No personal data."""

from datetime import date, datetime

import msgspec

from backend.db import queries
from backend.db.database import Tx

Q = queries.load(__package__, "queries_models.sql")


class Verdicts(msgspec.Struct, frozen=True):
    """Cases that share everything beside the count."""

    institution_id: str
    officer: str
    sex: str
    age_band: str
    approved: bool
    seen_by_person: bool
    overridden: bool
    cases: int


async def unobserved(tx: Tx, since: datetime, most: int) -> list[tuple[str, str]]:
    """(institution, decision); needs a union-wide reader, as all below."""
    return [(row["institution_id"], row["id"]) for row in await Q.unobserved(tx, since=since, most=most)]


async def score_counts(
    tx: Tx, model_hash: str, since: datetime, edges: list[int]
) -> list[tuple[str, int, int]]:
    """(institution, bin, cases)."""
    return [tuple(row) for row in await Q.score_counts(tx, model_hash=model_hash, since=since, edges=edges)]


async def verdicts(tx: Tx, model_hash: str, since: datetime, today: date) -> list[Verdicts]:
    rows = await Q.verdicts(tx, model_hash=model_hash, since=since, today=today)
    return [Verdicts(*row) for row in rows]


async def matured(tx: Tx, model_hash: str, today: date, most: int = 2**17) -> list[tuple[str, int, int]]:
    """(institution, score, bad)."""
    return [tuple(row) for row in await Q.matured(tx, model_hash=model_hash, today=today, most=most)]
