"""短信回执: the SMS platform reports what became of a message (A5-14). Signed as Standard Webhooks."""

from litestar import post

from backend.api import signed
from backend.core.actor import everywhere, system
from backend.core.errors import NotFound, Problem
from backend.domains.channels import sms
from backend.integrations.sms.port import Receipt
from backend.web.http import Request


class MessageUnknown(NotFound):
    """Perhaps not recorded yet: the platform sends the receipt again."""

    code = "sms_unknown"
    message = "没有这条短信"


class StrictReceipt(Receipt, frozen=True, forbid_unknown_fields=True):
    """The receipt as it must come over the wire."""


@post(
    "/api/sms/receipts",
    status_code=204,
    opt={"message_id": "message_id"},
    request_max_body_size=4096,
    exception_handlers={Problem: signed.answer_problem},
)
async def receive(request: Request) -> None:
    """204 also for a repeat. Raises `BadSignature`, `BodyUnreadable`, `MessageUnknown`."""
    context = request.app.state.context
    receipt = await signed.read(request, signed.Caller.SMS, StrictReceipt)
    async with context.db.read(everywhere("sms receipts")) as tx:
        institution_id = await sms.institution_of(tx, receipt.message_id)
    if institution_id is None:
        raise MessageUnknown()
    async with context.db.begin(system(institution_id, "sms platform")) as tx:
        await sms.receipt(tx, receipt.message_id, receipt.status, receipt.at)
