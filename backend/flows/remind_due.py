"""还款日提醒: some days before an instalment is due its customer is told, once (N17).

A job looks at every line with a loan once a day (`remind_due`); what it finds becomes an effect of that line and due
date. The customer-service window, then a grant the person gave for it (the page of a drawn line asks,
`invite_notice.py`), then an SMS carries it. Who refused is not told, nor who has paid meanwhile; nobody is woken at
night, and after the due date it is untrue. Which loan bears how much stays in the mobile bank.
"""

import asyncio
from datetime import date, datetime, time, timedelta

import structlog

from backend.core import clock
from backend.core.actor import Actor, everywhere, system
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import notices, texts
from backend.domains.channels.notices import Notice
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.post_loan import dues
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.flows import carry_notice, loan_standing
from backend.flows.carry_notice import Message
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect
from backend.overview import loan_lines

log = structlog.get_logger("reminders")

KIND = "notify.due"
ABOUT = "due"
TOPIC = "due_date"
"""What a customer refuses (`customers.refuses`)."""
SMS_TEMPLATE = "repayment_due"
AT_ONCE = 4
BATCH = 200


async def remind_due(context: Context) -> int:
    """Look at every line not looked at today; how many were. Safe to run twice and beside itself."""
    today, after, done = clock.today(), loan_lines.START, 0
    gate = asyncio.Semaphore(AT_ONCE)
    while True:
        async with context.db.read(everywhere("reminders")) as tx:
            lines = await loan_lines.not_looked_for_dues(tx, today, after, BATCH)
        if not lines:
            return done
        done += sum(await asyncio.gather(*(_one(context, gate, *line) for line in lines)))
        after = lines[-1]


async def _one(context: Context, gate: asyncio.Semaphore, institution_id: str, application_id: str) -> bool:
    """One line's trouble is not the others'."""
    async with gate:
        try:
            return await _look(context, system(institution_id, "reminders"), application_id)
        except Exception as error:
            # It is said at level error every time until somebody has looked, and the day goes on.
            log.error("due dates not looked at", application=application_id, error=type(error).__name__)
            return False


async def _look(context: Context, actor: Actor, application_id: str) -> bool:
    async with context.db.begin(actor) as tx:
        today = clock.today()
        if not await dues.looked(tx, application_id, today):
            return False
        contract, rules = await contracts.get(tx, application_id), await regulation.in_force(tx, today)
        if await customers.refuses(tx, contract.customer_id, TOPIC):
            return True
        until = today + timedelta(days=rules.count("repayment.remind_days_before"))
        for due_on in await loan_standing.due_dates(tx, contract, today + timedelta(days=1), until):
            await effects.add(
                tx,
                kind=KIND,
                case_id=application_id,
                key=f"due:{application_id}:{due_on.isoformat()}",
                payload={"due_on": due_on.isoformat()},
                delay=_until_awake(rules, tx.now),
            )
        return True


async def tell_due(context: Context, effect: Effect) -> None:
    """Deliver the effect. Raises Unavailable as `carry_notice`."""
    due_on = date.fromisoformat(str(effect.payload["due_on"]))
    async with context.db.begin(system(effect.institution_id, "notify")) as tx:
        notice = await notices.open(tx, carry_notice.notice_key(effect), effect.case_id, ABOUT)
        application = await applications.get(tx, effect.case_id)
        rules = await regulation.in_force(tx, clock.today())
        why = "" if notice.ended_at else await _untrue(tx, application, due_on)
        if why:
            await notices.ended(tx, notice, f"{why}, in doubt" if notice.means else why)
        wait = _until_awake(rules, tx.now)
        late = bool(wait) and not notice.ended_at and not why
        if late:
            await _queue(tx, notice, due_on, f"{notice.key}:{clock.today().isoformat()}", wait)
    if not notice.ended_at and not why and not late:
        await carry_notice.carry_notice(context, effect, notice, await _message(context, application, due_on))


async def again(tx: Tx, notice: Notice) -> None:
    """Queue one once more that came back from its means."""
    due_on = date.fromisoformat(notice.key.rpartition(":")[2])
    await _queue(tx, notice, due_on, f"{notice.key}:again", timedelta())


async def _queue(tx: Tx, notice: Notice, due_on: date, key: str, delay: timedelta) -> None:
    payload: dict[str, object] = {"due_on": due_on.isoformat(), "notice": notice.key}
    await effects.add(tx, kind=KIND, case_id=notice.case_id, key=key, payload=payload, delay=delay)


async def _untrue(tx: Tx, application: Application, due_on: date) -> str:
    """Why it is not told any more; empty where it is as true as when it was queued."""
    today = clock.today()
    contract = await contracts.get(tx, application.id)
    if due_on < today:
        return "too late"
    if await customers.refuses(tx, contract.customer_id, TOPIC):
        return "refused"
    return "" if due_on in await loan_standing.due_dates(tx, contract, today, due_on) else "overtaken"


def _until_awake(rules: InForce, now: datetime) -> timedelta:
    """Nothing by day; at night the time until people may be contacted again."""
    here = clock.local(now)
    begins = rules.count("contact.quiet_to_hour")
    if begins <= here.hour < rules.count("contact.quiet_from_hour"):
        return timedelta()
    day = here.date() if here.hour < begins else here.date() + timedelta(days=1)
    return datetime.combine(day, time(begins), clock.LOCAL) - here


async def _message(context: Context, application: Application, due_on: date) -> Message:
    async with context.db.read(system(application.institution_id, "notify")) as tx:
        assert application.customer_id is not None
        openid = await customers.openid_of(tx, application.customer_id)
        phone = (await customers.get(tx, application.customer_id)).phone
    number, day = application.application_no, f"{due_on.month}月{due_on.day}日"
    url = f"{context.settings.public_base.rstrip('/')}/my/{number}"
    return Message(
        institution_id=application.institution_id,
        case_id=application.id,
        openid=openid,
        phone=phone,
        window_open=await carry_notice.window_open(context, openid),
        text=texts.notice(ABOUT, number=number, day=day, url=url),
        fields={
            "character_string1": number,
            "phrase2": "快到期了",
            "time3": f"{due_on:%Y-%m-%d} 00:00",
            "thing4": "还款日快到，请看手机银行",
        },
        page=url,
        sms=(SMS_TEMPLATE, {"due_on": day}),
    )
