"""Overdue lines become cases with a plan by the live strategy; every contact is asked of the guard at its moment
(A6-07, D5-01, D5-02, D5-03, D5-05)."""

from datetime import datetime, time, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.post_loan import collections
from backend.domains.post_loan.model import AnswerInvalid, CollectionCase, CollectionMissing
from backend.flows import collect, watch_loans

from .conftest import JIA, Road, id_number

ME = id_number(221)
OFFICER = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer"}), "李四")
OVERDUE = timedelta(days=31 + 36)


def at(days: float, hour: int) -> datetime:
    """An hour of the day so many days from now."""
    return datetime.combine(clock.today() + timedelta(days=days), time(hour), clock.LOCAL)


@pytest.fixture
async def overdue(road: Road, owner: asyncpg.Connection) -> CollectionCase:
    """The case of a loan whose first instalment is about five weeks late."""
    application = await road.hand_off(await road.apply(ME))
    await owner.execute(
        "update applications.applications set officer_id = $1 where id = $2", OFFICER.id, application.id
    )
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, ME, **more)
    await road.settle()
    return await night(road, await road.see(application), OVERDUE.days)


async def night(road: Road, application: Application, days: float) -> CollectionCase:
    with clock.at(at(days, 1)):
        await watch_loans.watch_loans(road.context)
    async with road.db.read(JIA) as tx:
        found = await collections.of_application(tx, application.id)
    assert found is not None
    return found


async def turn(road: Road, case: CollectionCase, hour: int = 10, days: float = OVERDUE.days) -> collect.Turn:
    with clock.at(at(days, hour)):
        return await collect.contact(road.db, OFFICER, case.id)


def outcome(**changed: object) -> collections.Outcome:
    said = {"note": "说月底发工资就还", "segment": "willing", "promise_on": None, "disputed": False}
    return collections.Outcome(**(said | {"do_not_contact": False} | changed))  # type: ignore[arg-type]


async def write(road: Road, case: CollectionCase, **changed: object) -> None:
    with clock.at(at(OVERDUE.days, 11)):
        await collect.record(road.db, OFFICER, case.id, outcome(**changed))


async def test_an_overdue_line_becomes_a_case_of_its_officer_with_the_strategys_plan(
    road: Road, overdue: CollectionCase
) -> None:
    assert (overdue.action, overdue.channel, overdue.owner_id) == ("negotiate", "call", OFFICER.id)
    assert overdue.said == "打电话谈还款安排", "planned at night, without the night's own ban"
    assert overdue.balance_fen > 0
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, overdue.application_id, Stage.COLLECTION)
        assert kept is not None
        assert await moments.replay(tx, kept.id) == (True, True)
        with clock.at(at(OVERDUE.days, 9)):
            mine = await collections.of_owner(tx, OFFICER.id, clock.today())
    assert [each.id for each in mine] == [overdue.id]


@pytest.mark.parametrize("hour,held", [(7, True), (8, False), (21, False), (22, True), (23, True)])
async def test_nobody_is_contacted_at_night_whatever_the_plan(
    road: Road, overdue: CollectionCase, hour: int, held: bool
) -> None:
    """D5-01."""
    found = await turn(road, overdue, hour)
    assert (found.phone == "", "这个钟点不得联系" in found.refused) == (held, held)


async def test_the_fourth_call_of_a_day_is_held_and_all_four_are_on_record(
    road: Road, overdue: CollectionCase, owner: asyncpg.Connection
) -> None:
    """D5-02."""
    found = [await turn(road, overdue, hour) for hour in (9, 10, 11, 12)]
    assert [bool(each.phone) for each in found] == [True, True, True, False]
    assert "通话次数已经用完" in found[3].refused
    rows = await owner.fetch("select held from post_loan.contacts order by at")
    assert [list(row["held"]) for row in rows] == [[], [], [], ["calls_used_up"]]
    assert (await turn(road, overdue, 9, OVERDUE.days + 1)).phone, "another day"


async def test_a_contact_sets_the_pace_of_the_next(road: Road, overdue: CollectionCase) -> None:
    await turn(road, overdue)
    async with road.db.read(JIA) as tx:
        found = await collections.get(tx, overdue.id)
    assert found.next_on == at(OVERDUE.days + 3, 1).date()


async def test_who_asked_not_to_be_contacted_is_not_and_it_cannot_be_taken_back(
    road: Road, overdue: CollectionCase, owner: asyncpg.Connection
) -> None:
    """D5-03."""
    await write(road, overdue, do_not_contact=True)
    assert "本人要求不再联系" in (await turn(road, overdue, 14)).refused
    await write(road, overdue, do_not_contact=False)
    async with road.db.read(JIA) as tx:
        assert (await collections.get(tx, overdue.id)).do_not_contact
    sealed = await owner.fetchval("select note from post_loan.contact_notes limit 1")
    assert "工资".encode() not in bytes(sealed)


async def test_a_promise_is_waited_for_and_a_dispute_is_looked_into_first(
    road: Road, overdue: CollectionCase
) -> None:
    await write(road, overdue, promise_on=at(OVERDUE.days + 5, 1).date())
    assert "承诺的日子还没到" in (await turn(road, overdue)).refused
    assert (await turn(road, overdue, 10, OVERDUE.days + 6)).phone
    await write(road, overdue, disputed=True)
    assert "先核实" in (await turn(road, overdue, 10, OVERDUE.days + 6)).refused


async def test_what_came_of_it_needs_words_and_a_day_to_come(road: Road, overdue: CollectionCase) -> None:
    for wrong in ({"note": "好"}, {"segment": "rich"}, {"promise_on": at(1, 1).date()}):
        with pytest.raises(AnswerInvalid):
            await write(road, overdue, **wrong)


async def test_a_colleague_finds_no_case_and_once_it_is_paid_there_is_none(
    road: Road, overdue: CollectionCase
) -> None:
    colleague = Actor("staff", staff_id("4101", 2), "4101", frozenset({"officer"}), "王五")
    with pytest.raises(CollectionMissing):
        await collect.contact(road.db, colleague, overdue.id)
    async with road.db.read(JIA) as tx:
        application = await applications.get(tx, overdue.application_id)
    with clock.at(at(OVERDUE.days, 12)):
        [loan] = await loans_of(road, application)
        await road.bank(application, "repay", ME, loan_no=loan)
        await road.settle()
    async with road.db.read(JIA) as tx:
        assert (await collections.get(tx, overdue.id)).status == "closed"
    with pytest.raises(CollectionMissing):
        await turn(road, overdue, 15)


async def loans_of(road: Road, application: Application) -> list[str]:
    from backend.domains.loans import service as loans

    async with road.db.read(JIA) as tx:
        return [each.loan_no for each in await loans.of_application(tx, application.id)]


async def test_a_strategy_that_no_longer_passes_contacts_nobody(
    road: Road, overdue: CollectionCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object) -> None:
        return None

    monkeypatch.setattr(moments, "live", none)
    found = await turn(road, overdue)
    assert found.phone == ""
    assert found.refused
