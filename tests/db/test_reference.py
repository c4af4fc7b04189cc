"""Reference data is kept by a process, and never a moment longer than it stands."""

from collections.abc import Awaitable, Callable

import asyncpg

from backend.core import clock
from backend.core.actor import system
from backend.db import reference
from backend.db.database import Database, Tx, _set_codecs
from backend.domains.regulation import service as regulation

JIA = system("4101", "test")
LPR = "update regulation.parameters set value = to_jsonb($1::text) where key = 'lpr.1y'"


def counted(asked: list[str], answer: str) -> Callable[[], Awaitable[str]]:
    async def ask() -> str:
        asked.append(answer)
        return answer

    return ask


async def lpr(db: Database) -> str:
    async with db.read(JIA) as tx:
        return str((await regulation.in_force(tx, clock.today())).rate("lpr.1y"))


async def test_it_is_asked_for_once_until_its_family_changes(db: Database, owner: asyncpg.Connection) -> None:
    asked: list[str] = []
    for answer in ("first", "second"):
        async with db.read(JIA) as tx:
            assert await reference.kept(tx, "products", "x", ask=counted(asked, answer)) == "first"
    await owner.execute("update products.openings set opened_on = opened_on")
    async with db.read(JIA) as tx:
        assert await reference.kept(tx, "products", "x", ask=counted(asked, "third")) == "third"
    assert asked == ["first", "third"]


async def test_a_change_counts_from_its_commit_on_and_not_before(
    db: Database, owner: asyncpg.Connection
) -> None:
    before = await lpr(db)
    async with owner.transaction():
        await owner.execute(LPR, "0.0111")
        assert await lpr(db) == before
    assert await lpr(db) == "0.0111" != before


async def test_what_was_rolled_back_is_never_met_again(db: Database, owner: asyncpg.Connection) -> None:
    before = await lpr(db)
    await _set_codecs(owner)
    for value in ("0.0222", "0.0333"):
        change = owner.transaction()
        await change.start()
        await owner.execute(LPR, value)
        inside = Tx(owner, JIA, clock.now(), db.vault)
        assert str((await regulation.in_force(inside, clock.today())).rate("lpr.1y")) == value
        await change.rollback()
        assert await lpr(db) == before


async def test_who_changes_it_sees_the_change(db: Database, owner: asyncpg.Connection) -> None:
    inside = Tx(owner, JIA, clock.now(), db.vault)
    asked: list[str] = []
    change = owner.transaction()
    await change.start()
    for value in ("0.0444", "0.0555"):
        assert await reference.kept(inside, "regulation", "y", ask=counted(asked, value)) == value
        await inside.connection.execute(LPR, value)
    await change.rollback()


async def test_one_county_does_not_get_what_another_asked_for(db: Database) -> None:
    asked: list[str] = []
    for county in ("4101", "4102"):
        async with db.read(system(county, "test")) as tx:
            assert await reference.kept(tx, "products", "z", ask=counted(asked, county)) == county


async def test_every_statement_that_changes_it_is_known_to(owner: asyncpg.Connection) -> None:
    """A family's tables in SQL are those whose statements make a transaction look at the stamps anew."""
    from backend.db.queries import _WRITES

    tables = await owner.fetch(
        "select distinct tgrelid::regclass::text as name from pg_trigger where tgname = 'reference_changed'"
    )
    assert len(tables) >= 10
    for row in tables:
        for verb in ("insert into", "update", "delete from"):
            assert _WRITES.search(f"{verb} {row['name']} x")
