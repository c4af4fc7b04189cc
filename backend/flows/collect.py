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
from backend.flows import contact_lead, loan_standing

BY_OFFICERS = ("call", "visit", "letter")


class Turn(msgspec.Struct, frozen=True):
    """Either the number to reach the debtor by now, or why not now, in words."""

    phone: str
    refused: str = ""


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
    said = await _say(tx, case)
    number = await moments.record(tx, case, said, subject="plan", application_id=application.id)
    contact = said.contact
    await collections.planned(
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
        ),
        today,
    )


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
        said = await _say(tx, case)
        number = await moments.record(tx, case, said, subject=found.id, application_id=found.application_id)
        held = _held(said)
        channel = said.contact.channel if said.contact and said.contact.channel in BY_OFFICERS else "call"
        pace = said.contact.pace_days if said.contact else 0
        next_on = clock.today() + timedelta(days=pace)
        await collections.contacted(tx, found, channel, held, number, next_on)
        if held:
            return Turn("", "；".join(dict.fromkeys(reason.text for reason in said.reasons)))
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


async def _say(tx: Tx, case: Case) -> moments.Assessment:
    using = await moments.live(tx, case.product, Stage.COLLECTION)
    return moments.say(Stage.COLLECTION, case, using)


def _planned(said: moments.Assessment) -> list[str]:
    """The plan's own words; what forbids it at this hour is asked again at the contact."""
    return [reason.text for reason in said.reasons if not reason.code.startswith("CONDUCT_")]


def _held(said: moments.Assessment) -> list[str]:
    """Codes of why there is no contact now: the guard's, the plan's own, or that the facts are not there."""
    if said.contact is None:
        return ["not_known"]
    if said.contact.held:
        return said.contact.held
    return [] if said.contact.channel in BY_OFFICERS else ["not_by_officer"]
