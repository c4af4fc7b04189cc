"""催收提醒: the reminder that the plan of a night names, told by one notice on that day (A6-07, D5-01…D5-03, N17).

Whether it may go out is asked at every attempt, with the facts of that moment (`collect.let_remind`); a repayment in
between overtakes it, and with its day it is over: the next night plans anew. Only the debtor's own account, number and
app are used (D5-03). A means says nothing to anybody but the debtor, and no amount goes by SMS.
"""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.channels import notices, texts
from backend.domains.channels.notices import Means, Notice
from backend.domains.customers import service as customers
from backend.domains.institutions import service as institutions
from backend.domains.post_loan import collections
from backend.domains.post_loan.model import CollectionCase
from backend.flows import carry_notice, collect
from backend.flows.carry_notice import Message
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = collect.REMIND
ABOUT = "overdue"
TITLE = "还款提醒"
SMS_TEMPLATE = "repayment_overdue"
ORDER: dict[str, tuple[Means, ...]] = {"app": ("bank", "subscription", "sms"), "sms": ("sms", "bank")}
"""The means of each channel of a plan, in order: where one cannot carry it, the next tells it the same day."""


async def remind_overdue(context: Context, effect: Effect) -> None:
    """Deliver the effect. Raises Unavailable as `carry_notice`."""
    actor = system(effect.institution_id, "collection")
    async with context.db.begin(actor) as tx:
        notice = await notices.open(tx, carry_notice.notice_key(effect), effect.case_id, ABOUT)
        case = await collections.get(tx, str(effect.payload["collection_case"]))
        turn, why = await _turn(tx, effect, notice, case)
        if why:
            await notices.ended(tx, notice, f"{why}, in doubt" if notice.means else why)
    carried = notice.sent_at is not None
    if not notice.ended_at and not why:
        message = await _message(context, effect.institution_id, case, turn.channel)
        carried = await carry_notice.carry_notice(context, effect, notice, message)
    if carried:
        async with context.db.begin(actor) as tx:
            await collections.pace(tx, case, clock.today() + timedelta(days=turn.pace_days))


async def again(tx: Tx, notice: Notice) -> None:
    """Queue one once more that came back from its means, unless the debt was paid meanwhile."""
    case = await collections.of_application(tx, notice.case_id)
    if case is None:
        await notices.ended(tx, notice, "overtaken")
        return
    payload: dict[str, object] = {
        "collection_case": case.id,
        "on": clock.today().isoformat(),
        "notice": notice.key,
    }
    await effects.add(tx, kind=KIND, case_id=notice.case_id, key=f"{notice.key}:again", payload=payload)


async def _turn(tx: Tx, effect: Effect, notice: Notice, case: CollectionCase) -> tuple[collect.Reminder, str]:
    """What the strategy says now, and why it is not told: empty where it may be, or has been."""
    if notice.ended_at:
        return await collect.reminder(tx, case), ""
    if case.status != "open":
        return collect.Reminder("", 0), "overtaken"
    if effect.payload["on"] != clock.today().isoformat():
        return collect.Reminder("", 0), "its day is over"
    turn = await collect.let_remind(tx, case, notice.key)
    return turn, f"held: {' '.join(turn.held)}" if turn.held else ""


async def _message(context: Context, institution_id: str, case: CollectionCase, channel: str) -> Message:
    """To the account, the number and the app that were proved to be the debtor's."""
    async with context.db.read(system(institution_id, "notify")) as tx:
        number = (await applications.get(tx, case.application_id)).application_no
        person = await customers.get(tx, case.customer_id)
        openid = await customers.openid_of(tx, case.customer_id)
        service_phone = (await institutions.get(tx, institution_id)).service_phone
    return Message(
        institution_id=institution_id,
        case_id=case.application_id,
        openid=openid,
        phone=person.phone,
        window_open=False,
        text=texts.notice(ABOUT, number=number, service_phone=service_phone),
        fields={
            "character_string1": number,
            "phrase2": "待还款",
            "time3": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}",
            "thing4": "有到期的款，请看手机银行",
        },
        page=f"{context.settings.public_base.rstrip('/')}/my/{number}",
        sms=(SMS_TEMPLATE, {"application_no": number}),
        bank=(context.clients.mobile_bank.customer_hash(person.id_number), TITLE),
        order=ORDER[channel],
    )
