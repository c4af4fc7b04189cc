"""催收策略试用: a challenger beside the live collection strategy, from proposal to end (A6-07).

Like the line-ups of models: one proposes, another agrees, one ends it. What a case follows is the flow's
(`flows/challenge_collection.py`).
"""

from typing import Any

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.post_loan.model import Challenge, ChallengeAnswered, ChallengeMissing, ChallengeWaits

Q = queries.load(__package__, "queries_challenges.sql")


async def get(tx: Tx, challenge_id: str) -> Challenge:
    """Raises `ChallengeMissing`."""
    row = await Q.get(tx, id=challenge_id) if ids.is_uuid(challenge_id) else None
    if row is None:
        raise ChallengeMissing()
    return _challenge(row)


async def running(tx: Tx) -> list[Challenge]:
    return [_challenge(row) for row in await Q.running(tx)]


async def listed(tx: Tx, most: int = 30) -> list[Challenge]:
    """The newest first."""
    return [_challenge(row) for row in await Q.all_challenges(tx, most=most)]


async def propose(
    tx: Tx,
    *,
    product_code: str,
    version_id: str,
    authors: list[str],
    document_hash: str,
    share_bp: int,
    why: str,
) -> str:
    """Raises `ChallengeWaits` where one of that product is open."""
    number: str | None = await Q.propose(
        tx,
        id=ids.new(),
        product_code=product_code,
        version_id=version_id,
        authors=authors,
        document_hash=document_hash,
        share_bp=share_bp,
        why=why,
        who=str(tx.actor),
        now=tx.now,
    )
    if number is None:
        raise ChallengeWaits()
    audit.add(tx, "challenge.proposed", number, version=version_id, share_bp=share_bp)
    return number


async def agree(tx: Tx, challenge: Challenge, champion_hash: str, why: str) -> None:
    """Raises `ChallengeAnswered`."""
    if not await Q.agree(
        tx, id=challenge.id, champion_hash=champion_hash, who=str(tx.actor), answer=why, now=tx.now
    ):
        raise ChallengeAnswered()
    audit.add(tx, "challenge.agreed", challenge.id, share_bp=challenge.share_bp)


async def refuse(tx: Tx, challenge: Challenge, why: str) -> None:
    """Raises `ChallengeAnswered`."""
    if not await Q.refuse(tx, id=challenge.id, who=str(tx.actor), answer=why, now=tx.now):
        raise ChallengeAnswered()
    audit.add(tx, "challenge.refused", challenge.id)


async def end(tx: Tx, challenge: Challenge, why: str) -> None:
    """Raises `ChallengeAnswered`."""
    if not await Q.finish(tx, id=challenge.id, who=str(tx.actor), why=why, now=tx.now):
        raise ChallengeAnswered()
    audit.add(tx, "challenge.ended", challenge.id)


def _challenge(row: Any) -> Challenge:
    return Challenge(**dict(row) | {"authors": tuple(row["authors"])})
