"""冻结: one person freezes a customer at once, because it protects; one asks for the end of it and another agrees."""

from datetime import datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers import repository
from backend.domains.customers import service as customers
from backend.domains.customers.model import CUSTOMER
from backend.domains.customers.repository import Q

SHORTEST, LONGEST = 4, 200  # characters of a reason
_TABLE = "customers.freezes"


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """It stands while `released_at` is None; `release_asked_by` is who wants it ended."""

    id: str
    customer_id: str
    reason: str
    frozen_by: str
    frozen_at: datetime
    release_why: str
    release_asked_by: str | None
    release_asked_at: datetime | None
    released_by: str | None
    released_at: datetime | None


class WhyMissing(Invalid):
    code = "freeze_reason_missing"
    message = "请写明原因，至少 4 个字"


class NotFrozen(Conflict):
    code = "not_frozen"
    message = "这位客户现在没有冻结，或者刚刚由别人办了，请看最新情况"


class ReleaseAsked(Conflict):
    code = "release_asked"
    message = "已经有人提出解除冻结，等另一个人同意"


class ReleaseYours(NotPermitted):
    code = "release_yours"
    message = "解除冻结是您提出的，要由另一个人同意"


async def freeze(tx: Tx, customer_id: str, reason: str) -> None:
    """From the commit on nothing goes on with this person. Raises `WhyMissing`, `ForbiddenMove`, `CustomerNotFound`,
    `CustomerErased`."""
    reason, freeze_id = _why(reason), ids.new()
    await _move(tx, customer_id, "active", "frozen")
    await Q.freeze(
        tx,
        institution_id=tx.institution_id,
        id=freeze_id,
        customer_id=customer_id,
        reason=tx.vault.encrypt(_TABLE, "reason", freeze_id, reason),
        frozen_by=str(tx.actor),
        now=tx.now,
    )
    audit.add(tx, "customer.frozen", customer_id)


async def ask_release(tx: Tx, customer_id: str, why: str) -> None:
    """Raises `WhyMissing`, `NotFrozen`, `ReleaseAsked`."""
    why, standing = _why(why), await _standing(tx, customer_id)
    if standing.release_asked_by is not None:
        raise ReleaseAsked()
    await Q.ask_release(
        tx,
        institution_id=tx.institution_id,
        id=standing.id,
        why=tx.vault.encrypt(_TABLE, "release_why", standing.id, why),
        who=str(tx.actor),
        now=tx.now,
    )
    audit.add(tx, "customer.release_asked", customer_id)


async def release(tx: Tx, customer_id: str) -> None:
    """The second person's word. Raises `NotFrozen`, `ReleaseYours`."""
    standing = await _standing(tx, customer_id)
    if standing.release_asked_by is None:
        raise NotFrozen()
    if standing.release_asked_by == str(tx.actor):
        raise ReleaseYours()
    await Q.release(tx, institution_id=tx.institution_id, id=standing.id, who=str(tx.actor), now=tx.now)
    await _move(tx, customer_id, "frozen", "active")
    audit.add(tx, "customer.released", customer_id)


async def keep(tx: Tx, customer_id: str) -> None:
    """The wish to release is taken back, or not agreed to: it stays frozen. Raises `NotFrozen`."""
    standing = await _standing(tx, customer_id)
    if standing.release_asked_by is None:
        raise NotFrozen()
    await Q.keep_frozen(tx, institution_id=tx.institution_id, id=standing.id)
    audit.add(tx, "customer.release_refused", customer_id)


async def standing(tx: Tx, most: int = 200) -> list[Freeze]:
    """Who is frozen, what waits for a second person first."""
    return [_freeze(tx, row) for row in await Q.frozen(tx, institution_id=tx.institution_id, most=most)]


async def of_customer(tx: Tx, customer_id: str) -> list[Freeze]:
    """The newest first."""
    rows = await Q.freezes_of(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return [_freeze(tx, row) for row in rows]


async def _standing(tx: Tx, customer_id: str) -> Freeze:
    """Locked, the person with it, until the transaction ends."""
    await Q.lock(tx, institution_id=tx.institution_id, id=customer_id)
    found = next((each for each in await of_customer(tx, customer_id) if each.released_at is None), None)
    if found is None:
        raise NotFrozen()
    return found


def _why(text: str) -> str:
    text = text.strip()[:LONGEST]
    if len(text) < SHORTEST:
        raise WhyMissing(fields={"reason": WhyMissing.message})
    return text


async def _move(tx: Tx, customer_id: str, from_status: str, to_status: str) -> None:
    if not await repository.move(tx, customer_id, from_status, to_status):
        person = await customers.get(tx, customer_id)
        CUSTOMER.check(person.status, to_status)
        raise Conflict()


def _freeze(tx: Tx, row: Any) -> Freeze:
    values = {name: row[name] for name in Freeze.__struct_fields__}
    for column in ("reason", "release_why"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_TABLE, column, values["id"], stored) if stored else ""
    return Freeze(**values)
