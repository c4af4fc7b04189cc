"""From a draft to the end: states, the second person, who sees what (A3-33, A3-34, N4)."""

import copy
import json
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.decision import bundle
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome, Stage
from backend.domains.strategies import checks, ending, repository, scenario_book, service
from backend.domains.strategies.model import (
    CountyContent,
    DraftOpen,
    EndsTooSoon,
    Expected,
    Finding,
    MustNotEnd,
    NotDue,
    NothingToRollBack,
    NotMeasured,
    NotPassed,
    NotSubmitted,
    NotYourStrategy,
    ReasonMissing,
    SecondPerson,
    StrategyMissing,
    StrategyMoved,
    UnionContent,
)
from h5.console import audit_words
from tests.domains.decision.conftest import read, with_facts
from tests.domains.savepoint import savepoint
from tests.domains.strategies.conftest import (
    ADMIN,
    ANALYST,
    COUNTY_ADMIN,
    COUNTY_ANALYST,
    OFFICER,
    OTHER_ADMIN,
    Stagehand,
    cell,
    due,
    previewed,
    stricter,
)

GOOD = read("approved_payroll")
LATE = with_facts(GOOD, bureau_worst_overdue_24m=1, bureau_overdue_months_24m=1)
QUERIES = CountyContent(parameters={"queries_6m": 4})


async def outcome(tx, case=GOOD):
    return decisions.decide(case, await decisions.bundle_for(tx, case.product)).decision


async def test_the_shipped_strategies_are_version_1_and_decide_as_before(tx, hand: Stagehand):
    union = await hand.as_(ADMIN)
    for stage in bundle.seeded().stages:
        [first] = await service.history(union, "*", "*", stage)
        assert (first.number, first.status, first.layer) == (1, "live", "union")
        assert [move.to_status for move in await service.moves(union, first.id)] == [
            "draft", "checked", "approved", "live",
        ]  # fmt: skip
        assert not (await previewed(union, "*", stage, first.content)).failures
        assert len(first.content.openings.parameters) == len(
            {each.id for each in first.content.openings.parameters}
        )
    assert (await decisions.bundle_for(tx, "SXD")).versions == bundle.seeded().versions


async def test_every_shipped_opening_is_one_this_document_can_open(hand: Stagehand):
    from importlib import resources

    given = msgspec.json.decode(
        resources.files("backend.domains.strategies").joinpath("shipped_openings.json").read_bytes()
    )
    union = await hand.as_(ADMIN)
    for stage, wanted in given.items():
        held = (await service.floor(union, "*", Stage(stage))).openings
        assert [each.id for each in held.parameters] == [each["id"] for each in wanted["parameters"]]
        assert list(held.places) == wanted["places"]


async def test_a_union_version_lives_through_all_its_states_and_decides_at_once(tx, hand: Stagehand):
    assert (await outcome(tx)).outcome is Outcome.APPROVED
    live = await hand.union(Stage.ELIGIBILITY, stricter)
    assert (live.number, live.status, live.checker) == (3, "live", f"staff:{ANALYST.id}")
    county = await hand.as_(OFFICER)
    asked = LATE
    assert [reason.code for reason in (await outcome(county, asked)).reasons] == ["EL_WORST_OVERDUE"]
    union = await hand.as_(ADMIN)
    statuses = {
        each.number: each.status for each in await service.history(union, "*", "*", Stage.ELIGIBILITY)
    }
    assert statuses == {1: "retired", 2: "superseded", 3: "live"}
    assert [move.to_status for move in await service.moves(union, live.id)] == [
        "draft", "checked", "approved", "live",
    ]  # fmt: skip


async def test_a_product_with_a_version_of_its_own_leaves_the_others_alone(hand: Stagehand):
    await hand.union(Stage.ELIGIBILITY, stricter, product="NJD")
    asked = LATE
    county = await hand.as_(OFFICER)
    assert (await outcome(county, asked)).outcome is Outcome.APPROVED
    other = msgspec.structs.replace(asked, product="NJD")
    assert (await outcome(county, other)).outcome is Outcome.DECLINED


async def test_an_overlay_binds_its_own_county_and_no_other(hand: Stagehand):
    live = await hand.overlay(Stage.ELIGIBILITY, QUERIES)
    asked = with_facts(GOOD, bureau_queries_6m=5, bureau_queries_1m=1)
    mine = await outcome(await hand.as_(OFFICER), asked)
    assert mine.outcome is Outcome.DECLINED
    assert [(reason.code, reason.layer) for reason in mine.reasons] == [("EL_QUERIES_6M", "county")]
    assert mine.versions.overlays == {"eligibility": live.document_hash}
    assert {step.row for step in mine.trace if step.layer == "county" and step.event == "row"} == {
        "bureau-4-county"
    }
    assert (await outcome(await hand.as_(OTHER_ADMIN), asked)).outcome is Outcome.APPROVED


async def test_another_county_sees_the_unions_versions_and_not_this_ones(hand: Stagehand):
    live = await hand.overlay(Stage.ELIGIBILITY, QUERIES)
    other = await hand.as_(OTHER_ADMIN)
    with pytest.raises(StrategyMissing):
        await service.get(other, live.id)
    assert {each.institution_id for each in await service.in_use(other)} == {"*"}
    assert await service.moves(other, live.id) == []
    assert await service.last_check(other, live.id) is None
    assert await service.history(other, "4101", "*", Stage.ELIGIBILITY) == []
    mine = await hand.as_(COUNTY_ADMIN)
    assert {each.institution_id for each in await service.in_use(mine)} == {"*", "4101"}


async def test_a_county_writes_nothing_of_the_unions_not_even_by_sql(hand: Stagehand):
    county = await hand.as_(COUNTY_ADMIN)
    floor = (await service.history(county, "*", "*", Stage.RATING))[0]
    with pytest.raises(StrategyMissing):
        await service.retire(county, floor.id, reason="不要了")
    async with savepoint(county):
        changed = await county.connection.execute(
            "update strategies.versions set status = 'retired' where id = $1", floor.id
        )
    assert changed == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with savepoint(county):
            await decisions.set_live(county, "*", "*", Stage.RATING, floor.document_hash)


async def test_only_an_approved_version_decides_even_by_sql(hand: Stagehand):
    """A document of one's own, another strategy's, a wider band, and taking away what is live: none is taken."""
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="全省调整")
    document = copy.deepcopy(begun.content.document)
    stricter(document)
    saved = await service.save(tx, begun.id, UnionContent(document=document), note="改一格")
    floor = (await service.history(tx, "*", "*", Stage.RATING))[0]
    pricing = (await service.history(tx, "*", "*", Stage.PRICING))[0]
    for product, stage, digest, band in (
        ("*", Stage.ELIGIBILITY, saved.document_hash, None),
        ("*", Stage.ELIGIBILITY, floor.document_hash, None),
        ("SXD", Stage.RATING, floor.document_hash, None),
        ("*", Stage.PRICING, pricing.document_hash, (1, 9_000_000)),
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            async with savepoint(tx):
                await decisions.set_live(tx, "*", product, stage, digest, band)
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(tx):
            await decisions.end_live(tx, "*", "*", Stage.ELIGIBILITY)
    live = await hand.overlay(Stage.ELIGIBILITY, QUERIES)
    county = await hand.as_(COUNTY_ADMIN)
    for statement in (
        "delete from decision.live where institution_id = '4101'",
        "update decision.live set product_code = 'SXD' where institution_id = '4101'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            async with savepoint(county):
                await county.connection.execute(statement)
    assert (await service.get(county, live.id)).status == "live"


@pytest.mark.parametrize("actor", [OFFICER, OTHER_ADMIN], ids=["an officer", "another county"])
async def test_who_may_not_write_cannot_draft_check_or_approve(hand: Stagehand, actor):
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    theirs = await hand.as_(actor)
    for act in (service.check, service.submit):
        with pytest.raises((NotYourStrategy, StrategyMissing)):
            await act(theirs, begun.id)
    with pytest.raises((NotYourStrategy, StrategyMissing)):
        await service.approve(theirs, begun.id, reason="好")


async def test_nobody_approves_what_they_wrote_in(hand: Stagehand):
    """Also not the first author of a draft that somebody else saved last."""
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    second = await hand.as_(COUNTY_ANALYST)
    saved = await service.save(second, begun.id, QUERIES)
    assert set(saved.authors) == {f"staff:{COUNTY_ADMIN.id}", f"staff:{COUNTY_ANALYST.id}"}
    await service.check(second, saved.id)
    await service.submit(second, saved.id)
    await hand.measured(saved)
    for actor in (COUNTY_ADMIN, COUNTY_ANALYST):
        with pytest.raises(SecondPerson):
            await service.approve(await hand.as_(actor), saved.id, reason="好的")
        with pytest.raises(SecondPerson):
            await service.reject(await hand.as_(actor), saved.id, reason="不好")


async def test_self_approval_is_impossible_in_sql(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    saved = await service.save(tx, begun.id, QUERIES)
    run = await service.check(tx, saved.id)
    checked = await service.get(tx, saved.id)
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(tx):
            await repository.add_approval(tx, checked, "approved", "自己批", run)
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(tx):
            await repository.move(tx, checked, "approved", "自己批", checker=f"staff:{COUNTY_ADMIN.id}")
    with pytest.raises(asyncpg.CheckViolationError, match="no approval"):
        async with savepoint(tx):
            await repository.move(tx, checked, "approved", "没有批", checker="staff:somebody")


async def test_sql_takes_no_approval_with_a_failing_or_a_foreign_check_run(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    failing = await service.check(tx, begun.id)  # empty: a finding
    assert failing.failures
    empty = await service.get(tx, begun.id)
    other = await hand.as_(COUNTY_ANALYST)
    with pytest.raises(asyncpg.CheckViolationError):
        async with savepoint(other):
            await repository.add_approval(other, empty, "approved", "就这样", failing)
    passed = await service.check(other, (saved := await service.save(other, begun.id, QUERIES)).id)
    tx = await hand.as_(COUNTY_ADMIN)
    again = await service.save(tx, saved.id, CountyContent(parameters={"queries_6m": 5}))
    third = await hand.as_(system("4101", "somebody"))
    with pytest.raises(asyncpg.ForeignKeyViolationError):  # a run of the content before
        async with savepoint(third):
            await repository.add_approval(third, again, "approved", "就这样", passed)


async def test_the_content_of_a_version_never_changes(hand: Stagehand, tx):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with savepoint(tx):
            await tx.connection.execute("update strategies.versions set content = '{}'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with savepoint(tx):
            await tx.connection.execute("delete from strategies.versions")


async def test_not_even_the_owner_changes_a_version_or_skips_a_state(owner: asyncpg.Connection):
    with pytest.raises(asyncpg.RestrictViolationError, match="never changes"):
        await owner.execute("update strategies.versions set content_hash = repeat('0', 64)")
    with pytest.raises(asyncpg.CheckViolationError, match="not a move"):
        await owner.execute("update strategies.versions set status = 'draft'")
    for table in ("moves", "check_runs", "approvals"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await owner.execute(f"delete from strategies.{table}")


async def test_an_unfinished_step_is_refused_by_name(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    with pytest.raises(ReasonMissing):
        await service.draft(tx, "*", Stage.ELIGIBILITY, reason=" ")
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    with pytest.raises(NotPassed):
        await service.submit(tx, begun.id)
    saved = await service.save(tx, begun.id, QUERIES)
    with pytest.raises(StrategyMoved):
        await service.save(tx, begun.id, QUERIES)  # that one is superseded
    await service.check(tx, saved.id)
    second = await hand.as_(COUNTY_ANALYST)
    with pytest.raises(NotSubmitted):
        await service.approve(second, saved.id, reason="好的")
    await service.submit(await hand.as_(COUNTY_ADMIN), saved.id)
    with pytest.raises(StrategyMoved):
        await service.submit(await hand.as_(COUNTY_ADMIN), saved.id)


async def test_one_open_draft_of_a_strategy_at_a_time(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    with pytest.raises(DraftOpen):
        async with savepoint(tx):
            await service.draft(tx, "*", Stage.ELIGIBILITY, reason="再来一份")
    await service.draft(tx, "SXD", Stage.ELIGIBILITY, reason="别的产品可以")


async def test_the_effect_on_past_cases_must_be_known_before_an_approval(hand: Stagehand, tx):
    from backend.core import ids

    using = await decisions.bundle_for(tx, "SXD")
    await decisions.record(tx, ids.new(), decisions.decide(GOOD, using))
    maker = await hand.as_(COUNTY_ADMIN)
    saved = await service.save(
        maker, (await service.draft(maker, "*", Stage.ELIGIBILITY, reason="收紧")).id, QUERIES
    )
    await service.check(maker, saved.id)
    await service.submit(maker, saved.id)
    with pytest.raises(NotMeasured):
        await service.approve(await hand.as_(COUNTY_ANALYST), saved.id, reason="好的")
    await hand.measured(saved)
    assert (await service.approve(await hand.as_(COUNTY_ANALYST), saved.id, reason="好的")).status == "live"


async def test_a_rejected_version_goes_on_as_a_new_draft(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    saved = await service.save(tx, (await service.draft(tx, "*", Stage.LIMIT, reason="收紧")).id,
                               CountyContent(parameters={"first_loan": 2_000_000}))  # fmt: skip
    await service.check(tx, saved.id)
    await service.submit(tx, saved.id)
    assert [each.id for each in await service.waiting(await hand.as_(COUNTY_ANALYST))] == [saved.id]
    rejected = await service.reject(await hand.as_(COUNTY_ANALYST), saved.id, reason="再低一些")
    assert rejected.status == "rejected"
    said = (await service.moves(tx, saved.id))[-1]
    assert (said.to_status, said.why) == ("rejected", "再低一些")
    again = await service.draft(
        await hand.as_(COUNTY_ADMIN), "*", Stage.LIMIT, reason="改低", copy_of=saved.id
    )
    assert (again.content, again.number, again.base_id) == (saved.content, 3, saved.id)


async def test_a_copy_of_what_nobody_approved_is_not_approved_by_who_wrote_it(hand: Stagehand):
    """Else one writes, another copies, and the first is the second person of their own words."""
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    written = await service.save(tx, begun.id, QUERIES)
    await service.discard(tx, written.id, reason="换个人来")
    tx = await hand.as_(COUNTY_ANALYST)
    copied = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="照抄一份", copy_of=written.id)
    assert set(copied.authors) == {f"staff:{each.id}" for each in (COUNTY_ADMIN, COUNTY_ANALYST)}
    with pytest.raises(SecondPerson):
        await hand.through(copied, COUNTY_ANALYST, COUNTY_ADMIN)


async def test_a_dated_version_waits_for_its_day_and_ends_on_its_day(hand: Stagehand, tx):
    first = tx.now + timedelta(days=3)
    waits = await hand.overlay(Stage.ELIGIBILITY, QUERIES, effective_from=first,
                               effective_until=first + timedelta(days=5))  # fmt: skip
    assert waits.status == "approved"
    asked = with_facts(GOOD, bureau_queries_6m=5, bureau_queries_1m=1)
    assert (await outcome(await hand.as_(OFFICER), asked)).outcome is Outcome.APPROVED
    assert await service.upcoming(await hand.as_(COUNTY_ADMIN)) == [waits]
    job = await hand.as_(system("4101", "strategies"))
    assert await due(job) == []
    with pytest.raises(NotDue):
        await service.go_live(job, waits.id)
    job.now = first
    assert await due(job) == [("4101", waits.id, "approved")]
    assert (await service.go_live(job, waits.id)).status == "live"
    assert (await outcome(await hand.as_(OFFICER), asked)).outcome is Outcome.DECLINED
    job = await hand.as_(system("4101", "strategies"))
    job.now = first + timedelta(days=5)
    assert await due(job) == [("4101", waits.id, "live")]
    await service.end(job, waits.id)
    assert (await outcome(await hand.as_(OFFICER), asked)).outcome is Outcome.APPROVED


async def test_a_dated_version_that_no_longer_passes_on_its_day_stays_approved(
    hand: Stagehand, tx, monkeypatch
):
    """What it names may be gone by then, or a new release may check more: what decided goes on deciding."""
    first = tx.now + timedelta(days=3)
    waits = await hand.overlay(Stage.ELIGIBILITY, QUERIES, effective_from=first)
    said = Finding(kind="document", place="文件", sentence="不再通过")
    monkeypatch.setattr(checks, "findings_of", lambda *_: [said])
    job = await hand.as_(system("4101", "strategies"))
    job.now = first
    with pytest.raises(NotPassed):
        await service.go_live(job, waits.id)
    assert (await service.get(job, waits.id)).status == "approved"


QUERIED = with_facts(GOOD, bureau_queries_6m=5, bureau_queries_1m=1)


async def test_an_end_comes_after_the_start_and_after_now(hand: Stagehand, tx):
    day = tx.now + timedelta(days=3)
    for dates in (
        {"effective_until": tx.now},
        {"effective_from": tx.now - timedelta(days=9), "effective_until": tx.now - timedelta(days=3)},
        {"effective_from": day, "effective_until": day},
        {"effective_from": day, "effective_until": day - timedelta(days=1)},
    ):
        with pytest.raises(EndsTooSoon) as refused:
            await hand.overlay(Stage.ELIGIBILITY, QUERIES, **dates)
        assert "结束时间要在" in refused.value.fields["effective_until"]
        held = await service.history(await hand.as_(COUNTY_ADMIN), "4101", "*", Stage.ELIGIBILITY)
        assert held[0].status == "checked", "it was not approved"
        await service.discard(await hand.as_(COUNTY_ADMIN), held[0].id, reason="重来")


async def test_an_end_holds_where_nobody_moves_the_version(hand: Stagehand, tx):
    """The timetable is at it within seconds; where it stands still, an approved end is an end all the same."""
    end = tx.now + timedelta(days=5)
    await hand.overlay(Stage.ELIGIBILITY, QUERIES, effective_until=end)
    for after, comes in (
        (timedelta(seconds=-1), Outcome.DECLINED),
        (timedelta(seconds=30), Outcome.DECLINED),  # until then a successor finds it in its place
        (timedelta(minutes=2), Outcome.APPROVED),
    ):
        officer = await hand.as_(OFFICER)
        officer.now = end + after
        assert (await outcome(officer, QUERIED)).outcome is comes, after


async def test_what_comes_to_its_turn_after_its_end_never_decides(hand: Stagehand, tx):
    """The machine stood still over all of its days: what was to come after it does, not a version out of date."""
    first = tx.now + timedelta(days=3)
    await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    waits = await hand.overlay(Stage.ELIGIBILITY, QUERIES, effective_from=first,
                               effective_until=first + timedelta(days=5))  # fmt: skip
    job = await hand.as_(system("4101", "strategies"))
    job.now = first + timedelta(days=6)
    assert await due(job) == [("4101", waits.id, "approved")]
    assert (await service.go_live(job, waits.id)).status == "retired"
    assert await due(job) == []
    stood = await service.live_version(await hand.as_(OFFICER), "4101", "*", Stage.ELIGIBILITY)
    assert stood is not None
    assert stood.number == 2, "what it would have taken the place of"
    assert (await service.moves(job, waits.id))[-1].why == "轮到它时已经过了结束时间；第 2 版回来"


async def test_when_a_products_own_version_ends_that_of_all_products_decides(hand: Stagehand, tx):
    """Something always decides: of the union's layer and of the county's, and it is said before anybody approves."""
    end = tx.now + timedelta(days=5)
    own = await hand.union(Stage.ELIGIBILITY, stricter, product="SXD", effective_until=end)
    admin = await hand.as_(ADMIN)
    assert (await outcome(await hand.as_(OFFICER), LATE)).outcome is Outcome.DECLINED
    admin = await hand.as_(ADMIN)
    assert await ending.afterwards(admin, own) == "改用所有产品的第 1 版"
    job = await hand.as_(system("0000", "strategies"))
    job.now = end
    assert await due(job) == [("*", own.id, "live")]
    await service.end(job, own.id)
    floor = await service.live_version(await hand.as_(OFFICER), "*", "SXD", Stage.ELIGIBILITY)
    assert floor is not None
    assert (floor.product_code, floor.number) == ("*", 1)
    assert (await outcome(await hand.as_(OFFICER), LATE)).outcome is Outcome.APPROVED


async def test_what_comes_after_a_countys_version_is_said(hand: Stagehand, tx):
    await hand.overlay(Stage.ELIGIBILITY, QUERIES)
    county = await hand.as_(COUNTY_ADMIN)
    later = await service.draft(county, "*", Stage.ELIGIBILITY, reason="秋收前收紧")
    assert await ending.afterwards(county, later) == (
        "换回现在在用的第 2 版；它那时要是通不过检查，本行在这一环节不再加严，只按省联社的规则办"
    )
    special = await service.draft(county, "SXD", Stage.ELIGIBILITY, reason="一个产品收紧")
    assert await ending.afterwards(county, special) == "改用本行所有产品的加严层（第 2 版）"


async def test_what_is_brought_back_keeps_the_end_two_people_agreed_to(hand: Stagehand, tx):
    """Else one person alone makes endless what was approved for some days (it was so)."""
    end = tx.now + timedelta(days=5)
    first = await hand.overlay(Stage.ELIGIBILITY, QUERIES, effective_until=end)
    await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    second = await hand.as_(COUNTY_ANALYST)
    back = await service.roll_back(second, "*", Stage.ELIGIBILITY, reason="太严")
    assert (back.id, back.status, back.effective_until) == (first.id, "live", end)
    with pytest.raises(asyncpg.CheckViolationError, match="the end of an approved version stays"):
        async with savepoint(second):
            await second.connection.execute(
                "update strategies.versions set effective_until = null where id = $1", first.id
            )
    job = await hand.as_(system("4101", "strategies"))
    job.now = end + timedelta(days=1)
    assert await due(job) == [("4101", first.id, "live")]
    assert (await service.end(job, first.id)).status == "retired"


async def test_going_back_is_one_act_with_a_reason(hand: Stagehand):
    await hand.union(Stage.ELIGIBILITY, stricter)
    asked = LATE
    assert (await outcome(await hand.as_(OFFICER), asked)).outcome is Outcome.DECLINED
    admin = await hand.as_(ADMIN)
    with pytest.raises(ReasonMissing):
        await service.roll_back(admin, "*", Stage.ELIGIBILITY, reason="")
    back = await service.roll_back(admin, "*", Stage.ELIGIBILITY, reason="误伤太多")
    assert (back.number, back.status) == (1, "live")
    assert (await outcome(await hand.as_(OFFICER), asked)).outcome is Outcome.APPROVED
    assert [(m.from_status, m.to_status) for m in await service.moves(admin, back.id)][-2:] == [
        ("live", "retired"),
        ("retired", "live"),
    ]
    with pytest.raises(NothingToRollBack):
        await service.roll_back(await hand.as_(ADMIN), "*", Stage.RATING, reason="没有旧的")


async def test_something_always_decides(hand: Stagehand, tx):
    """The union's version of all products can neither be retired nor given an end."""
    admin = await hand.as_(ADMIN)
    floor = (await service.history(admin, "*", "*", Stage.PRICING))[0]
    with pytest.raises(MustNotEnd):
        await service.retire(admin, floor.id, reason="不要了")
    with pytest.raises(MustNotEnd):
        await hand.union(Stage.ELIGIBILITY, stricter, effective_until=tx.now + timedelta(days=1))


async def test_every_act_leaves_an_audit_row(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    saved = await service.save(tx, (await service.draft(tx, "*", Stage.LIMIT, reason="收紧")).id,
                               CountyContent(parameters={"first_loan": 2_000_000}))  # fmt: skip
    await service.check(tx, saved.id)
    await service.submit(tx, saved.id)
    assert [entry["action"] for entry in tx.audit] == [
        "strategy.draft", "strategy.superseded", "strategy.draft", "strategy.checked", "strategy.measure",
        "strategy.check", "strategy.submit",
    ]  # fmt: skip
    second = await hand.as_(COUNTY_ANALYST)
    await service.approve(second, saved.id, reason="好的")
    assert [entry["action"] for entry in second.audit] == ["strategy.approved", "strategy.live"]


async def test_the_days_of_a_version_stand_in_its_audit_row(hand: Stagehand, tx):
    first = tx.now + timedelta(days=3)
    begun = await service.draft(await hand.as_(COUNTY_ADMIN), "*", Stage.LIMIT, reason="收紧")
    saved = await service.save(await hand.as_(COUNTY_ADMIN), begun.id,
                               CountyContent(parameters={"first_loan": 2_000_000}))  # fmt: skip
    await service.check(await hand.as_(COUNTY_ADMIN), saved.id)
    await service.submit(await hand.as_(COUNTY_ADMIN), saved.id)
    await hand.measured(saved)
    second = await hand.as_(COUNTY_ANALYST)
    dates = {"effective_from": first, "effective_until": first + timedelta(days=5)}
    await service.approve(second, saved.id, reason="好的", **dates)
    [entry] = second.audit
    said = json.loads(entry["details"])
    for name, day in dates.items():
        assert said[name] == f"{clock.local(day):%Y-%m-%d %H:%M}"
        label, words = audit_words.detail(name, said[name]) or ("", "")
        assert (label[-2:], words) == ("时间", said[name])


async def test_a_running_case_keeps_the_versions_it_was_submitted_under(hand: Stagehand, tx):
    """A3-20: what was live at the submission decides, however long the case waits."""
    from backend.core import ids

    begun, later = ids.new(), ids.new()
    officer = await hand.as_(OFFICER)
    await decisions.pin(officer, begun, "SXD")
    await hand.overlay(Stage.ELIGIBILITY, QUERIES)
    await hand.union(Stage.ELIGIBILITY, stricter)
    officer = await hand.as_(OFFICER)
    await decisions.pin(officer, later, "SXD")
    await decisions.pin(officer, begun, "SXD")  # sent twice: the first stands
    kept = await decisions.bundle_for(officer, "SXD", begun)
    assert kept.versions == bundle.seeded().versions
    assert (await decisions.bundle_for(officer, "SXD", later)).versions == (
        await decisions.bundle_for(officer, "SXD")
    ).versions
    asked = with_facts(GOOD, bureau_queries_6m=5, bureau_queries_1m=1)
    assert decisions.decide(asked, kept).decision.outcome is Outcome.APPROVED
    capsule = decisions.decide(asked, await decisions.bundle_for(officer, "SXD", later))
    assert capsule.decision.outcome is Outcome.DECLINED
    stored = await decisions.record(officer, later, capsule)
    assert (await decisions.replay(officer, stored.id)).same_bytes


async def test_a_layered_decision_replays_in_a_process_that_starts_later(hand: Stagehand, monkeypatch):
    from backend.core import ids

    await hand.overlay(Stage.ELIGIBILITY, QUERIES)
    await hand.overlay(Stage.PRICING, CountyContent(rows={"parts": [
        {"r1": "'county'", "r2": "'本行'", "r3": "500"}]}))  # fmt: skip
    officer = await hand.as_(OFFICER)
    capsule = decisions.decide(GOOD, await decisions.bundle_for(officer, "SXD"))
    assert capsule.decision.versions.price_band == [-20, 100]
    stored = await decisions.record(officer, ids.new(), capsule)
    monkeypatch.setattr(bundle, "_built", {})
    result = await decisions.replay(officer, stored.id)
    assert result.same_bytes
    assert result.stored == stored.capsule


async def test_a_union_version_needs_its_effect_even_where_no_case_is(hand: Stagehand):
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="调整")
    content = begun.content
    assert isinstance(content, UnionContent)
    cell(content.document, "bureau", "bureau-5", "c5", ">= 2")
    saved = await service.save(tx, begun.id, content)
    await service.check(tx, saved.id)
    await service.submit(tx, saved.id)
    with pytest.raises(NotMeasured):
        await service.approve(await hand.as_(ANALYST), saved.id, reason="好的")


def fewer_lenders(document):
    cell(document, "bureau", "bureau-7", "c7", "> 3")


async def test_an_overlay_saved_under_another_floor_is_saved_again_before_it_is_approved(hand: Stagehand):
    """What was checked is what will run: the composed document is of the floor of its day."""
    content = CountyContent(parameters={"lenders": 4, "queries_6m": 5})
    tx = await hand.as_(COUNTY_ADMIN)
    saved = await service.save(
        tx, (await service.draft(tx, "*", Stage.ELIGIBILITY, reason="收紧")).id, content
    )
    await service.check(tx, saved.id)
    await service.submit(tx, saved.id)
    await hand.measured(saved)
    admin = await hand.as_(ADMIN)
    floor = await service.floor(admin, "*", Stage.ELIGIBILITY)
    fewer_lenders(floor.document)
    kept = tuple(each for each in floor.openings.parameters if each.id != "lenders")
    narrower = msgspec.structs.replace(floor.openings, parameters=kept)
    union = await service.save(
        admin,
        (await service.draft(admin, "*", Stage.ELIGIBILITY, reason="全省调整")).id,
        UnionContent(document=floor.document, openings=narrower),
    )
    await hand.through(union, ADMIN, ANALYST)
    with pytest.raises(NotPassed) as refused:
        await service.approve(await hand.as_(COUNTY_ANALYST), saved.id, reason="好的")
    said = [each.sentence for each in refused.value.report.findings]
    assert "省联社没有开放这个参数" in said
    assert any("请再保存一次" in each for each in said)


async def test_a_live_overlay_that_the_union_overtook_is_pointed_out_and_still_binds(hand: Stagehand):
    live = await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"lenders": 4}))
    assert await checks.outdated(await hand.as_(COUNTY_ADMIN), live) == []
    admin = await hand.as_(ADMIN)
    floor = await service.floor(admin, "*", Stage.ELIGIBILITY)
    begun = await service.draft(admin, "*", Stage.ELIGIBILITY, reason="不再开放")
    closed = await service.save(admin, begun.id, UnionContent(document=floor.document))
    await hand.through(closed, ADMIN, ANALYST)
    county = await hand.as_(COUNTY_ADMIN)
    assert [each.sentence for each in await checks.outdated(county, live)] == ["省联社没有开放这个参数"]
    asked = with_facts(GOOD, bureau_lenders_open=5)
    assert (await outcome(county, asked)).outcome is Outcome.DECLINED


async def test_a_county_sees_neither_head_offices_draft_nor_the_figures_of_other_counties(
    hand: Stagehand,
) -> None:
    """The effect of a union's version is counted over all counties: by difference it shows one (D4)."""
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="全省调整")
    await hand.measured(begun)
    with pytest.raises(StrategyMissing):
        await service.get(await hand.as_(COUNTY_ADMIN), begun.id)
    assert await repository.last_effect(await hand.as_(COUNTY_ADMIN), begun.id) is None
    assert await repository.last_effect(await hand.as_(ADMIN), begun.id) is not None
    tx = await hand.as_(ADMIN)
    assert (await service.check(tx, begun.id)).failures == 0
    assert await service.moves(tx, begun.id)
    county = await hand.as_(COUNTY_ADMIN)
    assert await service.moves(county, begun.id) == []
    assert await service.last_check(county, begun.id) is None
    await service.submit(await hand.as_(ADMIN), begun.id)
    county = await hand.as_(COUNTY_ADMIN)
    assert await service.moves(county, begun.id)
    assert await service.last_check(county, begun.id) is not None
    assert (await service.get(county, begun.id)).submitted_at is not None
    assert await repository.last_effect(county, begun.id) is None


async def test_what_no_longer_meets_a_scenario_is_not_brought_back(hand: Stagehand):
    """The first version lets through what a scenario of today refuses."""
    await hand.union(Stage.ELIGIBILITY, stricter)
    tx = await hand.as_(ADMIN)
    await scenario_book.add(tx, "*", "逾期一个月要拒绝", LATE, Expected(outcome=Outcome.DECLINED))
    with pytest.raises(NotPassed):
        await service.roll_back(tx, "*", Stage.ELIGIBILITY, reason="误伤太多")
    assert [each.status for each in await service.history(tx, "*", "*", Stage.ELIGIBILITY)].count("live") == 1
