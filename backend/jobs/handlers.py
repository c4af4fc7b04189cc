"""Which flow delivers which kind of effect. A new effect: one line here, one flow, one test."""

from collections.abc import Awaitable, Callable

from backend.flows import notify, send_sms
from backend.flows.context import Context
from backend.outbox.effects import Effect

HANDLERS: dict[str, Callable[[Context, Effect], Awaitable[None]]] = {
    send_sms.KIND: send_sms.send_sms,
    notify.KIND: notify.notify,
}
