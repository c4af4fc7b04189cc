"""短信回执: the SMS platform reports what became of a message (A5-14). Signed as Standard Webhooks."""

import msgspec
from litestar import post

from backend.core import clock, webhooks
from backend.core.actor import everywhere, system
from backend.core.errors import Invalid, NotFound
from backend.domains.channels import sms
from backend.integrations.sms.port import Receipt
from backend.web.http import Request


class MessageUnknown(NotFound):
    """Perhaps not recorded yet: the platform sends the receipt again."""

    code = "sms_unknown"
    message = "没有这条短信"


class ReceiptUnreadable(Invalid):
    code = "receipt_unreadable"
    message = "回执格式不对"


@post("/api/sms/receipts", status_code=204, request_max_body_size=4096)
async def receive(request: Request) -> None:
    """204 also for a repeat. Raises `BadSignature`, `ReceiptUnreadable`, `MessageUnknown`."""
    context, body = request.app.state.context, await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    webhooks.verify(context.settings.callback_secret, headers, body, clock.now())
    try:
        receipt = msgspec.json.decode(body, type=Receipt)
    except msgspec.DecodeError as cause:
        raise ReceiptUnreadable() from cause
    async with context.db.read(everywhere("sms receipts")) as tx:
        institution_id = await sms.institution_of(tx, receipt.message_id)
    if institution_id is None:
        raise MessageUnknown()
    async with context.db.begin(system(institution_id, "sms platform")) as tx:
        await sms.receipt(tx, receipt.message_id, receipt.status, receipt.at)
