"""删除信息: the wish of a customer to be forgotten, proposed by one person and agreed to by another."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.core.errors import Conflict, NotPermitted
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers.repository import Q


class ErasureRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`agreed` is None until a second person said so; `done_at` when nothing names the customer any more."""

    id: str
    customer_id: str
    ticket_no: str
    asked_by: str
    asked_at: datetime
    checked_by: str | None
    checked_at: datetime | None
    agreed: bool | None
    done_at: datetime | None


class ErasureMoved(Conflict):
    code = "erasure_moved"
    message = "这件刚刚由别人办了，请看最新情况"


class ErasureYours(NotPermitted):
    code = "erasure_yours"
    message = "删除是您提出的，要由另一个人同意"


class ErasureKept(Conflict):
    code = "erasure_kept"
    message = "现在不能删除：{why}"


async def of_ticket(tx: Tx, ticket_no: str) -> ErasureRequest | None:
    """The newest that was not refused."""
    row = await Q.erasure_request(tx, institution_id=tx.institution_id, ticket_no=ticket_no)
    return None if row is None else _request(row)


async def ask(tx: Tx, customer_id: str, ticket_no: str) -> None:
    """Raises `ErasureMoved` when somebody else was first."""
    added = await Q.ask_erasure(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        customer_id=customer_id,
        ticket_no=ticket_no,
        who=str(tx.actor),
        now=tx.now,
    )
    if not added:
        raise ErasureMoved()
    audit.add(tx, "customer.erasure_asked", customer_id, ticket=ticket_no)


async def check(tx: Tx, request: ErasureRequest, *, agreed: bool) -> None:
    """The second person's word; not to agree, the first may say as well. Raises `ErasureYours`, `ErasureMoved`."""
    if agreed and request.asked_by == str(tx.actor):
        raise ErasureYours()
    if not await Q.check_erasure(
        tx, institution_id=tx.institution_id, id=request.id, who=str(tx.actor), agreed=agreed, now=tx.now
    ):
        raise ErasureMoved()
    kind = "customer.erasure_agreed" if agreed else "customer.erasure_refused"
    audit.add(tx, kind, request.customer_id, ticket=request.ticket_no)


async def asked(tx: Tx) -> dict[str, str]:
    """Of the institution: who proposed what waits for a second person, by ticket."""
    return dict(await Q.asked_erasures(tx, institution_id=tx.institution_id))


async def waiting(tx: Tx, institutions: Sequence[str]) -> list[tuple[str, int, str]]:
    """(institution, how many wait for the person of `tx` as the second one, one of their tickets)."""
    rows = await Q.waiting_erasures(tx, institutions=list(institutions), who=str(tx.actor))
    return [(row["institution_id"], row["waiting"], row["ticket_no"]) for row in rows]


async def due(tx: Tx, most: int = 200) -> list[tuple[str, ErasureRequest]]:
    """(institution, request) of what was agreed to and is not done; needs a union-wide reader."""
    rows = await Q.due_erasures(tx, most=most)
    return [(row["institution_id"], _request(row)) for row in rows]


async def done(tx: Tx, request: ErasureRequest) -> None:
    await Q.done_erasure(tx, institution_id=tx.institution_id, id=request.id, now=tx.now)


def _request(row: Any) -> ErasureRequest:
    return ErasureRequest(**{name: row[name] for name in ErasureRequest.__struct_fields__})
