"""Send one SMS (短信): queued with the change that causes it, sent by the worker, its number kept for receipts."""

from datetime import timedelta

from backend.core import clock, failpoints
from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.channels import sms
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "sms.send"
SENT = failpoints.declare("sms.sent", "the platform has the SMS; its number is not kept yet")
CODE_TEMPLATE = "verification_code"


async def queue(
    tx: Tx, phone: str, template: str, parameters: dict[str, str], case_id: str, key: str
) -> str | None:
    """Queue an SMS in this transaction; None when `key` was queued before. Phone and parameters are sealed."""
    payload: dict[str, object] = {"phone": phone, "template": template, "parameters": parameters}
    return await effects.add(tx, kind=KIND, case_id=case_id, key=key, payload=payload)


async def send_sms(context: Context, effect: Effect) -> None:
    """Deliver the effect. The platform gets the same key on every attempt.

    A one-time code is sent while it counts and forgotten afterwards: nothing of ours keeps it (D3-14, C3).
    """
    if "template" not in effect.payload:
        return  # sent and forgotten; only the worker that did so died before it could say so
    template = str(effect.payload["template"])
    parameters = effect.payload["parameters"]
    assert isinstance(parameters, dict)
    secret = template == CODE_TEMPLATE
    if secret and clock.now() > effect.created_at + timedelta(minutes=int(parameters["minutes"])):
        async with context.db.begin(system(effect.institution_id, "sms")) as tx:
            await effects.forget(tx, effect)
        return
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
        if secret:
            await effects.forget(tx, effect)
