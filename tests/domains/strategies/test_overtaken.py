"""A draft that something newer overtook is approved by nobody before its changes are carried over (A3-34)."""

from datetime import timedelta

import asyncpg
import pytest

from backend.db.database import Tx
from backend.domains.decision.model import Stage
from backend.domains.strategies import carrying, repository, service
from backend.domains.strategies.model import CountyContent, Overtaken, Version
from tests.domains.savepoint import savepoint
from tests.domains.strategies.conftest import COUNTY_ADMIN, COUNTY_ANALYST, Stagehand


async def _overtaken(hand: Stagehand, tx: Tx) -> Version:
    """A draft that is before its second person while what it was begun from is taken back by a colleague."""
    for least in (6, 5):
        await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": least}))
        tx.now += timedelta(hours=1)
    county = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(county, "*", Stage.ELIGIBILITY, reason="再收一收")
    saved = await service.save(county, begun.id, CountyContent(parameters={"queries_6m": 4}), note="4 次")
    await service.check(county, saved.id)
    await service.submit(county, saved.id)
    await hand.measured(saved)
    tx.now += timedelta(hours=1)
    await service.roll_back(await hand.as_(COUNTY_ANALYST), "*", Stage.ELIGIBILITY, reason="太严")
    return saved


async def test_a_draft_that_something_newer_overtook_is_approved_by_nobody(hand: Stagehand, tx):
    saved = await _overtaken(hand, tx)
    second = await hand.as_(COUNTY_ANALYST)
    for when in (None, tx.now + timedelta(days=1)):
        with pytest.raises(Overtaken):
            await service.approve(second, saved.id, reason="同意", effective_from=when)
    run = await service.last_check(second, saved.id)
    assert run is not None
    with pytest.raises(asyncpg.CheckViolationError, match="something newer overtook this draft"):
        async with savepoint(second):
            await repository.add_approval(second, saved, "approved", "同意", run)
    carried = await carrying.carry(await hand.as_(COUNTY_ADMIN), saved.id)
    live = await hand.through(carried, COUNTY_ADMIN, COUNTY_ANALYST)
    assert (live.status, live.content) == ("live", CountyContent(parameters={"queries_6m": 4}))


async def test_an_overtaken_draft_can_still_be_refused(hand: Stagehand, tx):
    saved = await _overtaken(hand, tx)
    gone = await service.reject(await hand.as_(COUNTY_ANALYST), saved.id, reason="先搬过去")
    assert gone.status == "rejected"
    tx.now += timedelta(hours=1)
    county = await hand.as_(COUNTY_ADMIN)
    again = await service.draft(county, "*", Stage.ELIGIBILITY, reason="照抄", copy_of=gone.id)
    await service.check(county, again.id)
    with pytest.raises(Overtaken):
        await service.submit(county, again.id)


async def test_a_draft_begun_on_purpose_from_an_old_version_is_not_overtaken(hand: Stagehand, tx):
    old = await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 6}))
    tx.now += timedelta(hours=1)
    await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 5}))
    tx.now += timedelta(hours=1)
    county = await hand.as_(COUNTY_ADMIN)
    again = await service.draft(county, "*", Stage.ELIGIBILITY, reason="回到那时", copy_of=old.id)
    found = await carrying.stale(county, again)
    assert found is not None
    assert not found.overtaken
    assert (await hand.through(again, COUNTY_ADMIN, COUNTY_ANALYST)).status == "live"
