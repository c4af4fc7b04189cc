"""离岗: an officer's posting ends; codes are void, every browser is signed out, in one transaction (N1, A1-04)."""

import msgspec

from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.domains.audit import service as audit
from backend.domains.campaigns import service as campaigns
from backend.domains.channels import service as channels
from backend.domains.identity import service as identity
from backend.domains.identity.model import NotYours, NotYourself, Staff, StaffNotFound
from backend.flows.context import Context

ADMINS = ("county_admin", "head_office_admin")
SHORTEST, LONGEST = 4, 200  # characters
ON_THE_CODES = "客户经理已离岗"
"""What people who scan one are told; why somebody left is not theirs to know."""


class Ended(msgspec.Struct, frozen=True):
    codes: int
    sessions: int


async def end_posting(context: Context, actor: Actor, staff_id: str, reason: str) -> Ended:
    """`actor` works for the officer's institution.

    Raises `NotYours`, `NotYourself`, `StaffNotFound`, `AlreadyLeft`, `Invalid` (field reason).
    """
    if not actor.has(*ADMINS):
        raise NotYours()
    async with context.db.begin(actor) as tx:
        person = await identity.staff(tx, staff_id)
        require_officer(person)
        assert person is not None
        if person.id == actor.id:
            raise NotYourself()
        reason = reason.strip()[:LONGEST]
        if len(reason) < SHORTEST:
            raise Invalid(fields={"reason": "请写明为什么离岗，以后查得到"})
        sessions = await identity.end_posting(tx, person)
        codes = await campaigns.revoke_officer(tx, person.id, ON_THE_CODES)
        await channels.forget_codes_of(tx, person.id)
        audit.add(tx, "officer.posting_ended", person.id, reason=reason, codes=codes)
    return Ended(codes, sessions)


def require_officer(person: Staff | None) -> None:
    """Raises `StaffNotFound`."""
    if person is None or "officer" not in person.roles:
        raise StaffNotFound()
