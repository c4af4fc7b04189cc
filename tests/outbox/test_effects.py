"""Effects: back-off for three days, dead letters, leases that end with their holder, and lost workers (trust §1)."""

import asyncio
from datetime import datetime, timedelta

import asyncpg

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.db.database import Database
from backend.jobs.handlers import Delivery
from backend.outbox import effects, queue
from backend.outbox.effects import GIVE_UP_AFTER, LEASE, LOST_FOR, MOST_LOST, Effect

JIA = system("4101", "test")


async def add(db: Database, **given: str) -> str:
    async with db.begin(JIA) as tx:
        made = await effects.add(tx, kind="test", case_id="c", payload={}, **given)
    assert made is not None
    return made


async def take(db: Database, effect_id: str, moment: datetime) -> Effect | None:
    with clock.at(moment):
        async with db.begin(JIA) as tx:
            return await effects.lease(tx, effect_id)


async def state(db: Database, effect_id: str) -> tuple[str, datetime, str | None]:
    async with db.read(JIA) as tx:
        row = await tx.connection.fetchrow(
            "select status, due_at, last_error from outbox.effects where institution_id = '4101' and id = $1",
            effect_id,
        )
    return row["status"], row["due_at"], row["last_error"]


async def fail_until_dead(db: Database, effect_id: str, moment: datetime) -> list[float]:
    """Attempt after attempt as soon as each is due; the seconds between them."""
    waits: list[float] = []
    while True:
        taken = await take(db, effect_id, moment)
        assert taken is not None
        with clock.at(moment):
            async with db.begin(JIA) as tx:
                if await effects.failed(tx, taken, "outside_unavailable"):
                    return waits
        due = (await state(db, effect_id))[1]
        waits.append((due - moment).total_seconds())
        moment = due


async def test_an_effect_is_tried_for_three_days_with_back_off_and_jitter_and_then_is_a_dead_letter(
    db: Database,
) -> None:
    effect_id = await add(db)
    waits = await fail_until_dead(db, effect_id, clock.now())

    assert sum(waits) >= GIVE_UP_AFTER.total_seconds() == 72 * 3600
    assert all(1.6 * 2**n <= wait <= 2.4 * 2**n for n, wait in enumerate(waits[:10]))
    assert max(waits) <= 1.2 * 3600
    assert len({round(wait) for wait in waits[-20:]}) > 10  # jitter: no two systems in step
    async with db.read(JIA) as tx:
        [letter] = await effects.dead(tx)
    assert (letter.id, letter.last_error) == (effect_id, "outside_unavailable")


async def test_a_dead_letter_sounds_the_alarm_until_somebody_revives_it(db: Database) -> None:
    effect_id = await add(db)
    taken = await take(db, effect_id, clock.now())
    assert taken is not None
    async with db.begin(JIA) as tx:
        assert await effects.failed(tx, taken, "outside_refused 422 x", final=True)
    async with db.read(everywhere("test")) as tx:
        [alarm] = await effects.alarms(tx)
    assert (alarm.institution_id, alarm.kind, alarm.count) == ("4101", "test", 1)
    async with db.begin(JIA) as tx:
        assert await effects.revive(tx, effect_id)
    async with db.read(everywhere("test")) as tx:
        assert await effects.alarms(tx) == []
    assert await take(db, effect_id, clock.now()) is not None


async def test_a_lease_that_is_kept_is_nobody_elses(db: Database) -> None:
    effect_id, now = await add(db), clock.now()
    taken = await take(db, effect_id, now)
    assert taken is not None
    with clock.at(now + LEASE * 0.9):
        async with db.begin(JIA) as tx:
            assert await effects.keep(tx, taken)
    assert await take(db, effect_id, now + LEASE * 1.5) is None


async def test_the_failure_of_a_worker_that_stood_still_says_nothing_about_the_attempt_after_its_own(
    db: Database,
) -> None:
    effect_id, now = await add(db), clock.now()
    first = await take(db, effect_id, now)
    second = await take(db, effect_id, now + LEASE + timedelta(seconds=1))
    assert first is not None
    assert second is not None
    assert (first.attempts, second.attempts, first.key) == (1, 2, second.key)
    async with db.begin(JIA) as tx:
        await effects.failed(tx, first, "timeout", final=True)
        assert not await effects.keep(tx, first)
    assert (await state(db, effect_id))[0] == "delivering"


async def test_the_success_of_a_worker_that_stood_still_is_enough(db: Database) -> None:
    effect_id, now = await add(db), clock.now()
    first = await take(db, effect_id, now)
    second = await take(db, effect_id, now + LEASE + timedelta(seconds=1))
    assert first is not None
    assert second is not None
    async with db.begin(JIA) as tx:
        await effects.delivered(tx, first)
        await effects.failed(tx, second, "timeout")
    assert (await state(db, effect_id))[0] == "delivered"


async def test_of_two_workers_at_once_one_takes_the_effect(db: Database) -> None:
    effect_id, now = await add(db), clock.now()
    taken = await asyncio.gather(*(take(db, effect_id, now) for _ in range(8)))
    assert sum(one is not None for one in taken) == 1


async def test_an_effect_that_takes_its_workers_down_waits_longer_each_time_and_ends_as_a_dead_letter(
    db: Database,
) -> None:
    effect_id, began = await add(db), clock.now()
    moment, waits = began, list[float]()
    assert await take(db, effect_id, moment) is not None
    for _ in range(10 * MOST_LOST):
        died = moment + LEASE + timedelta(seconds=1)
        again = await take(db, effect_id, died)  # the sweep finds that the lease ran out
        status, due, error = await state(db, effect_id)
        assert error == "worker_lost"
        if status == "dead":
            break
        moment = due
        if again is None:
            again = await take(db, effect_id, due)
        assert again is not None
        waits.append((due - died).total_seconds())
    assert status == "dead"
    assert len(waits) >= MOST_LOST - 1
    assert died - began >= LOST_FOR, "a storm of other causes is no reason"
    assert waits[0] == 0  # the first time at once: most workers die of something else
    assert waits[1] < waits[3] < waits[5]
    assert 24 <= waits[-1] <= 36


async def test_only_workers_lost_in_a_row_count(db: Database) -> None:
    effect_id, moment = await add(db), clock.now()
    for _ in range(2 * MOST_LOST):
        taken = await take(db, effect_id, moment)
        assert taken is not None
        moment += LEASE + timedelta(minutes=1)  # that worker died
        taken = await take(db, effect_id, moment) or await take(db, effect_id, moment + timedelta(minutes=1))
        assert taken is not None, "never a dead letter: the next attempt ends in order"
        async with db.begin(JIA) as tx:
            await effects.failed(tx, taken, "timeout")
        moment += timedelta(hours=2)
        if moment - taken.created_at > GIVE_UP_AFTER - timedelta(hours=3):
            break


async def fail_times(db: Database, times: int, effect_id: str, error: str, moment: datetime) -> None:
    """Tried `times` times, each as soon as it is due, from `moment` on."""
    for _ in range(times):
        taken = await take(db, effect_id, moment)
        assert taken is not None
        with clock.at(moment):
            async with db.begin(JIA) as tx:
                await effects.failed(tx, taken, error)
        moment = (await state(db, effect_id))[1]


async def test_when_a_system_is_back_what_failed_the_same_way_goes_out_within_seconds(db: Database) -> None:
    first, second, other = await add(db), await add(db), await add(db)
    now = clock.now()
    for effect_id, error in ((first, "sms_down"), (second, "sms_down"), (other, "timeout")):
        await fail_times(db, 6, effect_id, error, now)
    due = (await state(db, first))[1]
    taken = await take(db, first, due)
    assert taken is not None
    assert taken.last_error == "sms_down"
    with clock.at(now + timedelta(seconds=10)):
        async with db.begin(JIA) as tx:
            await effects.delivered(tx, taken)
            await effects.hasten(tx, taken)
    assert (await state(db, second))[1] <= now + timedelta(seconds=15)
    assert (await state(db, other))[1] > now + timedelta(seconds=30)


async def test_a_delivery_recorded_with_what_it_changed_takes_hold_of_no_other_effect(
    db: Database, owner: asyncpg.Connection
) -> None:
    """A decision's transaction neither waits for those it would hasten nor keeps them from their workers."""
    waiting, mine, now = await add(db), await add(db), clock.now()
    await fail_times(db, 6, waiting, "sms_down", now)
    await fail_times(db, 1, mine, "sms_down", now)
    taken = await take(db, mine, now + timedelta(minutes=1))
    assert taken is not None
    async with db.begin(JIA) as tx:
        await Delivery(taken).record(tx)
        await owner.execute("select from outbox.effects where id = $1 for update nowait", waiting)
    async with db.begin(JIA) as tx, owner.transaction():
        await owner.execute("select from outbox.effects where id = $1 for update", waiting)
        await asyncio.wait_for(effects.hasten(tx, taken), 3)


async def test_a_first_success_tells_those_that_wait_for_the_same_system_that_it_is_back(
    db: Database,
) -> None:
    """A long storm left one notice alone with an hour to wait, while newer ones went out at once (trust 1)."""
    alone, refused = await add(db), await add(db)
    now = clock.now()
    for effect_id, error in ((alone, "wechat_unavailable"), (refused, "outside_refused 422 x")):
        await fail_times(db, 8, effect_id, error, now)
    fresh = await take(db, await add(db), clock.now())
    assert fresh is not None
    with clock.at(now + timedelta(seconds=10)):
        async with db.begin(JIA) as tx:
            await effects.delivered(tx, fresh)
            await effects.hasten(tx, fresh)
    assert (await state(db, alone))[1] <= now + timedelta(seconds=15)
    assert (await state(db, refused))[1] > now + timedelta(seconds=30)


async def test_a_job_whose_worker_died_before_the_lease_does_not_hold_the_effect_up(
    db: Database, owner_dsn: str
) -> None:
    import asyncpg

    await add(db)
    owner = await asyncpg.connect(owner_dsn)
    try:
        await owner.execute("update queue.pgqueuer set status = 'picked', heartbeat = now()")
        with clock.at(clock.now() + timedelta(seconds=11)):
            async with db.begin(everywhere("sweep")) as tx:
                assert await effects.wake_overdue(tx) == 1
                assert await effects.wake_overdue(tx) == 1  # twice in one round: still one job
        assert await owner.fetchval("select count(*) from queue.pgqueuer where status = 'queued'") == 1
    finally:
        await owner.close()


async def test_what_waits_and_is_no_longer_so_is_overtaken_but_not_what_has_begun(db: Database) -> None:
    async with db.begin(JIA) as tx:
        for number in (1, 2):
            await effects.add(
                tx, kind="test", case_id="c", payload={}, key=f"old {number}", delay=timedelta(seconds=20)
            )
    async with db.read(JIA) as tx:
        begun = (await effects.of_case(tx, "c"))[1]
    assert await take(db, begun.id, clock.now() + timedelta(seconds=21)) is not None
    for number in (1, 2):
        await add(db, key=f"new {number}", overtakes=f"old {number}")
    async with db.read(JIA) as tx:
        now = {each.key: (each.status, each.attempts) for each in await effects.of_case(tx, "c")}
    begun_key, waited_key = begun.key, "old 1" if begun.key == "old 2" else "old 2"
    assert (now[begun_key], now[waited_key]) == (("delivering", 1), ("overtaken", 0))
    assert now["new 1"] == now["new 2"] == ("waiting", 0)


async def test_a_job_wakes_a_worker_and_what_is_called_out_or_put_off_makes_none(db: Database) -> None:
    async with db.begin(JIA) as tx:
        await effects.add(tx, kind="test", case_id="c", payload={}, key="at once", first=True)
        await effects.add(tx, kind="test", case_id="c", payload={}, key="some time")
        await effects.add(tx, kind="test", case_id="c", payload={}, key="later", delay=timedelta(seconds=5))
    async with db.read(JIA) as tx:
        keys = {each.id: each.key for each in await effects.of_case(tx, "c")}
        jobs = await tx.connection.fetch("select entrypoint, payload from queue.pgqueuer")
    lanes = {keys[row["payload"].decode().partition("/")[2]]: row["entrypoint"] for row in jobs}
    assert lanes == {"some time": queue.REST}
    with clock.at(clock.now() + timedelta(seconds=6)):
        async with db.begin(everywhere("sweep")) as tx:
            assert await effects.wake_overdue(tx) == 3
