"""反中介哨兵 (N15): windows in SQL stop one placement alone; a person's release starts them anew."""

from datetime import timedelta

import pytest

from backend.core import clock, ids
from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.db.database import Database
from backend.demo import staff_id
from backend.domains.audit import service as audit
from backend.domains.campaigns import sentinel, service
from backend.domains.campaigns.model import ResponsibleCode
from tests.flows.conftest import JIA
from tests.officer_codes import codes_of

ADMIN = Actor("staff", staff_id("4101", 3), "4101", frozenset({"county_admin"}), "赵长根")
LI_SI = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer", "county_admin"}), "李四")


async def codes(db: Database) -> dict[str, ResponsibleCode]:
    """李四's, by placement."""
    async with db.read(JIA) as tx:
        return {code.placement: code for code in await codes_of(tx, LI_SI.id)}


async def limits(db: Database, owner, placement: str, **most: int) -> None:
    for pattern, value in most.items():
        await owner.execute(
            "update campaigns.placement_limits set most = $3 where placement = $1 and pattern = $2",
            placement, pattern, value,
        )  # fmt: skip


async def scan(db: Database, code: ResponsibleCode, *visitors: str) -> None:
    for visitor in visitors:
        async with db.begin(JIA) as tx:
            await service.record_scan(tx, code.id, channel="qr", visitor=visitor)


async def frozen(db: Database) -> list[tuple[str, str, int]]:
    async with db.read(JIA) as tx:
        return [(each.code_id, each.pattern, each.counted) for each in await sentinel.standing(tx)]


async def test_a_burst_stops_this_placement_and_no_other(db: Database, owner) -> None:
    await limits(db, owner, "group", burst=3)
    group, moments = (await codes(db))["group"], (await codes(db))["moments"]
    await scan(db, group, "a", "a", "a", "b", "c")
    await scan(db, moments, *"abcdefg")
    assert await frozen(db) == [], "who scans again counts once"
    await scan(db, group, "d")
    assert await frozen(db) == [(group.id, "burst", 4)]
    async with db.read(JIA) as tx:
        assert [(await service.verify(tx, c.token)).state for c in (group, moments)] == ["frozen", "real"]
        shown = (await service.verify(tx, group.token)).reason
        [entry] = [e for e in await audit.of(tx, group.id) if e.action == "code.frozen"]
    assert shown == sentinel.STOPPED, "which pattern it was is not for everybody"
    assert '"pattern":"burst"' in entry.details
    await scan(db, group, "e", "f")
    assert len(await frozen(db)) == 1


async def test_a_slow_trickle_is_no_burst_but_a_copied_code_it_may_be(db: Database, owner) -> None:
    await limits(db, owner, "group", burst=3, copied=5)
    group, now = (await codes(db))["group"], clock.now()
    for n in range(6):
        with clock.at(now + timedelta(hours=2 * n)):
            await scan(db, group, f"v{n}")
        assert bool(await frozen(db)) is (n == 5)
    assert await frozen(db) == [(group.id, "copied", 6)]


async def test_two_people_who_were_asked_for_money_stop_it_one_who_says_it_twice_does_not(
    db: Database,
) -> None:
    known = await codes(db)
    group = known["group"]
    for teller in ("first", "first", "second"):
        assert await frozen(db) == []
        async with db.begin(Actor("customer", teller, "4101", frozenset())) as tx:
            await service.report(tx, kind="fee_asked", text="", code_id=group.id)
    assert await frozen(db) == [(group.id, "fee", 2)]
    async with db.begin(JIA) as tx:
        await service.report(tx, kind="other", text="问问", code_id=known["moments"].id)
    assert len(await frozen(db)) == 1


@pytest.mark.parametrize(("kind", "enough"), [("out_of_area", 10), ("helper", 2)])
async def test_signals_of_cases_count_each_case_once(db: Database, kind: str, enough: int) -> None:
    group, cases = (await codes(db))["group"], [ids.new() for _ in range(enough)]
    stopped = []
    for case in [cases[0], *cases]:
        async with db.begin(JIA) as tx:
            stopped.append(await sentinel.signal(tx, group.id, kind, case))
    assert stopped == [False] * enough + [True]
    assert await frozen(db) == [(group.id, kind, enough)]


async def test_released_with_a_reason_by_another_it_goes_on_and_the_past_does_not_count_again(
    db: Database, owner
) -> None:
    await limits(db, owner, "group", burst=1)
    group, now = (await codes(db))["group"], clock.now()
    await scan(db, group, "a", "b")
    with clock.at(now + timedelta(minutes=1)):
        for actor, reason, error in (
            (ADMIN, "好", Invalid), (LI_SI, "都是村里人在扫", sentinel.OwnPlacement),
        ):  # fmt: skip
            with pytest.raises(error):
                async with db.begin(actor) as tx:
                    await sentinel.release(tx, group.id, reason)
        async with db.begin(ADMIN) as tx:
            await sentinel.release(tx, group.id, "村里开会一起扫的")
        with pytest.raises(sentinel.NothingToRelease):
            async with db.begin(ADMIN) as tx:
                await sentinel.release(tx, group.id, "再恢复一次")
    with clock.at(now + timedelta(minutes=2)):
        await scan(db, group, "c")
        assert await frozen(db) == []
        await scan(db, group, "d")
    assert await frozen(db) == [(group.id, "burst", 2)]
    rows = await owner.fetch("select reason, released_by from campaigns.freezes order by frozen_at")
    assert [(row["reason"], str(row["released_by"])) for row in rows] == [
        ("村里开会一起扫的", ADMIN.id),
        (None, "None"),
    ]


async def test_many_at_once_stop_it_once(db: Database, owner) -> None:
    import asyncio

    await limits(db, owner, "group", burst=2)
    group = (await codes(db))["group"]
    await asyncio.gather(*(scan(db, group, f"v{n}") for n in range(12)))
    assert await owner.fetchval("select count(*) from campaigns.freezes") == 1
