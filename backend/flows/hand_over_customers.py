"""交接: everything an officer who left looked after goes to a colleague in one act (A1-04, A2-02)."""

import msgspec

from backend.core import ids
from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.audit import service as audit
from backend.domains.channels import service as channels
from backend.domains.identity import service as identity
from backend.domains.identity.model import NotYours
from backend.domains.post_loan import collections, warnings
from backend.domains.reviews import service as reviews
from backend.domains.surveys import service as surveys
from backend.flows.context import Context
from backend.flows.end_posting import ADMINS, require_officer


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    cases: int = 0
    followers: int = 0
    calls: int = 0
    questions: int = 0
    warnings: int = 0
    collections: int = 0
    surveys: int = 0


async def hand_over_customers(context: Context, actor: Actor, from_id: str, to_id: str) -> HandedOver:
    """Cases, chats, calls, reviewers' questions, warnings, collection cases and unfinished surveys, with an event of
    each case; who brought a case stays known. A survey that the successor sent back as second person stays behind.

    Again with nothing left it moves nothing. Raises `NotYours`, `StaffNotFound`, `Invalid` (field to) for whoever has
    not left, or a successor who is no officer on duty here.
    """
    if not actor.has(*ADMINS):
        raise NotYours()
    async with context.db.begin(actor) as tx:
        before = await identity.staff(tx, from_id)
        require_officer(before)
        after = await identity.staff(tx, to_id) if ids.is_uuid(to_id) else None
        assert before is not None
        if before.active:
            raise Invalid(fields={"to": "这位客户经理还在岗，名下的客户不用交接"})
        if after is None or not after.active or "officer" not in after.roles:
            raise Invalid(fields={"to": "请选一位在岗的客户经理"})
        why = f"{before.staff_no} → {after.staff_no}"
        moved = await _move(tx, before.id, after.id, why)
        if any(msgspec.structs.astuple(moved)):
            audit.add(tx, "officer.handed_over", before.id, to=after.id, **msgspec.structs.asdict(moved))
    return moved


async def _move(tx: Tx, from_id: str, to_id: str, why: str) -> HandedOver:
    cases = await applications.hand_over(tx, from_id, to_id, why)
    followers, calls = await channels.hand_over(tx, from_id, to_id)
    return HandedOver(
        cases=cases,
        followers=followers,
        calls=calls,
        questions=await reviews.hand_over_inquiries(tx, from_id, to_id),
        warnings=await warnings.hand_over(tx, from_id, to_id),
        collections=await collections.hand_over(tx, from_id, to_id),
        surveys=await surveys.hand_over(tx, from_id, to_id),
    )
