"""Head office narrows a band under a county's live overlay: the union decides on, the overlay only tightens and stays
until it is renewed, and a new draft must fit (N4)."""

import asyncpg
import msgspec
import pytest

from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome, Stage
from backend.domains.strategies import checks, counties, repository, service, verdicts
from backend.domains.strategies.model import BackBySecond, CountyContent, NotPassed, UnionContent
from tests.domains.savepoint import savepoint
from tests.domains.strategies.conftest import ADMIN, ANALYST, COUNTY_ADMIN, COUNTY_ANALYST, Stagehand
from tests.domains.strategies.test_life import GOOD, with_facts


async def narrowed(hand: Stagehand, low: int) -> None:
    """Head office's next version, with a higher lower end for queries in six months."""
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="不许太严")
    assert isinstance(begun.content, UnionContent)
    parameters = tuple(
        msgspec.structs.replace(each, low=low) if each.id == "queries_6m" else each
        for each in begun.content.openings.parameters
    )
    openings = msgspec.structs.replace(begun.content.openings, parameters=parameters)
    content = UnionContent(document=begun.content.document, openings=openings)
    saved = await service.save(tx, begun.id, content, note="最低 6 次")
    await hand.through(saved, ADMIN, ANALYST)


async def test_an_overlay_outside_a_narrowed_band_decides_on_and_is_never_looser(hand: Stagehand) -> None:
    live = await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    await narrowed(hand, 6)
    county = await hand.as_(COUNTY_ADMIN)
    said = await checks.outdated(county, live)
    assert [each.sentence for each in said] == ["只能在 6 到 8 之间，现在是 4"]
    using = await decisions.bundle_for(county, "SXD")
    floor = await decisions.trial(county, "SXD", without_county=True)
    asked = with_facts(GOOD, bureau_queries_6m=5, bureau_queries_1m=0)
    assert decisions.decide(asked, using).decision.outcome is Outcome.DECLINED, (
        "the county's number still counts"
    )
    assert verdicts.looser(asked, floor, using) == ""


async def test_head_office_sees_who_outgrew_a_floor_before_it_is_live(hand: Stagehand) -> None:
    live = await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    tx = await hand.as_(ADMIN.within("*"))
    floor = await service.floor(tx, "*", Stage.ELIGIBILITY)
    assert [
        (each.version.id, each.outgrown)
        for each in await counties.of_strategy(tx, "*", Stage.ELIGIBILITY, floor)
    ] == [(live.id, ())]
    closed = UnionContent(document=floor.document)
    [held] = await counties.of_strategy(tx, "*", Stage.ELIGIBILITY, closed)
    assert [each.sentence for each in held.outgrown] == ["省联社没有开放这个参数"]


async def test_who_wrote_an_older_overlay_does_not_loosen_by_going_back_to_it(hand: Stagehand) -> None:
    """Nor by SQL: with the move in their own name, or with none."""
    old = await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 5}))
    await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    author = await hand.as_(COUNTY_ADMIN)
    for named in (None, old.id):
        with pytest.raises(BackBySecond):
            await service.roll_back(author, "*", Stage.ELIGIBILITY, reason="松一些", to_version=named)
    [current] = [each for each in await service.in_use(author) if each.institution_id == "4101"]
    assert await repository.move(author, current, "retired", "松一些")
    retired = await service.get(author, old.id)
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(author):
            await repository.move(author, retired, "live", "松一些")
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(author):
            await author.connection.execute(
                "update strategies.versions set status = 'live' where id = $1", old.id
            )
    second = await hand.as_(COUNTY_ANALYST)
    assert (
        await service.roll_back(second, "*", Stage.ELIGIBILITY, reason="旺季", to_version=old.id)
    ).id == old.id


async def test_a_renewed_overlay_has_to_fit_and_going_back_to_the_old_one_stays_allowed(
    hand: Stagehand,
) -> None:
    old = await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    await narrowed(hand, 6)
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="照旧")
    run = await service.check(tx, begun.id)
    assert run.failures
    with pytest.raises(NotPassed):
        await service.submit(tx, begun.id)
    saved = await service.save(tx, begun.id, CountyContent(parameters={"queries_6m": 6}), note="按新的范围")
    await hand.through(saved, COUNTY_ADMIN, COUNTY_ANALYST)
    back = await service.roll_back(await hand.as_(COUNTY_ANALYST), "*", Stage.ELIGIBILITY, reason="新的太松")
    assert (back.id, back.status) == (old.id, "live"), "it only tightens"
