"""带参数的二维码: the account's own QR of a responsible code, kept so that prints of one code are one code (A11-03)."""

from datetime import datetime, timedelta

import msgspec

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.statements import Q

LONGEST = timedelta(days=30)
"""How long a temporary QR may live; permanent ones are few (100,000 in all) and kept for officers' own."""
RENEWED_BEFORE = timedelta(days=1)


class SceneCode(msgspec.Struct, frozen=True):
    """`url` is what the QR says; `ticket` fetches the platform's picture of it."""

    ticket: str
    url: str
    expires_at: datetime | None


async def living(tx: Tx, code_id: str) -> SceneCode | None:
    """The QR made before, unless it ends within a day."""
    row = await Q.scene_code(tx, institution_id=tx.institution_id, code_id=code_id)
    if row is None or (row["expires_at"] and row["expires_at"] - tx.now < RENEWED_BEFORE):
        return None
    return SceneCode(**dict(row))


async def keep(tx: Tx, code_id: str, made: SceneCode) -> None:
    await Q.keep_scene_code(
        tx,
        institution_id=tx.institution_id,
        code_id=code_id,
        ticket=made.ticket,
        url=made.url,
        expires_at=made.expires_at,
        now=tx.now,
    )
    audit.add(tx, "scene_code.made", code_id, permanent=made.expires_at is None)
