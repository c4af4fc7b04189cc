"""A version with an end gives its place back to what stood there, where that still may decide (A3-33, N4)."""

from datetime import timedelta

import asyncpg
import pytest

from backend.core.actor import system
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome, Stage
from backend.domains.strategies import course, ending, repository, scenario_book, service
from backend.domains.strategies.model import (
    CountyContent,
    Expected,
    NothingToRollBack,
    StrategyMoved,
    Version,
)
from h5.console import audit_words
from tests.domains.decision.conftest import read, with_facts
from tests.domains.savepoint import savepoint
from tests.domains.strategies.conftest import COUNTY_ADMIN, COUNTY_ANALYST, OFFICER, Stagehand, due
from tests.domains.strategies.test_narrowed import narrowed

GOOD = read("approved_payroll")
QUERIED = with_facts(GOOD, bureau_queries_6m=5, bureau_queries_1m=1)
ALWAYS = CountyContent(parameters={"queries_6m": 4})
"""Declines who was asked for five times; the floor does not."""
HARVEST = CountyContent(parameters={"queries_6m": 7})
JOB = system("4101", "strategies")


async def live(hand: Stagehand) -> Version | None:
    return await service.live_version(await hand.as_(OFFICER), "4101", "*", Stage.ELIGIBILITY)


async def outcome(hand: Stagehand) -> Outcome:
    tx = await hand.as_(OFFICER)
    return decisions.decide(QUERIED, await decisions.bundle_for(tx, "SXD")).decision.outcome


async def ended(hand: Stagehand, version: Version) -> list[str]:
    """The acts in the audit."""
    assert version.effective_until is not None
    job = await hand.as_(JOB)
    job.now = version.effective_until
    assert ("4101", version.id, "live") in await due(job)
    assert (await service.end(job, version.id)).status == "retired"
    return [entry["action"] for entry in job.audit]


async def test_what_stood_there_before_decides_again(hand: Stagehand, tx):
    """The floor alone did, and the county was looser than before its harvest (README, until now)."""
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    for_now = await hand.overlay(Stage.ELIGIBILITY, HARVEST, effective_until=tx.now + timedelta(days=5))
    assert await outcome(hand) is Outcome.APPROVED
    assert (await ending.afterwards(await hand.as_(COUNTY_ADMIN), for_now)).startswith(
        f"换回它接替的第 {stood.number} 版；"
    )
    told = await ended(hand, for_now)
    assert told == ["strategy.retired", "strategy.live", "strategy.returned"]
    assert {"strategy.returned", "strategy.not_returned"} <= set(audit_words.WORDS)
    now_live = await live(hand)
    assert now_live is not None
    assert (now_live.id, now_live.effective_until) == (stood.id, None)
    assert await outcome(hand) is Outcome.DECLINED
    county = await hand.as_(COUNTY_ADMIN)
    assert (await service.moves(county, for_now.id))[-1].why == f"到了结束时间；第 {stood.number} 版回来"
    back = (await service.moves(county, stood.id))[-1]
    assert (back.from_status, back.to_status, back.who) == ("retired", "live", "system:strategies")
    county.now = for_now.effective_until
    assert [each.version.id for each in await course.brought_back(county)] == [stood.id]
    assert await course.not_returned(county) == []
    job = await hand.as_(JOB)
    job.now = for_now.effective_until
    assert await due(job) == []
    with pytest.raises(StrategyMoved):
        await service.end(job, stood.id)


async def test_nobody_alone_keeps_it_away_with_a_scenario(hand: Stagehand, tx):
    """One writer adds a scenario alone; away, the county would be looser than two people ever said."""
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    for_now = await hand.overlay(Stage.ELIGIBILITY, HARVEST, effective_until=tx.now + timedelta(days=5))
    county = await hand.as_(COUNTY_ADMIN)
    await scenario_book.add(county, "*", "查询五次的也办", QUERIED, Expected(outcome="approved"))
    assert await ended(hand, for_now) == ["strategy.retired", "strategy.live", "strategy.returned"]
    assert await outcome(hand) is Outcome.DECLINED
    county = await hand.as_(COUNTY_ADMIN)
    county.now = for_now.effective_until
    [back] = await course.brought_back(county)
    assert back.version.id == stood.id
    assert back.why.endswith("它接替的这一版回来；它和场景“查询五次的也办”不符，请看一看")


async def test_what_no_longer_passes_stays_away_and_the_county_is_told(hand: Stagehand, tx):
    """Head office allows no county to be so strict any more."""
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    for_now = await hand.overlay(Stage.ELIGIBILITY, HARVEST, effective_until=tx.now + timedelta(days=5))
    await narrowed(hand, 6)
    county = await hand.as_(COUNTY_ADMIN)
    await scenario_book.add(county, "*", "查询五次的也办", QUERIED, Expected(outcome="approved"))
    assert await ended(hand, for_now) == ["strategy.retired", "strategy.not_returned"]
    assert await live(hand) is None
    assert await outcome(hand) is Outcome.APPROVED, "head office's floor alone"
    county = await hand.as_(COUNTY_ADMIN)
    why = (await service.moves(county, for_now.id))[-1].why
    assert why.startswith(f"到了结束时间；第 {stood.number} 版没有回来：检查没有通过")
    assert "只能在 6 到 8 之间，现在是 4" in why
    county.now = for_now.effective_until + timedelta(hours=1)
    assert [each.version.id for each in await course.not_returned(county)] == [for_now.id]
    county.now += timedelta(days=5)
    assert await course.not_returned(county) == []


async def test_one_that_never_decided_unseats_nobody(hand: Stagehand, tx):
    """Its turn came after its end: what stood there had outgrown head office's band and decided all the same."""
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    await narrowed(hand, 6)
    late = await hand.overlay(
        Stage.ELIGIBILITY,
        HARVEST,
        effective_from=tx.now + timedelta(days=1),
        effective_until=tx.now + timedelta(days=1, seconds=1),
    )
    job = await hand.as_(JOB)
    job.now = late.effective_until
    assert (await service.go_live(job, late.id)).status == "retired"
    now_live = await live(hand)
    assert now_live is not None
    assert now_live.id == stood.id
    assert await outcome(hand) is Outcome.DECLINED


async def test_what_a_person_put_away_stays_away(hand: Stagehand, tx):
    """Nothing stood there when it came, so nothing comes back."""
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    await service.retire(await hand.as_(COUNTY_ANALYST), stood.id, reason="不要了")
    tx.now += timedelta(minutes=1)
    for_now = await hand.overlay(Stage.ELIGIBILITY, HARVEST, effective_until=tx.now + timedelta(days=5))
    assert await ending.afterwards(await hand.as_(COUNTY_ADMIN), for_now) == (
        "本行在这一环节不再加严，只按省联社的规则办"
    )
    await ended(hand, for_now)
    assert await live(hand) is None
    assert await course.not_returned(await hand.as_(COUNTY_ADMIN)) == []


async def test_one_that_is_over_by_then_is_passed_by_and_keeps_its_own_end(hand: Stagehand, tx):
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    middle = await hand.overlay(Stage.ELIGIBILITY, HARVEST, effective_until=tx.now + timedelta(days=9))
    last = await hand.overlay(Stage.ELIGIBILITY, ALWAYS, effective_until=tx.now + timedelta(days=5))
    await ended(hand, last)
    now_live = await live(hand)
    assert now_live is not None
    assert (now_live.id, now_live.effective_until) == (middle.id, middle.effective_until)
    later = await hand.overlay(
        Stage.ELIGIBILITY,
        CountyContent(parameters={"queries_6m": 6}),
        effective_until=tx.now + timedelta(days=12),
    )
    assert "它自己只用到" not in await ending.afterwards(await hand.as_(COUNTY_ADMIN), later), (
        "it is over by then"
    )
    await ended(hand, later)
    now_live = await live(hand)
    assert now_live is not None
    assert now_live.id == stood.id


async def test_sql_lets_the_machine_bring_back_nothing_else(hand: Stagehand, tx):
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    other = await hand.overlay(Stage.ELIGIBILITY, HARVEST)
    job = await hand.as_(JOB)
    assert await repository.move(job, other, "retired", "自己来")
    gone = await service.get(job, stood.id)
    with pytest.raises(asyncpg.CheckViolationError, match="only the end of another"):
        async with savepoint(job):
            await repository.move(job, gone, "live", "自己来")


async def test_what_was_approved_until_its_end_is_brought_back_by_nobody_after_it(hand: Stagehand, tx):
    """One person alone, its checker, would loosen for ever what two had loosened for a harvest."""
    stood = await hand.overlay(Stage.ELIGIBILITY, ALWAYS)
    for_now = await hand.overlay(Stage.ELIGIBILITY, HARVEST, effective_until=tx.now + timedelta(days=5))
    await ended(hand, for_now)
    second = await hand.as_(COUNTY_ANALYST)
    second.now = for_now.effective_until + timedelta(days=1)
    for named in (None, for_now.id):
        with pytest.raises(NothingToRollBack):
            await service.roll_back(second, "*", Stage.ELIGIBILITY, reason="再宽几天", to_version=named)
    gone = await service.get(second, for_now.id)
    now_live = await live(hand)
    assert now_live is not None
    assert now_live.id == stood.id
    second = await hand.as_(COUNTY_ANALYST)
    second.now = for_now.effective_until + timedelta(days=1)
    assert await repository.move(second, now_live, "retired", "让开")
    with pytest.raises(asyncpg.CheckViolationError, match="does not come back after it"):
        async with savepoint(second):
            await repository.move(second, gone, "live", "自己来")
