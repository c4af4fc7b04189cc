"""A case whose every question was answered before is decided in the transaction that takes it up (issue 3 §9)."""

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.decision import service as decisions
from backend.flows import gather_facts, notify, submit_application
from backend.jobs import worker
from backend.jobs.neighbours import Neighbours
from backend.outbox import effects, queue
from backend.outbox.effects import EffectState
from backend.settings import Settings
from tests.flows.conftest import JIA, Road, id_number


async def answered(road: Road, number: str, **more: Any) -> Application:
    """A complete draft about whom everything was asked before."""
    script = more.pop("script", {})
    await road.person(number, **({"preset": "good", "phone": "match"} | script))
    draft = await road.draft(number, **more)
    async with road.db.begin(JIA) as tx:
        bundle = await decisions.bundle_for(tx, draft.product_code)
        asked = msgspec.structs.replace(draft, submitted_at=clock.now())
        known = await gather_facts.known(tx, asked, bundle, await gather_facts.read(tx, asked))
    gathered = await gather_facts.gather_facts(road.context, JIA, asked, bundle, known, quiet=True)
    assert not gathered.down
    return draft


async def hurry(road: Road, application: Application) -> str:
    """As the worker that hears of it."""
    asked = await the_effect(road, application, submit_application.DECIDE)
    return await worker.deliver(road.context, "4101", asked.id, at_once=True)


async def the_effect(road: Road, application: Application, kind: str) -> EffectState:
    async with road.db.read(JIA) as tx:
        return next(each for each in await effects.of_case(tx, application.id) if each.kind == kind)


async def test_it_is_one_commit_that_nobody_outside_hears_of(road: Road) -> None:
    draft = await answered(road, id_number())
    before = [await road.ledger(system) for system in ("identity_check", "credit_bureau", "data_platform")]
    await road.submit(draft)
    assert await hurry(road, draft) == "delivered"
    decided = await road.see(draft)
    assert decided.status == "approved"
    assert (await road.events(draft))[-2:] == ["submitted", "approved"]
    asked = await the_effect(road, draft, submit_application.DECIDE)
    assert (asked.status, asked.attempts, asked.delivered_at) == ("delivered", 1, decided.decided_at)
    told = await the_effect(road, draft, notify.KIND)
    assert told.key.endswith(":approved"), "no word that it has come: the result says so"
    after = [await road.ledger(system) for system in ("identity_check", "credit_bureau", "data_platform")]
    assert after == before
    assert await hurry(road, draft) == "nothing", "called twice, done once"
    async with road.db.read(JIA) as tx:
        assert await decisions.latest_for(tx, draft.id) is not None


async def test_a_case_somebody_must_be_asked_about_is_taken_up_and_then_decided(road: Road) -> None:
    await road.person(id_number(), preset="good", phone="match")
    draft = await road.draft(id_number())
    await road.submit(draft)
    assert await hurry(road, draft) == "delivered"
    assert (await road.see(draft)).status == "approved"
    story = await road.events(draft)
    assert story.index("submitted") < story.index("deciding") < story.index("got.credit_bureau")
    asked = await the_effect(road, draft, submit_application.DECIDE)
    assert (asked.status, asked.attempts) == ("delivered", 1)


async def test_what_fails_at_once_leaves_nothing_and_is_decided_by_the_counted_way(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await answered(road, id_number())
    await road.submit(draft)
    move, failed = applications.move, []

    async def once(tx: Any, application: Application, to: str, *rest: Any, **more: Any) -> Application:
        if to == "approved" and not failed:
            failed.append(to)
            raise RuntimeError("planted, when the decision was written")
        return await move(tx, application, to, *rest, **more)

    monkeypatch.setattr(applications, "move", once)
    assert await hurry(road, draft) == "delivered"
    assert (await road.see(draft)).status == "approved"
    assert (await road.events(draft))[-3:] == ["submitted", "deciding", "approved"]
    async with road.db.read(JIA) as tx:
        count = await tx.connection.fetchval(
            "select count(*) from decision.decisions where application_id = $1", draft.id
        )
    assert (failed, count) == (["approved"], 1)


async def test_many_workers_hear_of_it_and_one_decides(road: Road) -> None:
    draft = await answered(road, id_number())
    await road.submit(draft)
    asked = await the_effect(road, draft, submit_application.DECIDE)
    done = await asyncio.gather(
        *(worker.deliver(road.context, "4101", asked.id, at_once=True) for _ in range(6))
    )
    assert sorted(done) == ["delivered"] + ["nothing"] * 5
    assert (await road.events(draft)).count("approved") == 1


async def test_two_of_a_person_at_once_promise_no_more_than_the_cap(road: Road) -> None:
    """D1-01, as `test_road` for those that ask outside: the second reads what the first has promised."""
    number = id_number()
    rich = {"core_payroll_average": 5_000_000, "core_deposit_average_6m": 200_000_000,
            "core_inflow_12m": 60_000_000, "bureau_internet_consumer_credit": 8_000_000}  # fmt: skip
    more = {"script": {"profile": rich}, "income_band": "over_200k"}
    first = await answered(road, number, amount_fen=20_000_000, **more)
    second = await answered(road, number, amount_fen=10_000_000, product="LLHM", **more)
    await road.submit(first)
    await road.submit(second)
    await asyncio.gather(hurry(road, first), hurry(road, second))
    seen = [await road.see(each) for each in (first, second)]
    assert all(each.status in ("approved", "declined") for each in seen)
    promised = [(await road.contract(each)).limit_fen for each in seen if each.status == "approved"]
    assert promised
    assert sum(promised) + 8_000_000 <= 20_000_000


async def test_who_must_ask_outside_keeps_nobody_waiting(road: Road, database_dsn: str) -> None:
    """More of them than a worker has hands, all before one whose answers are there: that one is decided first, and
    nobody outside is asked one after the other."""
    at_hand = await answered(road, id_number(900))
    slow = []
    for serial in range(worker.HANDS + 3):
        await road.person(id_number(serial), preset="good", phone="match")
        slow.append(await road.draft(id_number(serial)))
    await road.fault("identity_check", "*", "delay", times=len(slow), seconds=2)
    stop, connection = asyncio.Event(), await asyncpg.connect(database_dsn)
    working = asyncio.create_task(worker.run(road.context, connection, stop, (queue.FIRST,)))
    try:
        await asyncio.sleep(0.2)  # it listens
        for each in (*slow, at_hand):
            await road.submit(each)
        for _ in range(300):
            if {(await road.see(each)).status for each in (*slow, at_hand)} == {"approved"}:
                break
            await asyncio.sleep(0.1)
    finally:
        stop.set()
        await working
        await connection.close()
    moments = [(await road.see(each)).decided_at for each in slow]
    first = (await road.see(at_hand)).decided_at
    assert all(first < moment for moment in moments)
    taken = [next(e.at for e in await story(road, each) if e.event == "deciding") for each in slow]
    assert max(taken) < min(moments), "all were being asked about before one was answered"


async def story(road: Road, application: Application) -> list[Any]:
    async with road.db.read(JIA) as tx:
        return await applications.events(tx, application.id)


async def test_a_worker_of_the_rest_hears_no_calls(
    road: Road, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(queue, "calls", heard.append)
    stop, connection = asyncio.Event(), await asyncpg.connect(database_dsn)
    working = asyncio.create_task(worker.run(road.context, connection, stop, (queue.REST,)))
    await asyncio.sleep(0.2)
    stop.set()
    await working
    await connection.close()
    assert heard == [], "nobody would take them from where they are put"


async def test_a_call_is_heard_at_the_commit_in_its_order_and_not_at_all_without_one(
    db: Database, database_dsn: str
) -> None:
    connection: Any = await asyncpg.connect(database_dsn)
    try:
        async with queue.calls(connection) as heard:
            made = []
            for number in range(3):
                async with db.begin(JIA) as tx:
                    key = f"call {number}"
                    made.append(await effects.add(tx, kind="t", case_id="c", payload={}, key=key, first=True))
            with pytest.raises(RuntimeError, match="planted"):
                async with db.begin(JIA) as tx:
                    await effects.add(tx, kind="t", case_id="c", payload={}, first=True)
                    raise RuntimeError("planted")
            async with asyncio.timeout(5):
                assert [await heard.get() for _ in made] == [("4101", each) for each in made]
            async with db.begin(JIA) as tx:
                assert (
                    await effects.add(tx, kind="t", case_id="c", payload={}, key="call 0", first=True) is None
                )
            await asyncio.sleep(0.1)
            assert heard.empty()
    finally:
        await connection.close()


async def test_what_a_neighbour_has_taken_is_not_asked_of_the_database(
    db: Database, settings: Settings, road: Road, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()
    made: list[str | None] = []

    async def leased(_: object, __: object, effect_id: str, *, at_once: bool) -> None:
        assert at_once
        asked.put_nowait(effect_id)

    monkeypatch.setattr(worker, "_lease", leased)
    monkeypatch.setattr(Neighbours, "leave_me", lambda _, effect_id: effect_id != made[0])
    stop, connection = asyncio.Event(), await asyncpg.connect(database_dsn)
    working = asyncio.create_task(worker.run(road.context, connection, stop, (queue.FIRST,), hands=1))
    try:
        await asyncio.sleep(0.2)  # it listens
        for number in range(3):
            async with db.begin(JIA) as tx:
                made.append(
                    await effects.add(tx, kind="t", case_id="c", payload={}, key=str(number), first=True)
                )
        async with asyncio.timeout(5):
            assert [await asked.get() for _ in made[1:]] == made[1:]
    finally:
        stop.set()
        await working
        await connection.close()
    assert asked.empty()
    assert (settings.data / "run" / "calls").exists()
