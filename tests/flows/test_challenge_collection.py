"""A challenger beside the live collection strategy: parted by debtor, agreed to by two, one guard over both (A6-07)."""

import copy
from datetime import datetime, time, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.core import clock, ids
from backend.core.actor import Actor, everywhere
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.loans import service as loans
from backend.domains.post_loan import challenges, collections
from backend.domains.post_loan.model import (
    Challenge,
    ChallengeAnswered,
    ChallengeNotYours,
    ChallengerUnfit,
    ChallengeUnfit,
    ChallengeWaits,
    CollectionCase,
    OwnChallenge,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import UnionContent, Version
from backend.flows import challenge_collection, collect, watch_loans
from backend.overview import collection_arms
from tests.domains.strategies.conftest import ADMIN, ANALYST, COUNTY_ADMIN, stop_scenarios

from .conftest import JIA, Road, id_number

ME = id_number(251)
OFFICER = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer"}), "李四")
SECOND = msgspec.structs.replace(ADMIN, id=ids.new())


def at(days: float, hour: float) -> datetime:
    return datetime.combine(clock.today() + timedelta(days=days), time(), clock.LOCAL) + timedelta(hours=hour)


async def version(road: Road, **rows: dict[str, str]) -> Version:
    """A checked version of head office's collection strategy with cells of the plan changed."""
    async with road.db.begin(ANALYST) as tx:
        begun = await strategies.draft(tx, "*", Stage.COLLECTION, reason="早点打电话")
        assert isinstance(begun.content, UnionContent)
        document = copy.deepcopy(begun.content.document)
        [plan] = [node for node in document["nodes"] if node["id"] == "plan"]
        for rule in plan["content"]["rules"]:
            rule.update(rows.get(rule["_id"].replace("-", "_"), {}))
        content = msgspec.structs.replace(begun.content, document=document)
        saved = await strategies.save(tx, begun.id, content, note="改一格")
        # Those that hold the shipped plan to its words go with the plan that changes them.
        await stop_scenarios(tx, "*", Stage.COLLECTION)
        run = await strategies.check(tx, saved.id)
        assert run.failures == 0, run.report
        return await strategies.get(tx, saved.id)


CALL = {"r1": "'negotiate'", "r2": "'call'", "r3": "1", "r4": "'第一天就打电话'"}


async def proposed(road: Road, share_bp: int = 5_000, **rows: dict[str, str]) -> Challenge:
    made = await version(road, **(rows or {"plan_7": CALL}))
    number = await challenge_collection.propose(road.db, ANALYST, made.id, share_bp, "看早打电话好不好")
    async with road.db.read(ANALYST) as tx:
        return await challenges.get(tx, number)


async def running(road: Road, share_bp: int = 5_000, **rows: dict[str, str]) -> Challenge:
    made = await proposed(road, share_bp, **rows)
    await challenge_collection.answer(road.db, ADMIN, made.id, "同意", agreed=True)
    async with road.db.read(ANALYST) as tx:
        return await challenges.get(tx, made.id)


@pytest.fixture
async def line(road: Road, owner: asyncpg.Connection) -> Application:
    """A line with a loan drawn just now."""
    application = await road.hand_off(await road.apply(ME))
    await owner.execute(
        "update applications.applications set officer_id = $1 where id = $2", OFFICER.id, application.id
    )
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, ME, **more)
    await road.settle()
    return application


async def overdue(road: Road, line: Application) -> tuple[CollectionCase, int]:
    """The first night that finds it late, and the days until then."""
    for days in range(28, 36):
        with clock.at(at(days, 1)):
            await watch_loans.watch_loans(road.context)
        async with road.db.read(JIA) as tx:
            found = await collections.of_application(tx, line.id)
        if found is not None:
            return found, days
    raise AssertionError("never late")


def put(monkeypatch: pytest.MonkeyPatch, arm: str) -> None:
    """Everybody on one side, whatever their hash."""
    monkeypatch.setattr(challenge_collection, "arm_of", lambda *_: arm)


async def test_a_case_that_opens_follows_the_side_of_its_debtor_and_keeps_it(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = await running(road)
    put(monkeypatch, "challenger")
    case, days = await overdue(road, line)
    assert (case.arm, case.challenge_id) == ("challenger", challenge.id)
    assert (case.action, case.channel, case.said) == ("negotiate", "call", "第一天就打电话")
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, line.id, Stage.COLLECTION)
        assert kept is not None
        assert kept.opened.assessment.strategy == challenge.document_hash
        assert await moments.replay(tx, kept.id) == (True, True)
    put(monkeypatch, "champion")
    with clock.at(at(days + 1, 1)):
        await watch_loans.watch_loans(road.context)
    async with road.db.read(JIA) as tx:
        again = await collections.get(tx, case.id)
    assert (again.arm, again.channel) == ("challenger", "call"), "a side is for the life of the case"


async def test_the_other_side_follows_what_is_live_and_says_so(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running(road)
    put(monkeypatch, "champion")
    case, _ = await overdue(road, line)
    assert (case.arm, case.channel) == ("champion", "app")


async def test_a_case_of_before_follows_what_is_live(road: Road, line: Application) -> None:
    case, days = await overdue(road, line)
    await running(road)
    with clock.at(at(days + 1, 1)):
        await watch_loans.watch_loans(road.context)
    async with road.db.read(JIA) as tx:
        again = await collections.get(tx, case.id)
    assert (again.arm, again.challenge_id, again.channel) == (None, None, "app")


async def test_ended_every_case_follows_what_is_live_from_that_moment(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = await running(road)
    put(monkeypatch, "challenger")
    case, days = await overdue(road, line)
    with clock.at(at(days, 10)):
        assert (await collect.contact(road.db, OFFICER, case.id)).phone
    await challenge_collection.end(road.db, ANALYST, challenge.id, "看够了")
    with clock.at(at(days, 11)):
        assert (await collect.contact(road.db, OFFICER, case.id)).phone == ""
    async with road.db.read(JIA) as tx:
        assert (await collections.get(tx, case.id)).arm == "challenger", "what it was stays on record"


async def test_a_challenger_may_plan_what_it_likes_and_the_guard_forbids_it_all_the_same(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D5-01…D5-03: a version that wants to call everybody, also who asked to be left alone and who disputes."""
    await running(road, plan_1=CALL, plan_2=CALL, plan_3=CALL, plan_7=CALL)
    put(monkeypatch, "challenger")
    case, days = await overdue(road, line)
    for hour, held in ((7.5, True), (9, False), (10, False), (11, False), (12, True), (22.5, True)):
        with clock.at(at(days, hour)):
            turn = await collect.contact(road.db, OFFICER, case.id)
        assert (turn.phone == "") == held, (hour, turn)
    said: dict[str, Any] = {"note": "别再打来了", "segment": "willing", "promise_on": None, "disputed": True}
    async with road.db.begin(JIA) as tx:
        await collections.record(tx, case, collections.Outcome(**said, do_not_contact=True))
    with clock.at(at(days + 1, 10)):
        refused = (await collect.contact(road.db, OFFICER, case.id)).refused
    assert "本人要求不再联系" in refused
    assert "有异议" in refused


async def test_a_plan_of_no_action_is_no_leave_to_contact_whatever_its_channel(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running(road, plan_7={"r1": "'none'", "r2": "'call'", "r3": "0", "r4": "'先不联系'"})
    put(monkeypatch, "challenger")
    case, days = await overdue(road, line)
    with clock.at(at(days, 10)):
        assert (await collect.contact(road.db, OFFICER, case.id)).phone == ""


async def test_where_another_version_goes_live_the_challenger_counts_no_more(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch, owner: asyncpg.Connection
) -> None:
    challenge = await running(road)
    put(monkeypatch, "challenger")
    await owner.execute(
        "update post_loan.challenges set champion_hash = 'another' where id = $1", challenge.id
    )
    case, _ = await overdue(road, line)
    assert (case.arm, case.channel) == (None, "app")


async def test_a_challenger_that_no_longer_passes_leaves_the_champion_in_charge(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running(road)
    put(monkeypatch, "challenger")

    async def none(*_: object) -> None:
        return None

    monkeypatch.setattr(moments, "stored", none)
    case, _ = await overdue(road, line)
    assert (case.arm, case.channel) == ("challenger", "app")


def test_sides_are_parted_by_the_debtor_alone_and_near_the_share() -> None:
    challenge = Challenge(
        id=ids.new(), product_code="*", version_id="v", authors=(), document_hash="d", champion_hash="c",
        share_bp=2_000, why="w", maker="m", made_at=clock.now(), status="running", checker="s", answer="a",
        answered_at=clock.now(), ended_by=None, ended_why=None, ended_at=None,
    )  # fmt: skip
    people = [ids.new() for _ in range(4_000)]
    sides = [challenge_collection.arm_of(challenge, each) for each in people]
    assert sides == [challenge_collection.arm_of(challenge, each) for each in people]
    assert 650 < sides.count("challenger") < 950


async def test_it_takes_two_people_and_none_of_them_wrote_the_version(road: Road) -> None:
    made = await proposed(road)
    for who in (ANALYST, COUNTY_ADMIN):
        with pytest.raises(ChallengeNotYours):
            await challenge_collection.answer(road.db, who, made.id, "同意", agreed=True)
    for who in (made.maker, made.authors[0]):
        self = msgspec.structs.replace(ADMIN, id=who.removeprefix("staff:"))
        with pytest.raises(OwnChallenge):
            await challenge_collection.answer(road.db, self, made.id, "同意", agreed=True)
    await challenge_collection.answer(road.db, SECOND, made.id, "不用试", agreed=False)
    with pytest.raises(ChallengeAnswered):
        await challenge_collection.answer(road.db, ADMIN, made.id, "同意", agreed=True)
    async with road.db.read(ANALYST) as tx:
        assert await challenges.running(tx) == []


async def test_sql_holds_the_second_person(road: Road, owner: asyncpg.Connection) -> None:
    made = await proposed(road)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "update post_loan.challenges set status = 'running', champion_hash = 'x', checker = maker, answer = 'y', "
            "answered_at = now() where id = $1",
            made.id,
        )


async def test_what_cannot_be_tried_is_refused(road: Road) -> None:
    made = await version(road, plan_7=CALL)
    for wrong in ({"share_bp": 0}, {"share_bp": 6_000}, {"why": " "}, {"version_id": ids.new()}):
        given = {"version_id": made.id, "share_bp": 1_000, "why": "试试"} | wrong
        with pytest.raises(ChallengeUnfit):
            await challenge_collection.propose(road.db, ANALYST, **given)  # type: ignore[arg-type]
    with pytest.raises(ChallengeNotYours):
        await challenge_collection.propose(road.db, COUNTY_ADMIN, made.id, 1_000, "试试")
    await challenge_collection.propose(road.db, ANALYST, made.id, 1_000, "试试")
    with pytest.raises(ChallengeWaits):
        await challenge_collection.propose(road.db, ANALYST, made.id, 1_000, "试试")


async def test_both_sides_are_counted_beside_each_other(
    road: Road, line: Application, monkeypatch: pytest.MonkeyPatch, owner: asyncpg.Connection
) -> None:
    challenge = await running(road)
    put(monkeypatch, "challenger")
    case, days = await overdue(road, line)
    for hour in (10, 23):
        with clock.at(at(days, hour)):
            await collect.contact(road.db, OFFICER, case.id)
    async with road.db.read(everywhere("test")) as tx:
        with clock.at(at(days + 8, 12)):
            champion, challenger = (await collection_arms.arms(tx, [challenge.id], 7))[challenge.id]
    assert (champion.cases, challenger.cases, challenger.known, challenger.paid) == (0, 1, 1, 0)
    assert (challenger.contacts, challenger.held, challenger.complaints) == (1, 1, 0)
    with clock.at(at(days + 2, 12)):
        async with road.db.read(JIA) as tx:
            [loan] = await loans.of_application(tx, line.id)
        await road.bank(line, "repay", ME, loan_no=loan.loan_no)
        await road.settle()
    with clock.at(at(days + 1, 12)):
        async with road.db.begin(JIA) as tx:
            await tickets.open(tx, kind="complaint", text="别老打电话", customer_id=case.customer_id)
    async with road.db.read(everywhere("test")) as tx:
        with clock.at(at(days + 8, 12)):
            _, challenger = (await collection_arms.arms(tx, [challenge.id], 7))[challenge.id]
        with clock.at(at(days + 3, 12)):
            _, young = (await collection_arms.arms(tx, [challenge.id], 7))[challenge.id]
    assert (challenger.known, challenger.paid, challenger.paid_bp) == (1, 1, 10_000)
    assert challenger.complaints == 1
    assert (young.known, young.paid_bp) == (0, None), "a case of yesterday says nothing yet"


async def test_what_is_live_is_no_challenger_of_itself(
    road: Road, monkeypatch: pytest.MonkeyPatch, owner: asyncpg.Connection
) -> None:
    made = await proposed(road)
    async with road.db.read(ADMIN) as tx:
        live = await moments.live(tx, "*", Stage.COLLECTION)
    assert live is not None
    await owner.execute(
        "update post_loan.challenges set document_hash = $1 where id = $2", live.stage.hash, made.id
    )
    with pytest.raises(ChallengerUnfit):
        await challenge_collection.answer(road.db, ADMIN, made.id, "同意", agreed=True)


async def test_a_version_its_author_threw_away_is_not_agreed_to(road: Road) -> None:
    made = await proposed(road)
    async with road.db.begin(ANALYST) as tx:
        await strategies.discard(tx, made.version_id, reason="不试了")
    with pytest.raises(ChallengerUnfit):
        await challenge_collection.answer(road.db, ADMIN, made.id, "同意", agreed=True)
