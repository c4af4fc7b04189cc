"""A line of a list is forgotten some time after it last counted (D7)."""

from datetime import timedelta

import asyncpg

from backend.core import clock
from backend.core.actor import system
from backend.db.classes import CLASSES
from backend.domains.audit import service as audit
from backend.domains.relations import lists
from backend.flows import forget_entries

from .conftest import JIA, Road, id_number

SECOND = system("4101", "second")
SAID = "蓝孔雀在屋顶上唱歌"


async def line(road: Road, serial: int, list_name: str = "block") -> str:
    async with road.db.begin(JIA) as tx:
        return await lists.propose(
            tx, list_name=list_name, kind="id_number", text=id_number(serial), reason=SAID, source="公安函",
            expires_on=clock.today() + timedelta(days=30),
        )  # fmt: skip


async def left(owner: asyncpg.Connection, entry_id: str) -> set[str]:
    """Sealed and hashed columns that still say something."""
    columns = CLASSES["relations.list_entries"]
    row = await owner.fetchrow("select * from relations.list_entries where id = $1", entry_id)
    return {name for name in (*columns.sealed.split(), *columns.index.split()) if row[name]}


async def night(road: Road, days: int) -> int:
    with clock.at(clock.now() + timedelta(days=days)):
        return await forget_entries.forget_entries(road.context)


async def test_a_line_is_kept_until_its_term_is_over_and_then_holds_nobody(
    road: Road, owner: asyncpg.Connection
) -> None:
    active, proposed, off = await line(road, 801), await line(road, 802), await line(road, 803)
    async with road.db.begin(SECOND) as tx:
        await lists.approve(tx, active)
        await lists.approve(tx, off)
    async with road.db.begin(JIA) as tx:
        await lists.end(tx, off, SAID)
    async with road.db.begin(SECOND) as tx:
        await lists.agree_to_end(tx, off)
    assert await left(owner, off) == {"shown", "reason", "end_why", "key"}
    assert await night(road, 179) == 0
    assert await night(road, 181) == 1, "what was taken off"
    assert await left(owner, off) == set()
    await owner.execute(
        "update relations.list_entries set expires_on = current_date - 1 where forgotten_at is null"
    )
    assert await night(road, 181) == 2, "what stood and what waited on its last day"
    assert await night(road, 181) == 0
    assert await left(owner, active) | await left(owner, proposed) == set()
    rows = await owner.fetch("select id::text, status from relations.list_entries")
    assert dict(rows) == {active: "ended", proposed: "refused", off: "ended"}
    async with road.db.read(JIA) as tx:
        assert [each.shown for each in await lists.entries(tx)] == ["", "", ""]
    assert (await audit.verify(road.db))[1] == []


async def test_the_term_is_a_dated_rule(road: Road, owner: asyncpg.Connection) -> None:
    entry = await line(road, 804)
    await owner.execute("update relations.list_entries set expires_on = current_date - 1")
    await owner.execute("update regulation.parameters set value = '30' where key = 'retention.list_days'")
    assert await night(road, 31) == 1
    assert await left(owner, entry) == set()
