"""这笔担保还在办: what a guarantor's browser works on, as long as all of it stands."""

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract, OfferExpired
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import ConsentMissing
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import OPEN, Guarantee, GuaranteeMoved, LinkGone


class Standing(msgspec.Struct, frozen=True):
    guarantee: Guarantee
    application: Application
    contract: Contract


async def require_guarantee(tx: Tx, session_id: str, step: str = "", *, lock: bool = False) -> Standing:
    """Raises `LinkGone` when there is nothing to go on with (any more), `GuaranteeMoved` when it is at another step.
    `lock` takes the case's row, then the guarantee's: the order everywhere."""
    found = await guarantees.of_session(tx, session_id)
    if found is None:
        raise LinkGone()
    application = await applications.get(tx, found.application_id, lock=lock)
    guarantee = await guarantees.get(tx, found.id, lock=lock)
    standing = await still_stands(tx, guarantee, application)
    if step and guarantee.step != step:
        raise GuaranteeMoved()
    return standing


async def still_stands(tx: Tx, guarantee: Guarantee, application: Application) -> Standing:
    """The link is open, the case waits for it, and the borrower still wants it seen (D3-02). Raises `LinkGone`."""
    if guarantee.status not in OPEN or guarantee.over(tx.now) or application.status != "approved":
        raise LinkGone()
    contract = await contracts.get(tx, application.id)
    try:
        contract_rules.require_standing(contract, clock.today())
        await consents.require(tx, guarantee.borrower_id, Purpose.GUARANTOR_SHARE, "guarantor", clock.today())
    except (OfferExpired, ConsentMissing) as cause:
        raise LinkGone() from cause
    return Standing(guarantee, application, contract)
