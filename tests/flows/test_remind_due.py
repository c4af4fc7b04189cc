"""Some days before an instalment is due its customer is told once, unless they refused or paid (N17)."""

from datetime import datetime, time, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import everywhere
from backend.domains.applications.model import Application
from backend.domains.channels import grants, notices
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.loans import service as loans
from backend.flows import loan_standing, remind_due
from backend.jobs import timetable

from .conftest import JIA, YI, Road, id_number

ME = id_number(241)
OPENID = "oZhangSan0001"


def at(days: float, hour: float = 9) -> datetime:
    return datetime.combine(clock.today() + timedelta(days=days), time(), clock.LOCAL) + timedelta(hours=hour)


@pytest.fixture
async def line(road: Road) -> Application:
    """A line with a loan drawn just now."""
    application = await road.hand_off(await road.apply(ME))
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, ME, **more)
    await road.settle()
    return application


async def first_due(road: Road, line: Application) -> int:
    """Days from now to the first due date."""
    async with road.db.read(JIA) as tx:
        contract = await contracts.get(tx, line.id)
        found = await loan_standing.due_dates(tx, contract, clock.today(), at(100).date())
    return (found[0] - clock.today()).days


async def look(road: Road, days: float, hour: float = 9) -> int:
    with clock.at(at(days, hour)):
        looked = await remind_due.remind_due(road.context)
        await road.drain()
    return looked


async def told(road: Road) -> list[str]:
    sms = ["sms" for m in road.outside.store.all("sms") if m["template"] == remind_due.SMS_TEMPLATE]
    wechat = [row["effect"] for row in await road.ledger("wechat") if row["effect"] == "subscription_message"]
    return [*sms, *wechat]


async def notice_of(road: Road, line: Application) -> notices.Notice:
    async with road.db.read(JIA) as tx:
        [found] = [n for n in await notices.of_case(tx, line.id) if n.about == remind_due.ABOUT]
    return found


async def test_three_days_before_it_is_due_and_only_once(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    assert await look(road, due - 4) == 1
    assert await told(road) == []
    for days in (due - 3, due - 2, due - 1):
        assert await look(road, days) == 1
        assert await look(road, days, 12) == 0, "once a day is enough"
    assert await told(road) == ["sms"]
    [message] = [m for m in road.outside.store.all("sms") if m["template"] == remind_due.SMS_TEMPLATE]
    day = at(due).date()
    assert f"{day.month}月{day.day}日" in message["text"]
    assert "元" not in message["text"]


async def test_the_next_instalment_has_its_own(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    await look(road, due - 2)
    async with road.db.read(JIA) as tx:
        [loan] = await loans.of_application(tx, line.id)
        contract = await contracts.get(tx, line.id)
        found = await loan_standing.due_dates(tx, contract, clock.today(), at(100).date())
    assert len(found) > 1
    assert loan.outstanding_fen
    await look(road, (found[1] - clock.today()).days - 2)
    assert await told(road) == ["sms", "sms"]


async def test_a_day_the_job_missed_is_caught_up_with(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    await look(road, due - 1)
    assert await told(road) == ["sms"]


async def test_not_on_the_day_itself_and_not_after(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    for days in (due, due + 1):
        await look(road, days)
    assert await told(road) == []


async def test_a_grant_of_the_customer_carries_it_before_an_sms_does(road: Road, line: Application) -> None:
    template = road.context.settings.wechat_progress_template
    assert line.customer_id
    async with road.db.begin(JIA) as tx:
        await customers.bind_openid(tx, OPENID, line.customer_id)
        await grants.granted(tx, OPENID, template)
    await road.sandbox.post(f"/phone/{OPENID}/send", json={"kind": "subscribe"}, timeout=30)
    await road.sandbox.post(f"/phone/{OPENID}/subscribe-grants", json={"template_id": template})
    await road.outside.idle()  # WeChat's own word of the grant
    async with road.db.read(everywhere("test")) as tx:
        before = (await grants.left(tx, OPENID))[template]
    await look(road, await first_due(road, line) - 3)
    assert await told(road) == ["subscription_message"]
    assert (await notice_of(road, line)).means == "subscription"
    async with road.db.read(everywhere("test")) as tx:
        assert (await grants.left(tx, OPENID)).get(template, 0) == before - 1


async def test_a_notice_wechat_could_not_show_is_told_by_sms(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    await look(road, due - 3)
    notice = await notice_of(road, line)
    with clock.at(at(due - 3, 10)):
        async with road.db.begin(JIA) as tx:
            await remind_due.again(tx, notice)
        await road.drain()
    assert await told(road) == ["sms"], "it is the same notice, and it was told"


async def test_who_refused_is_not_told_and_may_change_their_mind(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    assert line.customer_id
    async with road.db.begin(JIA) as tx:
        await customers.choose_notice(tx, line.customer_id, remind_due.TOPIC, refused=True)
    await look(road, due - 3)
    assert await told(road) == []
    async with road.db.begin(JIA) as tx:
        await customers.choose_notice(tx, line.customer_id, remind_due.TOPIC, refused=False)
    await look(road, due - 2)
    assert await told(road) == ["sms"]


async def test_who_refuses_between_the_job_and_the_sending_is_not_told(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    with clock.at(at(due - 3, 2)):
        await remind_due.remind_due(road.context)
    assert line.customer_id
    async with road.db.begin(JIA) as tx:
        await customers.choose_notice(tx, line.customer_id, remind_due.TOPIC, refused=True)
    with clock.at(at(due - 3, 9)):
        await road.drain()
    assert await told(road) == []
    assert (await notice_of(road, line)).ended_at


async def test_who_has_paid_meanwhile_is_not_told(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    with clock.at(at(due - 3, 2)):
        await remind_due.remind_due(road.context)
        async with road.db.read(JIA) as tx:
            [loan] = await loans.of_application(tx, line.id)
        await road.bank(line, "repay", ME, loan_no=loan.loan_no)
        await road.outside.callbacks.idle(5)
    with clock.at(at(due - 3, 9)):
        await road.drain()
    assert await told(road) == []


async def test_nobody_is_woken_at_night_and_the_morning_has_it(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    await look(road, due - 3, 2)
    assert await told(road) == []
    with clock.at(at(due - 3, 22.5)):
        await road.drain()
    assert await told(road) == [], "the worker came late: it waits once more"
    with clock.at(at(due - 2, 8.1)):
        await road.drain()
    assert await told(road) == ["sms"]


async def test_what_waited_past_the_due_date_is_not_told(road: Road, line: Application) -> None:
    due = await first_due(road, line)
    with clock.at(at(due - 1, 2)):
        await remind_due.remind_due(road.context)
    with clock.at(at(due + 1)):
        await road.drain()
    assert await told(road) == []


async def test_a_line_that_cannot_be_looked_at_is_not_the_others_trouble(
    road: Road, line: Application, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = await first_due(road, line)
    real, calls = loan_standing.due_dates, []

    async def once(*args: object) -> object:
        calls.append(args)
        if len(calls) == 1:
            raise RuntimeError
        return await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loan_standing, "due_dates", once)
    with clock.at(at(due - 3)):
        assert await remind_due.remind_due(road.context) == 0
        assert await owner.fetchval("select count(*) from post_loan.due_looks") == 0
        assert await remind_due.remind_due(road.context) == 1
        await road.drain()
    assert await told(road) == ["sms"]


async def test_another_county_does_not_see_the_choice(road: Road, line: Application) -> None:
    assert line.customer_id
    async with road.db.begin(JIA) as tx:
        await customers.choose_notice(tx, line.customer_id, remind_due.TOPIC, refused=True)
    async with road.db.read(YI) as tx:
        assert not await customers.refuses(tx, line.customer_id, remind_due.TOPIC)


def test_the_job_stands_on_the_timetable() -> None:
    assert remind_due.remind_due in [task.run for task in timetable.TIMETABLE]
