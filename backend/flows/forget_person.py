"""匿名: who is kept by nothing any more leaves everything that names them behind, in one transaction (D3-06, D7)."""

from datetime import datetime

from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.channels import forgetting
from backend.domains.contracts import service as contracts
from backend.domains.customers import erasing
from backend.domains.customers import service as customers
from backend.domains.guarantees import service as guarantees
from backend.domains.handoff import service as handoff
from backend.domains.identity import service as identity
from backend.domains.relations import service as relations
from backend.domains.reviews import service as reviews
from backend.domains.surveys import service as surveys
from backend.flows import finish_forgetting
from backend.flows.context import Context
from backend.outbox import effects


async def forget_person(context: Context, actor: Actor, customer_id: str, before: datetime) -> bool:
    """False when something keeps the person, which is looked at again with them and their cases locked: they may have
    come back meanwhile. What others keep for us (photographs, the union's part of the talk) goes by an effect."""
    async with context.db.begin(actor) as tx:
        cases = sorted(each.id for each in await applications.of_customer(tx, customer_id))
        for case in cases:
            await applications.get(tx, case, lock=True)
        if await erasing.kept_by(tx, customer_id, before) is not None:
            return False
        phone = (await customers.get(tx, customer_id)).phone
        openids = await erasing.accounts_of(tx, customer_id)
        receipts = await _cases(tx, customer_id)
        browsers = await identity.forget_customer(tx, customer_id, cases, openids, phone)
        tickets = await forgetting.forget(tx, customer_id, openids)
        await erasing.erase(tx, customer_id)
        await guarantees.forget(tx, customer_id)
        await effects.forget_cases(tx, [*cases, *browsers, *tickets])
        await finish_forgetting.order(tx, customer_id, receipts, openids)
        await relations.forget(tx, customer_id)
    return True


async def _cases(tx: Tx, customer_id: str) -> dict[str, list[str]]:
    """Everything about the person's cases, and what they brought to others' as a guarantor. Returns, by case, what the
    image archive is to destroy."""
    receipts = await surveys.forget(tx, customer_id)
    mine = await applications.of_customer(tx, customer_id)
    for application in mine:
        receipts.setdefault(application.id, []).extend(
            await applications.archived_receipts(tx, application.id)
        )
        await applications.anonymise(tx, application)
    for guarantee_id, application_id in await guarantees.asked_of(tx, customer_id):
        found = await applications.archived_receipts(tx, application_id, guarantee_id)
        receipts.setdefault(application_id, []).extend(found)
        await applications.forget_guarantor(tx, application_id, guarantee_id)
    numbers = [each.id for each in mine]
    await reviews.forget(tx, numbers)
    await handoff.forget(tx, numbers)
    await contracts.forget(tx, numbers)
    return receipts
