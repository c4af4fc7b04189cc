"""问额度还在不在: the mobile bank asks once more before it lets its customer sign (A3-10)."""

from datetime import date

import msgspec

from backend.core import clock, ids
from backend.core.actor import Actor
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import ContractMissing
from backend.flows.context import Context


class Standing(msgspec.Struct, frozen=True):
    """`open` is true while the contract may be signed; `valid_until` is the last day for it."""

    application_id: str
    status: str
    open: bool
    valid_until: date


async def tell_standing(context: Context, institution_id: str, application_id: str) -> Standing:
    """One look-up, in the county the offer named. Raises `ContractMissing`."""
    if not (institution_id.isascii() and institution_id.isdigit() and ids.is_uuid(application_id)):
        raise ContractMissing()
    bank = Actor(kind="partner", id="mobile-bank", institution_id=institution_id[:12], name="手机银行")
    async with context.db.read(bank) as tx:
        status, valid_until = await contracts.standing(tx, application_id)
    return Standing(application_id, status, status == "ready" and clock.today() <= valid_until, valid_until)
