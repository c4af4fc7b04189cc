"""Strategies beside the road: trials on past cases, dated versions, cases that were under way (A3-20, A3-34, N4)."""

import asyncio
import copy
from datetime import timedelta

import asyncpg
import pytest

from backend.core import clock, ids
from backend.core.actor import Actor, system
from backend.db.database import Database
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome, Stage
from backend.domains.strategies import checks, effects, service, shipped
from backend.domains.strategies.model import Content, CountyContent, UnionContent, Version
from backend.flows import adopt_shipped_strategies, measure_strategy, put_strategies_live, resume_held
from tests.domains.decision.test_properties import someone
from tests.domains.strategies.conftest import ADMIN, ANALYST, COUNTY_ADMIN, COUNTY_ANALYST, cell
from tests.flows.conftest import JIA, Road, id_number, road

__all__ = ["road"]

HARD = CountyContent(parameters={"queries_6m": 4, "lenders": 3, "overdue_months": 2})


async def past(db: Database, county: str, count: int) -> None:
    """Stored decisions of a county."""
    async with db.begin(system(county, "test")) as tx:
        using = await decisions.bundle_for(tx, "SXD")
        for seed in range(count):
            await decisions.record(tx, ids.new(), decisions.decide(someone(seed), using))


async def proposed(db: Database, maker: Actor, stage: Stage, content: Content) -> Version:
    async with db.begin(maker) as tx:
        begun = await service.draft(tx, "*", stage, reason="调整")
        saved = await service.save(tx, begun.id, content)
        run = await service.check(tx, saved.id)
        assert run.failures == 0, run.report
        return await service.submit(tx, saved.id)


async def approved(db: Database, checker: Actor, version: Version, **dates: object) -> Version:
    async with db.begin(checker) as tx:
        return await service.approve(tx, version.id, reason="看过了", **dates)


async def union_content(db: Database, text: str) -> UnionContent:
    async with db.read(ADMIN) as tx:
        floor = await service.floor(tx, "*", Stage.ELIGIBILITY)
    document = copy.deepcopy(floor.document)
    cell(document, "bureau", "bureau-5", "c5", text)
    return UnionContent(document=document, openings=floor.openings)


async def test_a_checked_overlay_is_tried_on_the_countys_own_past_by_the_worker(road: Road) -> None:
    await past(road.db, "4101", 250)
    await past(road.db, "4102", 30)
    version = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    await road.drain()
    async with road.db.read(COUNTY_ANALYST) as tx:
        found = await effects.last_of(tx, version.id)
    assert found is not None
    assert found.finished_at is not None
    figures = found.figures
    assert (found.cases_total, found.cases_done) == (250, 250)
    for side in (figures.before, figures.after):
        assert side.approved + side.referred + side.declined == 250
    assert figures.looser == 0
    assert figures.after.approved <= figures.before.approved
    assert figures.after.declined > figures.before.declined
    swapped = figures.after.declined - figures.before.declined
    assert swapped == sum(count for way, count in figures.swaps.items() if way.endswith(">declined"))
    assert all(way.endswith(">declined") for way in figures.swaps)
    assert {code for each in figures.examples for code in each.codes} <= {
        "EL_QUERIES_6M", "EL_LENDERS", "EL_OVERDUE_MONTHS",
    }  # fmt: skip
    live = await approved(road.db, COUNTY_ANALYST, version)
    assert live.status == "live"


async def test_a_union_version_is_tried_on_every_countys_past(road: Road) -> None:
    await past(road.db, "4101", 60)
    await past(road.db, "4102", 40)
    version = await proposed(road.db, ADMIN, Stage.ELIGIBILITY, await union_content(road.db, ">= 1"))
    await road.drain()
    async with road.db.read(ADMIN) as tx:
        found = await effects.last_of(tx, version.id)
    assert found is not None
    assert found.finished_at is not None
    assert (found.cases_total, found.cases_done) == (100, 100)
    assert found.figures.counted == {"4101": 60, "4102": 40}
    assert found.figures.after.declined > found.figures.before.declined


async def test_a_trial_goes_on_where_it_stopped_and_is_left_when_nobody_waits_for_it(road: Road) -> None:
    await past(road.db, "4101", 150)
    version = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    with pytest.raises(measure_strategy.StillMeasuring):
        await measure_strategy.measure_strategy(road.context, "4101", version.id, seconds=0)
    async with road.db.read(COUNTY_ADMIN) as tx:
        half = await effects.last_of(tx, version.id)
    assert half is not None
    assert (half.cases_done, half.finished_at) == (measure_strategy.STEP, None)
    done = await measure_strategy.measure_strategy(road.context, "4101", version.id)
    assert done is not None
    assert (done.id, done.cases_done) == (half.id, 150)
    again = await measure_strategy.measure_strategy(road.context, "4101", version.id)
    assert again == done, "a repeat adds nothing"

    other = await proposed(
        road.db, COUNTY_ADMIN, Stage.LIMIT, CountyContent(parameters={"first_loan": 2_000_000})
    )
    with pytest.raises(measure_strategy.StillMeasuring):
        await measure_strategy.measure_strategy(road.context, "4101", other.id, seconds=0)
    async with road.db.begin(COUNTY_ADMIN) as tx:
        await service.discard(tx, other.id, reason="另写一份")
    assert await measure_strategy.measure_strategy(road.context, "4101", other.id) is None
    async with road.db.read(COUNTY_ADMIN) as tx:
        left = await effects.last_of(tx, other.id)
    assert left is not None
    assert (left.cases_done, left.finished_at) == (measure_strategy.STEP, None), "nobody waits for it"


async def test_a_trial_that_runs_stops_when_its_draft_is_dropped(road: Road, monkeypatch) -> None:
    """The worker has other work: a whole union's is hundreds of thousands of cases."""
    await past(road.db, "4101", 150)
    version = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    count = effects.count

    def dropped_meanwhile(figures, cases):
        count(figures, cases)
        asyncio.run_coroutine_threadsafe(_drop(road.db, version), loop).result(10)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(effects, "count", dropped_meanwhile)
    left = await measure_strategy.measure_strategy(road.context, "4101", version.id)
    assert left is not None
    assert (left.cases_done, left.finished_at) == (measure_strategy.STEP, None)


async def _drop(db: Database, version: Version) -> None:
    async with db.begin(COUNTY_ADMIN) as tx:
        await service.discard(tx, version.id, reason="另写一份")


async def test_what_came_after_a_trial_is_counted_and_taken_in_by_another(road: Road) -> None:
    """Who approves sees which cases the effect stands on, and has it worked out anew (A3-34)."""
    await past(road.db, "4101", 12)
    version = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    first = await measure_strategy.measure_strategy(road.context, "4101", version.id)
    assert await measure_strategy.newer(road.context, "4101", version, first) == 0
    await past(road.db, "4101", 3)
    await past(road.db, "4102", 5)
    assert await measure_strategy.newer(road.context, "4101", version, first) == 3
    for _ in range(2):  # a double click
        async with road.db.begin(COUNTY_ANALYST) as tx:
            await effects.ask_again(tx, version)
    await road.drain()
    async with road.db.read(COUNTY_ANALYST) as tx:
        second = await effects.last_of(tx, version.id)
    assert second is not None
    assert (second.id != first.id, second.cases_done, first.cases_done) == (True, 15, 12)
    assert await measure_strategy.newer(road.context, "4101", version, second) == 0
    assert first.figures.span is not None
    assert second.figures.span is not None
    assert first.figures.span[0] == second.figures.span[0] <= first.figures.span[1] < second.figures.span[1]
    assert (await approved(road.db, COUNTY_ANALYST, version)).status == "live"
    async with road.db.begin(COUNTY_ANALYST) as tx:
        await effects.ask_again(tx, await service.get(tx, version.id))
    await road.drain()
    async with road.db.read(COUNTY_ANALYST) as tx:
        assert await effects.last_of(tx, version.id) == second, "what was approved is not tried again"


async def test_the_trial_of_a_past_decision_tells_nobody_else(road: Road, owner: asyncpg.Connection) -> None:
    """Figures and codes; nothing of a person."""
    await past(road.db, "4101", 30)
    version = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    await road.drain()
    stored = str(await owner.fetchrow("select * from strategies.effects where version_id = $1", version.id))
    assert "birth_on" not in stored
    async with road.db.read(system("4102", "test")) as tx:
        assert await effects.last_of(tx, version.id) is None


async def test_dated_versions_go_live_and_end_by_the_timetable(road: Road) -> None:
    day = clock.now() + timedelta(days=2)
    county = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    await approved(
        road.db, COUNTY_ANALYST, county, effective_from=day, effective_until=day + timedelta(days=1)
    )
    union = await proposed(road.db, ADMIN, Stage.ELIGIBILITY, await union_content(road.db, ">= 2"))
    await road.drain()
    await approved(road.db, ANALYST, union, effective_from=day)
    assert await put_strategies_live.put_strategies_live(road.context) == 0
    with clock.at(day + timedelta(seconds=1)):
        assert await put_strategies_live.put_strategies_live(road.context) == 2
        assert await put_strategies_live.put_strategies_live(road.context) == 0
        async with road.db.read(JIA) as tx:
            now = (await decisions.bundle_for(tx, "SXD")).versions
        assert now.strategies["eligibility"] == union.document_hash
        assert now.overlays == {"eligibility": county.document_hash}
    with clock.at(day + timedelta(days=1, seconds=1)):
        assert await put_strategies_live.put_strategies_live(road.context) == 1
        async with road.db.read(JIA) as tx:
            assert not (await decisions.bundle_for(tx, "SXD")).overlays


async def test_what_takes_over_at_an_end_does_so_before_it(road: Road) -> None:
    """Between the two the county would decide by head office's floor alone, looser than either."""
    day = clock.now() + timedelta(days=2)
    ends = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, HARD)
    await road.drain()
    await approved(road.db, COUNTY_ANALYST, ends, effective_until=day)
    follows = await proposed(
        road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4})
    )
    await approved(road.db, COUNTY_ANALYST, follows, effective_from=day)
    with clock.at(day + timedelta(seconds=1)):
        assert await put_strategies_live.put_strategies_live(road.context) == 1
        async with road.db.read(COUNTY_ADMIN) as tx:
            assert (await service.get(tx, follows.id)).status == "live"
            assert (await service.moves(tx, ends.id))[-1].why == f"由第 {follows.number} 版接替"
        assert await put_strategies_live.put_strategies_live(road.context) == 0


async def test_one_that_trips_the_checks_holds_up_nobody_else(road: Road, monkeypatch) -> None:
    """What stood before a version is examined at its end: a bug there kept every ended version of all counties."""
    day = clock.now() + timedelta(days=2)
    for stage, content in (
        (Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4})),
        (Stage.ELIGIBILITY, HARD),
        (Stage.LIMIT, CountyContent(parameters={"first_loan": 2_000_000})),
    ):
        version = await proposed(road.db, COUNTY_ADMIN, stage, content)
        await road.drain()
        ends = None if content.parameters == {"queries_6m": 4} else day
        await approved(road.db, COUNTY_ANALYST, version, effective_until=ends)

    async def trips(*_: object) -> None:
        raise KeyError("rows")

    monkeypatch.setattr(checks, "examine", trips)
    with clock.at(day + timedelta(seconds=1)):
        assert await put_strategies_live.put_strategies_live(road.context) == 1
        async with road.db.read(COUNTY_ADMIN) as tx:
            assert (await service.get(tx, version.id)).status == "retired"


async def test_a_held_case_is_decided_by_the_versions_of_its_submission(road: Road) -> None:
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.fault("credit_bureau", "*", "status", times=50, status=503)
    await road.submit(application)
    await road.drain()
    assert (await road.see(application)).status == "held"
    everybody = {"c4": ">= 0", "r1": "'CT'", "r2": "'decline'", "r3": "'本行暂停办理'", "r4": "'以后再来'"}
    content = CountyContent(rows={"bureau": [everybody]})
    version = await proposed(road.db, COUNTY_ADMIN, Stage.ELIGIBILITY, content)
    assert (await approved(road.db, COUNTY_ANALYST, version)).status == "live"
    await road.sandbox.delete("/control/faults")
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await resume_held.resume_held(road.context) == 1
    assert (await road.see(application)).status == "approved"
    later = await road.apply(id_number(456))
    assert later.status == "declined"


async def test_strategies_that_no_longer_pass_our_checks_send_the_case_to_a_person(
    road: Road, owner: asyncpg.Connection
) -> None:
    await owner.execute("alter table decision.live disable trigger keep_live")
    await owner.execute("update decision.live set hash = repeat('0', 64) where stage = 'limit'")
    application = await road.apply(id_number())
    assert application.status == "referred"
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
    assert recorded is not None
    assert recorded.outcome is Outcome.REFERRED


async def test_adopting_the_shipped_strategies_twice_changes_nothing(db: Database) -> None:
    assert await adopt_shipped_strategies.adopt_shipped_strategies(db) == 0


async def test_a_database_without_scenarios_gets_the_shipped_ones_and_never_twice(
    db: Database, owner: asyncpg.Connection
) -> None:
    async def names(stage: str = "") -> list[str]:
        text = "select name from strategies.scenarios where stage = $1 and retired_at is null order by name"
        return [row["name"] for row in await owner.fetch(text, stage)]

    adopt = adopt_shipped_strategies.adopt_shipped_strategies
    shipped_names = sorted(name for name, _, _ in shipped.scenarios())
    assert sorted(await names()) == shipped_names, "a fresh one has them"
    await owner.execute("delete from strategies.scenarios where stage = ''")
    assert await adopt(db) == 0, "no version is made"
    assert sorted(await names()) == shipped_names
    moments = await names("collection")
    await owner.execute(
        "update strategies.scenarios set stop_asked_by = 'staff:a', stop_why = '换一套', stop_asked_at = now()"
        " where stage = ''"
    )
    await owner.execute(
        "update strategies.scenarios set retired_at = now(), retired_by = 'staff:b' where stage = ''"
    )
    await adopt(db)
    assert (await names(), await names("collection")) == ([], moments), "what two people stopped stays so"
    await owner.execute("delete from strategies.scenarios where stage = ''")
    await owner.execute("set session_replication_role = replica")  # as if head office had changed it long ago
    await owner.execute(
        "update strategies.versions set document_hash = repeat('0', 64) where stage = 'rating'"
    )
    await adopt(db)
    assert await names() == [], "they were written for the shipped documents"
