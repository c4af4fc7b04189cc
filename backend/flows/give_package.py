"""交合同包: the mobile bank asks for the offer that waits with it, when its customer opens it (A3-10)."""

import hmac

from backend.core.actor import Actor, everywhere
from backend.domains.applications import service as applications
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import ContractMissing
from backend.flows import describe_offer
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Offer


async def give_package(context: Context, application_id: str, customer_hash: str) -> Offer:
    """Raises `ContractMissing`, also for another customer's application; `OfferGone`."""
    async with context.db.read(everywhere("mobile bank")) as tx:
        institution_id = await contracts.institution_of(tx, application_id)
    bank = Actor(kind="partner", id="mobile-bank", institution_id=institution_id, name="手机银行")
    async with context.db.read(bank) as tx:
        application = await applications.get(tx, application_id)
        contract = await contracts.get(tx, application_id)
        offer = await describe_offer.describe_offer(context, tx, application, contract)
    if not hmac.compare_digest(offer.customer_hash.encode(), customer_hash.encode()):
        raise ContractMissing()
    return offer
