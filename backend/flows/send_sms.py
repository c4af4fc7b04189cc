"""Send one SMS (短信): queued with the change that causes it, sent by the worker, its number kept for receipts."""

from backend.core import failpoints
from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.channels import sms
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "sms.send"
SENT = failpoints.declare("sms.sent", "the platform has the SMS; its number is not kept yet")


async def queue(
    tx: Tx, phone: str, template: str, parameters: dict[str, str], case_id: str, key: str
) -> str | None:
    """Queue an SMS in this transaction; None when `key` was queued before. Phone and parameters are sealed."""
    payload: dict[str, object] = {"phone": phone, "template": template, "parameters": parameters}
    return await effects.add(tx, kind=KIND, case_id=case_id, key=key, payload=payload)


async def send_sms(context: Context, effect: Effect) -> None:
    """Deliver the effect. The platform gets the same key on every attempt."""
    template = str(effect.payload["template"])
    parameters = effect.payload["parameters"]
    assert isinstance(parameters, dict)
    sent = await context.clients.sms.send(
        phone=str(effect.payload["phone"]),
        template=template,
        parameters=parameters,
        case_id=effect.case_id,
        key=effect.key,
    )
    failpoints.hit(SENT)
    async with context.db.begin(system(effect.institution_id, "sms")) as tx:
        await sms.accepted(tx, sent.message_id, effect.case_id, template, sent.accepted_at)
