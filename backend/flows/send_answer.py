"""答复送给客户: what staff answered to 人工 or 投诉 reaches who asked, by one allowed means (D4-09, A11-04).

The whole answer goes only into the chat it was asked in. A subscription notice and an SMS say that there is one,
and the account gives it for 答复.
"""

from backend.core import clock
from backend.core.actor import system
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.channels import notices, texts, tickets
from backend.domains.channels.model import Ticket
from backend.domains.channels.notices import Notice
from backend.domains.customers import service as customers
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import UNION
from backend.flows import carry_notice
from backend.flows.carry_notice import Message
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "notify.answer"
ABOUT = "ticket_answered"
SMS_TEMPLATE = "ticket_answered"


async def announce(tx: Tx, ticket: Ticket) -> None:
    """Queue the answer, in the transaction that keeps it; the same ticket is answered once. Raises `Invalid`."""
    if len(ticket.answer) > tickets.LONGEST_SENT:
        raise Invalid(fields={"answer": f"发给客户的答复最多 {tickets.LONGEST_SENT} 个字"})
    await _queue(tx, ticket.ticket_no, f"answer:{ticket.id}", {})


async def again(tx: Tx, notice: Notice) -> None:
    """Queue one once more that came back from its means."""
    await _queue(tx, notice.case_id, f"{notice.key}:again", {"notice": notice.key})


async def send_answer(context: Context, effect: Effect) -> None:
    """Deliver the effect. Raises Unavailable as `carry_notice`."""
    async with context.db.begin(system(effect.institution_id, "notify")) as tx:
        notice = await notices.open(tx, carry_notice.notice_key(effect), effect.case_id, ABOUT)
        ticket = await tickets.get(tx, effect.case_id)
    if not notice.ended_at:
        await carry_notice.carry_notice(context, effect, notice, await _message(context, ticket))


async def _queue(tx: Tx, ticket_no: str, key: str, payload: dict[str, object]) -> None:
    await effects.add(tx, kind=KIND, case_id=ticket_no, key=key, payload=payload)


async def _message(context: Context, ticket: Ticket) -> Message:
    """To the account that asked; who asked otherwise is reached as the person they proved to be."""
    openid, phone, service_phone = ticket.openid or None, None, ""
    async with context.db.read(system(ticket.institution_id, "notify")) as tx:
        if ticket.customer_id:
            openid = openid or await customers.openid_of(tx, ticket.customer_id)
            phone = (await customers.get(tx, ticket.customer_id)).phone
        if ticket.institution_id != UNION:
            service_phone = (await institutions.get(tx, ticket.institution_id)).service_phone
    number = ticket.ticket_no
    return Message(
        institution_id=ticket.institution_id,
        case_id=number,
        openid=openid,
        phone=phone,
        window_open=await carry_notice.window_open(context, openid),
        text=texts.notice(
            ABOUT, number=number, kind=ticket.kind, answer=ticket.answer, service_phone=service_phone
        ),
        fields={
            "character_string1": number,
            "phrase2": "已答复",
            "time3": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}",
            "thing4": "在公众号里回复：答复",
        },
        sms=(SMS_TEMPLATE, {"ticket_no": number}),
    )
