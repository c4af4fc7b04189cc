"""订阅通知 (N17): the ledger of one-time consents. One consent is one notice, reserved before it is used."""

from datetime import datetime

import msgspec

from backend.core import ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.statements import Q


class Grant(msgspec.Struct, frozen=True):
    institution_id: str
    id: str


async def granted(tx: Tx, openid: str, template_id: str) -> None:
    """The person tapped 允许 once."""
    grant_id = ids.new()
    await Q.insert_grant(
        tx, institution_id=tx.institution_id, id=grant_id, openid=openid, template_id=template_id, now=tx.now
    )
    audit.add(tx, "grant.new", grant_id, template=template_id)


async def rejected(tx: Tx, openid: str, template_id: str, at: datetime | None = None) -> None:
    """The person tapped 拒收 for this notice, now or at `at`: what was given here by then may not be counted on."""
    await Q.void_grants(
        tx, institution_id=tx.institution_id, openid=openid, template_id=template_id, at=at, now=tx.now
    )


async def places(tx: Tx, openid: str, template_id: str) -> list[str]:
    """Institutions with a grant that `rejected` would void; needs a union-wide reader."""
    rows = await Q.places_of_grants(tx, openid=openid, template_id=template_id)
    return [row["institution_id"] for row in rows]


async def find(tx: Tx, openid: str, template_id: str, key: str) -> Grant | None:
    """The grant reserved for `key`, else the oldest free one; needs a union-wide reader.

    A grant is the account's, whichever county the person was with when they gave it.
    """
    row = await Q.find_grant(tx, openid=openid, template_id=template_id, key=key)
    return None if row is None else Grant(*row)


async def reserve(tx: Tx, grant: Grant, key: str) -> bool:
    """Keep it for one notice; False when another notice took it first. The same key again is fine."""
    return bool(await Q.reserve_grant(tx, institution_id=tx.institution_id, id=grant.id, key=key, now=tx.now))


async def release(tx: Tx, grant: Grant, key: str) -> None:
    """The notice it was kept for went another way; another one may have it."""
    await Q.release_grant(tx, institution_id=tx.institution_id, id=grant.id, key=key)


async def used(tx: Tx, grant: Grant, message_id: str) -> None:
    """`message_id`: the platform's number of the notice, by which it reports later."""
    await Q.use_grant(tx, institution_id=tx.institution_id, id=grant.id, message_id=message_id, now=tx.now)


async def of_message(tx: Tx, message_id: str) -> tuple[Grant, str] | None:
    """(grant, key of the notice it carried); needs a union-wide reader."""
    row = await Q.grant_of_message(tx, message_id=message_id)
    return None if row is None else (Grant(row["institution_id"], row["id"]), row["notice_key"])


async def reported(tx: Tx, grant: Grant, report: str) -> bool:
    """What the platform says of the notice: `success` or an error code. False when it was known already."""
    noted = await Q.report_grant(tx, institution_id=tx.institution_id, id=grant.id, report=report, now=tx.now)
    if noted:
        audit.add(tx, "grant.reported", grant.id, report=report)
    return bool(noted)


async def void(tx: Tx, grant: Grant) -> None:
    """The platform knows of no such consent (43101)."""
    await Q.void_grant(tx, institution_id=tx.institution_id, id=grant.id, now=tx.now)


async def left(tx: Tx, openid: str) -> dict[str, int]:
    """Free grants by template; needs a union-wide reader."""
    return {row["template_id"]: row["count"] for row in await Q.grants_left(tx, openid=openid)}
