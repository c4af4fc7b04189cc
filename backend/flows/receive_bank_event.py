"""收手机银行的通知: store first, apply later, in whatever order and however often it comes (trust §1.5, A5-05)."""

import msgspec

from backend.core import failpoints
from backend.core.actor import Actor, everywhere
from backend.core.errors import Invalid
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import ContractMissing
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Event
from backend.outbox import effects, inbox

SOURCE = "mobile_bank"
APPLY = "mobile_bank.apply"

STORED = failpoints.declare("bank_event.stored", "a callback is stored; the bank has no answer yet")


class EventContradicts(Invalid):
    """Names another institution or contract than the application has."""

    code = "event_contradicts"
    message = "通知里的机构或合同编号和申请对不上"


async def receive_bank_event(context: Context, event: Event) -> bool:
    """Keep the event and queue its application in one transaction. False for one we had already.

    Raises `ContractMissing`, `EventContradicts`.
    """
    async with context.db.read(everywhere("mobile bank")) as tx:
        institution_id = await contracts.institution_of(tx, event.application_id)
    if institution_id != event.institution_id:
        raise ContractMissing()
    bank = Actor(kind="partner", id="mobile-bank", institution_id=institution_id, name="手机银行")
    async with context.db.begin(bank) as tx:
        contract = await contracts.get(tx, event.application_id)
        if contract.contract_no != event.contract_no:
            raise EventContradicts()
        first = await inbox.receive(
            tx,
            source=SOURCE,
            message_id=event.event_id,
            case_id=event.application_id,
            payload=msgspec.to_builtins(event),
        )
        if first:
            await effects.add(tx, kind=APPLY, case_id=event.application_id, key=event.event_id, payload={})
    failpoints.hit(STORED)
    return first
