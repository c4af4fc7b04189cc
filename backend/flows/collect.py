"""催收: the nightly plan of an overdue line by the live strategy, and the guard at the moment of every contact (A6-07).

What the tables plan happens only inside the hours, counts and refusals of `decision/conduct.py` (D5-01, D5-02); only
the debtor is contacted (D5-03); once it is paid nobody is.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts.model import Contract
from backend.domains.customers import service as customers
from backend.domains.decision import moments
from backend.domains.decision.model import Case, SourceFacts, Stage
from backend.domains.post_loan import collections
from backend.domains.post_loan.model import CollectionCase, CollectionMissing
from backend.domains.regulation import service as regulation
from backend.flows import challenge_collection, contact_lead, loan_standing
from backend.outbox import effects

BY_OFFICERS = ("call", "visit", "letter")
BY_NOTICE = ("sms", "app")
REMIND = "collection.remind"
"""Effect: the reminder of a case on a day (`remind_overdue.py`)."""


class Turn(msgspec.Struct, frozen=True):
    """Either the number to reach the debtor by now, or why not now, in words."""

    phone: str
    refused: str = ""


class Reminder(msgspec.Struct, frozen=True):
    """How a reminder goes out, days to the next contact, and the codes of what holds it back."""

    channel: str
    pace_days: int
    held: list[str] = []


async def plan(
    tx: Tx, application: Application, contract: Contract, standing: Sequence[loan_standing.Standing]
) -> None:
    """Tonight's plan for a line; its case ends when nothing is overdue."""
    current, today = await collections.of_application(tx, application.id), clock.today()
    days = max((each.days_past_due for each in standing), default=0)
    if not days:
        if current is not None:
            await collections.close(tx, current, today)
        return
    balance = sum(each.overdue_fen for each in standing)
    case = await _case(tx, application, current, days, balance)
    side = await challenge_collection.side_of(tx, application.product_code, contract.customer_id, current)
    said = moments.say(Stage.COLLECTION, case, side.using)
    number = await moments.record(tx, case, said, subject="plan", application_id=application.id)
    contact = said.contact
    planned = await collections.planned(
        tx,
        collections.Plan(
            application_id=application.id,
            customer_id=contract.customer_id,
            owner_id=application.officer_id,
            days_past_due=days,
            balance_fen=balance,
            action=contact.action if contact else moments.NONE,
            channel=contact.channel if contact else "none",
            said="；".join(_planned(said)) or "资料不全，先不联系",
            assessment_id=number,
            next_on=today,
            challenge_id=side.challenge_id,
            arm=side.arm,
        ),
        today,
    )
    await _queue_reminder(tx, planned, today)


async def _queue_reminder(tx: Tx, planned: CollectionCase, today: date) -> None:
    """The plan names a reminder: it goes out this day, once people may be contacted. A day has one of them."""
    if planned.channel not in BY_NOTICE or planned.action == moments.NONE or planned.next_on > today:
        return
    rules = await regulation.in_force(tx, today)
    begins = datetime.combine(today, time(rules.count("contact.quiet_to_hour")), clock.LOCAL)
    payload: dict[str, object] = {"collection_case": planned.id, "on": today.isoformat()}
    await effects.add(
        tx,
        kind=REMIND,
        case_id=planned.application_id,
        key=f"remind:{planned.id}:{today.isoformat()}",
        payload=payload,
        delay=max(timedelta(), begins - tx.now),
    )


async def reminder(tx: Tx, found: CollectionCase) -> Reminder:
    """What the strategy says of a reminder now; nothing is kept."""
    application = await applications.get(tx, found.application_id)
    said = await _say(tx, found, await _case(tx, application, found, found.days_past_due, found.balance_fen))
    return _reminder(said)


async def let_remind(tx: Tx, found: CollectionCase, notice_key: str) -> Reminder:
    """A reminder is about to go out: the strategy and the guard are asked with the facts of this moment. Kept once a
    notice where it is let go, every time where it is held."""
    await collections.lock_debtor(tx, found.customer_id)
    application = await applications.get(tx, found.application_id)
    case = await _case(tx, application, found, found.days_past_due, found.balance_fen)
    said, again = await _say(tx, found, case), await collections.let_go(tx, notice_key)
    turn = _reminder(said)
    if not turn.held and not again:
        turn = msgspec.structs.replace(turn, held=await _too_often(tx, found))
    if turn.held or not again:
        number = await moments.record(tx, case, said, subject=found.id, application_id=found.application_id)
        await collections.contacted(tx, found, turn.channel, turn.held, number, notice_key=notice_key)
    return turn


def _reminder(said: moments.Assessment) -> Reminder:
    held = _held(said, BY_NOTICE, "not_by_notice")
    contact = said.contact
    if contact is None or contact.channel not in BY_NOTICE:
        return Reminder("sms", 0, held)
    return Reminder(contact.channel, contact.pace_days, held)


async def _too_often(tx: Tx, found: CollectionCase) -> list[str]:
    today = clock.today()
    if found.next_on > today:
        return ["not_yet"]
    rules, midnight = await regulation.in_force(tx, today), datetime.combine(today, time(), clock.LOCAL)
    already = await collections.messages_since(tx, found.customer_id, midnight)
    return ["messages_used_up"] if already >= rules.count("contact.messages_per_day") else []


async def settle(tx: Tx, contract: Contract) -> None:
    """A repayment was booked: the case ends with the arrears."""
    current = await collections.of_application(tx, contract.application_id)
    if current is None:
        return
    standing = await loan_standing.of_line(tx, contract)
    if not any(each.days_past_due for each in standing):
        await collections.close(tx, current, clock.today())


async def contact(db: Database, actor: Actor, case_id: str) -> Turn:
    """The officer turns to the debtor now: the strategy and the guard are asked with the facts of this moment, and
    both answers are kept. Raises `CollectionMissing`, also for a colleague's case and one that ended."""
    async with db.begin(actor) as tx:
        found = await mine(tx, actor, case_id)
        await collections.lock_debtor(tx, found.customer_id)
        application = await applications.get(tx, found.application_id)
        case = await _case(tx, application, found, found.days_past_due, found.balance_fen)
        said = await _say(tx, found, case)
        number = await moments.record(tx, case, said, subject=found.id, application_id=found.application_id)
        held = _held(said, BY_OFFICERS, "not_by_officer")
        channel = said.contact.channel if said.contact and said.contact.channel in BY_OFFICERS else "call"
        await collections.contacted(tx, found, channel, held, number)
        if held:
            return Turn("", "；".join(dict.fromkeys(reason.text for reason in said.reasons)))
        pace = said.contact.pace_days if said.contact else 0
        await collections.pace(tx, found, clock.today() + timedelta(days=pace))
        person = await customers.reveal(tx, found.customer_id, f"催收 {found.id[:8]}")
        return Turn(person.phone or "还没有验证手机号")


async def record(db: Database, actor: Actor, case_id: str, outcome: collections.Outcome) -> None:
    """What came of it, kept for good (D5-05). Raises `CollectionMissing`, `AnswerInvalid`."""
    async with db.begin(actor) as tx:
        found = await mine(tx, actor, case_id)
        application = await applications.get(tx, found.application_id, lock=True)
        await collections.record(tx, found, outcome)
        await applications.note(tx, application, "collection_recorded", found.id)


async def mine(tx: Tx, actor: Actor, case_id: str) -> CollectionCase:
    """The officer's own open case. Raises `CollectionMissing` for a colleague's as for an unknown one."""
    found = await collections.get(tx, case_id)
    if found.owner_id != actor.id or found.status != "open":
        raise CollectionMissing()
    return found


async def _case(
    tx: Tx, application: Application, current: CollectionCase | None, days: int, balance_fen: int
) -> Case:
    assert application.customer_id is not None
    now, today = tx.now, clock.today()
    rules, midnight = await regulation.in_force(tx, today), datetime.combine(today, time(), clock.LOCAL)
    promised: date | None = current.promise_on if current else None
    facts: dict[str, object] = {
        "collection_days_past_due": days,
        "collection_segment": current.segment if current else "forgetful",
        "collection_balance": balance_fen,
        "collection_promise_open": promised is not None and promised >= today,
        "collection_disputed": current.disputed if current else False,
        "collection_do_not_contact": current.do_not_contact if current else False,
        "collection_calls_today": await collections.calls_since(tx, application.customer_id, midnight),
        "collection_hour": clock.local(now).hour,
    }
    return Case(
        product=application.product_code,
        as_of=now,
        sources={
            "collections": SourceFacts(observed_at=now, facts=facts),
            "contact_rules": SourceFacts(observed_at=midnight, facts=contact_lead.contact_rules(rules)),
        },
    )


async def _say(tx: Tx, found: CollectionCase, case: Case) -> moments.Assessment:
    side = await challenge_collection.side_of(tx, case.product, found.customer_id, found)
    return moments.say(Stage.COLLECTION, case, side.using)


def _planned(said: moments.Assessment) -> list[str]:
    """The plan's own words; what forbids it at this hour is asked again at the contact."""
    return [reason.text for reason in said.reasons if not reason.code.startswith("CONDUCT_")]


def _held(said: moments.Assessment, ways: Sequence[str], otherwise: str) -> list[str]:
    """Codes of why there is no contact now by one of `ways`: the guard's, that the facts are not there, or `otherwise`
    where the plan wants another way or none."""
    if said.contact is None:
        return ["not_known"]
    if said.contact.held:
        return said.contact.held
    wanted = said.contact.action != moments.NONE and said.contact.channel in ways
    return [] if wanted else [otherwise]
