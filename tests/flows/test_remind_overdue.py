"""Reminders the collection strategy plans are really sent, once, inside the guard (A6-07, D5-01…D5-03, N17)."""

from datetime import datetime, time, timedelta
from typing import Any

import asyncpg
import pytest

from backend.core import clock
from backend.db.database import Tx
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.channels import grants, notices
from backend.domains.customers import service as customers
from backend.domains.loans import service as loans
from backend.domains.post_loan import collections
from backend.domains.post_loan.model import CollectionCase, Contact
from backend.flows import collect, remind_overdue, watch_loans

from .conftest import JIA, Road, id_number

ME = id_number(231)
FIRST = 33  # days from the drawdown: a few days after the first instalment
NIGHT, MORNING = 1, 9


def at(days: float, hour: float) -> datetime:
    return datetime.combine(clock.today() + timedelta(days=days), time(), clock.LOCAL) + timedelta(hours=hour)


@pytest.fixture
async def line(road: Road, owner: asyncpg.Connection) -> Application:
    """A line with a loan drawn just now."""
    application = await road.hand_off(await road.apply(ME))
    await owner.execute(
        "update applications.applications set officer_id = $1 where id = $2",
        staff_id("4101", 1),
        application.id,
    )
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, ME, **more)
    await road.settle()
    return application


async def plan(road: Road, application: Application, days: int) -> CollectionCase:
    """A night's plan, so many days from now."""
    with clock.at(at(days, NIGHT)):
        await watch_loans.watch_loans(road.context)
    return await case_of(road, application)


async def case_of(road: Road, application: Application) -> CollectionCase:
    async with road.db.read(JIA) as tx:
        found = await collections.of_application(tx, application.id)
    assert found is not None
    return found


async def overdue(road: Road, application: Application) -> tuple[CollectionCase, int]:
    """The first night that finds it late, and the days until then."""
    for days in range(28, 36):
        with clock.at(at(days, NIGHT)):
            await watch_loans.watch_loans(road.context)
        async with road.db.read(JIA) as tx:
            found = await collections.of_application(tx, application.id)
        if found is not None:
            return found, days
    raise AssertionError("never late")


async def drain(road: Road, days: float, hour: float) -> None:
    with clock.at(at(days, hour)):
        await road.drain()


async def told(road: Road) -> list[str]:
    """Every reminder that reached the outside world."""
    sms = ["sms" for m in road.outside.store.all("sms") if m["template"] == remind_overdue.SMS_TEMPLATE]
    shown = [row["effect"] for row in await road.ledger("mobile_bank") if row["effect"] == "message_shown"]
    wechat = [row["effect"] for row in await road.ledger("wechat") if row["effect"] == "subscription_message"]
    return [*sms, *shown, *wechat]


async def contacts(road: Road, case: CollectionCase) -> list[Contact]:
    async with road.db.read(JIA) as tx:
        return (await collections.contacts(tx, case.id))[::-1]


async def notice_of(road: Road, application: Application) -> notices.Notice:
    async with road.db.read(JIA) as tx:
        found = [n for n in await notices.of_case(tx, application.id) if n.about == remind_overdue.ABOUT]
    return found[-1]


async def test_the_first_days_are_told_in_the_mobile_bank_by_day_and_once(
    road: Road, line: Application
) -> None:
    case, days = await overdue(road, line)
    assert (case.channel, case.days_past_due) == ("app", 1)
    await drain(road, days, 7.9)
    assert await told(road) == [], "not before eight (D5-01)"
    await drain(road, days, MORNING)
    await drain(road, days, MORNING + 1)
    assert await told(road) == ["message_shown"]
    [message] = road.outside.store.all("bank_message")
    assert line.application_no in message["text"]
    assert "元" not in message["text"], "what is owed is read in the bank's own app"
    [contact] = await contacts(road, case)
    assert (contact.channel, contact.held, contact.by_whom) == ("app", (), "system:collection")
    assert (await notice_of(road, line)).means == "bank"
    assert (await case_of(road, line)).next_on == at(days + 1, NIGHT).date(), "the pace of the plan"


async def test_later_it_is_an_sms_every_few_days_as_the_plan_says(road: Road, line: Application) -> None:
    _, days = await overdue(road, line)
    sent = []
    for after in range(4, 11):
        await plan(road, line, days + after)
        await drain(road, days + after, MORNING)
        sent.append(len(await told(road)))
    assert (await case_of(road, line)).channel == "sms"
    assert sent == [1, 1, 1, 2, 2, 2, 3]
    assert set(await told(road)) == {"sms"}


async def test_a_repayment_in_between_overtakes_the_reminder(road: Road, line: Application) -> None:
    _, days = await overdue(road, line)
    with clock.at(at(days, 6)):
        async with road.db.read(JIA) as tx:
            [loan] = await loans.of_application(tx, line.id)
        await road.bank(line, "repay", ME, loan_no=loan.loan_no)
        await road.settle()
    await drain(road, days, MORNING)
    assert await told(road) == []
    notice = await notice_of(road, line)
    assert (notice.sent_at, notice.ended_at is not None) == (None, True)


@pytest.mark.parametrize("hour", [22.1, 23.5])
async def test_a_worker_that_comes_at_night_sends_nothing_and_the_next_day_has_its_own(
    road: Road, line: Application, hour: float
) -> None:
    """Planned for nine, delivered at ten in the evening: the guard is asked when it is sent."""
    case, days = await overdue(road, line)
    await drain(road, days, hour)
    assert await told(road) == []
    assert [each.held for each in await contacts(road, case)] == [("quiet_hours",)]
    await plan(road, line, days + 1)
    await drain(road, days + 1, MORNING)
    assert await told(road) == ["message_shown"]


async def test_an_outage_until_the_evening_loses_the_day_and_not_the_guard(
    road: Road, line: Application, owner: asyncpg.Connection
) -> None:
    case, days = await overdue(road, line)
    await road.fault("mobile_bank", "messages", "status", times=3, status=503)
    await drain(road, days, MORNING)
    assert await told(road) == []
    await drain(road, days, 22.5)
    assert await told(road) == [], "retried after ten: held"
    assert [each.held for each in await contacts(road, case)] == [(), ("quiet_hours",)]
    assert await owner.fetchval("select count(*) from outbox.effects where status = 'dead'") == 0
    assert (await case_of(road, line)).next_on <= at(days, NIGHT).date(), "nobody was reminded: no pause"


async def test_a_bank_that_stays_away_gives_the_next_means_its_turn_the_same_day(
    road: Road, line: Application
) -> None:
    case, days = await overdue(road, line)
    await road.fault("mobile_bank", "messages", "status", times=20, status=429)
    for minute in range(10):
        await drain(road, days, MORNING + minute / 6)
    assert await told(road) == ["sms"]
    assert len(await contacts(road, case)) == 1, "one contact, however many attempts"


async def test_a_lost_answer_is_asked_again_under_the_same_key(road: Road, line: Application) -> None:
    case, days = await overdue(road, line)
    await road.fault("mobile_bank", "messages", "drop_after")
    await drain(road, days, MORNING)
    await drain(road, days, MORNING + 1)
    assert await told(road) == ["message_shown"]
    assert len(await contacts(road, case)) == 1


@pytest.mark.parametrize("granted,means", [(True, "subscription"), (False, "sms")])
async def test_who_the_bank_does_not_know_is_told_by_a_grant_else_by_sms(
    road: Road, line: Application, granted: bool, means: str
) -> None:
    _, days = await overdue(road, line)
    openid, template = "oZhangSan0001", road.context.settings.wechat_progress_template
    assert line.customer_id
    async with road.db.begin(JIA) as tx:
        await customers.bind_openid(tx, openid, line.customer_id)
    if granted:
        await road.sandbox.post(f"/phone/{openid}/send", json={"kind": "subscribe"}, timeout=30)
        await road.sandbox.post(f"/phone/{openid}/subscribe-grants", json={"template_id": template})
        async with road.db.begin(JIA) as tx:
            await grants.granted(tx, openid, template)
    road.outside.store.run("delete from things where kind = 'offer'")
    await drain(road, days, MORNING)
    notice = await notice_of(road, line)
    assert (notice.means, notice.sent_at is not None) == (means, True)
    assert {"means": "bank", "outcome": "customer_unknown"}.items() <= notice.steps[0].items()


async def test_a_promise_of_the_same_morning_holds_the_reminder(road: Road, line: Application) -> None:
    case, days = await overdue(road, line)
    await write(road, case, promise_on=at(days + 3, 1).date())
    await drain(road, days, MORNING)
    assert await told(road) == []
    assert [each.held for each in await contacts(road, case)] == [("not_by_notice",)]


@pytest.mark.parametrize("state", ["do_not_contact", "disputed"])
async def test_who_asked_to_be_left_alone_or_disputes_is_not_reminded(
    road: Road, line: Application, state: str
) -> None:
    case, days = await overdue(road, line)
    await write(road, case, **{state: True})
    await drain(road, days, MORNING)
    assert await told(road) == []


async def test_a_debtor_with_two_lines_is_reminded_once_a_day(
    road: Road, line: Application, owner: asyncpg.Connection
) -> None:
    case, days = await overdue(road, line)
    with clock.at(at(days, 8.5)):
        async with road.db.begin(JIA) as tx:
            assessment = await one_contact(tx, case)
    assert assessment
    await owner.execute("update post_loan.collection_cases set next_on = opened_on")
    await drain(road, days, MORNING)
    assert await told(road) == []
    assert (await contacts(road, case))[-1].held == ("messages_used_up",)


async def one_contact(tx: Tx, case: CollectionCase) -> str:
    """A reminder of another line of the same debtor, this morning."""
    turn = await collect.let_remind(tx, case, "another line's")
    assert turn.held == []
    return turn.channel


async def write(road: Road, case: CollectionCase, **changed: Any) -> None:
    said: dict[str, Any] = {"note": "说月底发工资就还", "segment": "willing", "promise_on": None}
    said |= {"disputed": False, "do_not_contact": False} | changed
    async with road.db.begin(JIA) as tx:
        await collections.record(tx, case, collections.Outcome(**said))


def test_every_channel_of_a_plan_that_is_a_notice_has_its_means() -> None:
    assert set(remind_overdue.ORDER) == set(collect.BY_NOTICE)
