"""A county's overlay outside a decision is really asked on the road, at each of the five moments, and its effect on the
county's own past answers is known before a second person approves it (N4, A3-25, A3-34)."""

from datetime import timedelta

import asyncpg

from backend.core import clock
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.post_loan.model import CollectionCase
from backend.domains.strategies.model import CountyContent, Effect
from backend.flows import measure_strategy
from tests.domains.strategies.conftest import COUNTY_ADMIN, COUNTY_ANALYST

from . import test_collect, test_contact_lead, test_drawdown, test_watch_loans
from .conftest import JIA, Road, id_number
from .test_collect import overdue
from .test_contact_lead import stopped
from .test_drawdown import signed
from .test_strategies import approved, proposed
from .test_watch_loans import drawn

__all__ = ["drawn", "overdue", "signed", "stopped"]

REFUSE = {"r1": "'CT_OWN'", "r2": "'decline'", "r3": "'本行现在不办'", "r4": "'过些天再来'"}


async def live(road: Road, stage: Stage, place: str, **cells: str) -> Effect:
    """A county's row, tried on its past answers, approved by a second person and live."""
    content = CountyContent(rows={place: [cells]})
    version = await proposed(road.db, COUNTY_ADMIN, stage, content)
    effect = await measure_strategy.measure_strategy(road.context, "4101", version.id)
    assert (await approved(road.db, COUNTY_ANALYST, version)).status == "live"
    return effect


async def kept(road: Road, application: Application, stage: Stage) -> moments.Kept:
    async with road.db.read(JIA) as tx:
        found = await moments.last_of(tx, application.id, stage)
        assert found is not None
        assert await moments.replay(tx, found.id) == (True, True)
    return found


async def test_a_gentler_plan_is_counted_on_past_plans_and_followed_from_the_next_night(
    road: Road, overdue: CollectionCase
) -> None:
    plan = {"c5": "> 30", "r1": "'remind'", "r2": "'letter'", "r3": "10", "r4": "'先寄一封提醒信'"}
    effect = await live(road, Stage.COLLECTION, "plan", **plan)
    figures = effect.figures
    assert (effect.cases_total, figures.said_before, figures.said_after) == (
        1, {"negotiate": 1}, {"remind": 1},
    )  # fmt: skip
    assert (figures.swaps, figures.looser) == ({"negotiate>remind": 1}, 0)
    async with road.db.read(JIA) as tx:
        application = await applications.get(tx, overdue.application_id)
    again = await test_collect.night(road, application, test_collect.OVERDUE.days + 1)
    assert (again.action, again.channel, again.said) == ("remind", "letter", "先寄一封提醒信")
    found = await test_collect.turn(road, again, days=test_collect.OVERDUE.days + 1)
    assert found.phone, "a letter by the officer"
    await kept(road, application, Stage.COLLECTION)


async def test_a_drawdown_the_county_wants_looked_at_waits_for_a_person(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    look = {**REFUSE, "r2": "'refer'", "r3": "'单笔超过 2,000 元要核实一下'"}
    await live(road, Stage.DRAWDOWN_CHECK, "drawdown", c1="> 200000", **look)
    status, said = await test_drawdown.tap(road, signed)
    assert status != 200, said
    assert await test_drawdown.checks(owner) == ["held"]
    found = await kept(road, signed, Stage.DRAWDOWN_CHECK)
    assert [reason.code for reason in found.opened.assessment.reasons] == ["CT_OWN"]


async def test_the_countys_own_pre_screen_turns_away_before_anybody_is_asked(road: Road) -> None:
    await live(road, Stage.PRE_SCREEN, "limits", c1="> 30", **REFUSE)
    me = id_number(261)
    await road.person(me, preset="good", phone="match")
    turned = await road.submit(await road.draft(me))
    assert turned.status == "declined"
    assert await road.ledger("credit_bureau") == []
    async with road.db.read(JIA) as tx:
        assert [each.text for each in await moments.turned_away(tx, turned.id)] == ["本行现在不办"]


async def test_the_countys_own_marketing_gate_lets_fewer_be_called(road: Road, stopped: Application) -> None:
    assert (await test_contact_lead.call(road, stopped)).phone
    effect = await live(road, Stage.MARKETING_GATE, "pace", c1=">= 1", **REFUSE)
    assert (effect.figures.said_before, effect.figures.said_after) == ({"allowed": 1}, {"allowed": 1})
    found = await test_contact_lead.call(road, stopped)
    assert (found.phone, found.refused) == ("", "本行现在不办")


async def test_the_countys_own_signal_raises_a_warning_where_head_office_sees_none(
    road: Road, drawn: Application
) -> None:
    await live(
        road, Stage.EARLY_WARNING, "money", c3="< 3", r1="'CT_EARLY'", r2="'call'", r3="'本行早一步核实'"
    )
    await test_watch_loans.night(road, 3)
    [raised] = await test_watch_loans.standing(road, drawn)
    assert (raised.action, raised.said) == ("call", "本行早一步核实")
    await kept(road, drawn, Stage.EARLY_WARNING)


async def test_a_draft_of_early_warning_is_tried_on_the_lines_nobody_warned_of_too(
    road: Road, drawn: Application, owner: asyncpg.Connection
) -> None:
    """Issue 3 section 2: the effect on the county's own past, before anybody approves. Quiet lines are most of it."""
    for day in (1, 2):
        await test_watch_loans.night(road, day)
    assert await test_watch_loans.standing(road, drawn) == []
    effect = await live(
        road, Stage.EARLY_WARNING, "money", c3="< 3", r1="'CT_EARLY'", r2="'call'", r3="'本行早一步核实'"
    )
    assert (effect.figures.said_before, effect.figures.said_after) == ({"none": 1}, {"call": 1})
    assert await owner.fetchval("select count(*) from decision.last_cases") == 1, "one row a line"
    async with road.db.read(JIA) as tx:
        [(_, case)] = await moments.past(tx, Stage.EARLY_WARNING, "*")
    assert case.sources["post_loan"].facts["loan_days_past_due"] == 0
    with clock.at(clock.now() + timedelta(days=30)):
        async with road.db.read(JIA) as tx:
            assert await moments.count_past(tx, Stage.EARLY_WARNING, "*") == 0, (
                "paid off, or not seen for long"
            )
            assert await moments.past(tx, Stage.EARLY_WARNING, "*") == []
