"""Rules of two people are kept by two people, not by two names the application gives (A3-33, A7-05, D1-05)."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor, everywhere, system
from backend.db.database import Database
from backend.domains.audit import service as audit
from backend.domains.relations import lists

JIA = system("4101", "test")
WANG, LI = (
    Actor("staff", name, "4101", frozenset({"county_admin"})) for name in ("王五", "李四'; select 'x")
)

TWO_PEOPLE = {
    "campaigns.freezes": {"released_by"},
    "campaigns.materials": {"maker", "reviewer"},
    "customers.erasure_requests": {"asked_by", "checked_by"},
    "customers.freezes": {"frozen_by", "release_asked_by", "released_by"},
    "models.alarms": {"acknowledged_by"},
    "models.events": {"who"},
    "models.line_up_proposals": {"maker", "checker", "withdrawn_by"},
    "models.line_ups": {"who"},
    "models.models": {"made_by", "tested_by", "reviewed_by", "approved_by"},
    "post_loan.challenges": {"maker", "checker", "ended_by"},
    "post_loan.drawdown_checks": {"answered_by"},
    "post_loan.warnings": {"answered_by"},
    "products.publications": {"checker"},
    "products.versions": {"maker"},
    "relations.list_entries": {"made_by", "checked_by", "end_asked_by", "ended_by"},
    "reviews.exceedings": {"maker", "checker"},
    "reviews.inquiries": {"asked_by"},
    "reviews.rechecks": {"found_by", "done_by"},
    "reviews.reviews": {"answered_by"},
    "strategies.approvals": {"checker"},
    "strategies.check_runs": {"run_by"},
    "strategies.moves": {"who"},
    "strategies.scenarios": {"made_by", "stop_asked_by", "retired_by"},
    "strategies.versions": {"maker", "checker"},
    "surveys.surveys": {"checked_by"},
}
COPIED = {"strategies.approvals.maker", "products.publications.maker"}
"""Of the version, held to it by a foreign key."""


async def test_the_chain_names_who_acts_when_it_happens(db: Database, owner: asyncpg.Connection) -> None:
    with clock.at(datetime(2020, 1, 1, tzinfo=UTC)):
        async with db.begin(LI) as tx:
            audit.add(tx, "test.done", "1")
            tx.actor = WANG  # what the application believes is nothing to the chain
    row = await owner.fetchrow("select actor, at from audit.entries where action = 'test.done'")
    assert row["actor"] == f"staff:{LI.id}"
    assert abs(row["at"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert (await audit.verify(db))[1] == []


@pytest.mark.parametrize(
    "forged",
    [
        "insert into audit.entries select institution_id, seq + 1, at, 'staff:王五', action, subject, details,"
        " hash from audit.entries where institution_id = '4101' order by seq desc limit 1",
        "update audit.heads set seq = seq - 1",
        "insert into audit.heads values ('4101', 0, '')",
        "select audit.append('4101', now(), 'staff:王五', '[]')",
        "update audit.entries set actor = 'staff:王五'",
    ],
)
async def test_nobody_writes_a_link_of_the_chain_by_hand(db: Database, forged: str) -> None:
    async with db.begin(JIA) as tx:
        audit.add(tx, "test.done", "1")
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError)):
        async with db.begin(JIA) as tx:
            await tx.connection.execute(forged)
    assert (await audit.verify(db))[1] == []


async def test_who_is_not_named_writes_nothing_into_the_chain(db: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.begin(JIA) as tx:
            await tx.connection.execute("set local app.actor = ''; select audit.append('[]')")


async def test_the_name_ends_with_the_transaction(db: Database) -> None:
    async with db.begin(WANG) as tx:
        assert await tx.connection.fetchval("select xd.actor()") == "staff:王五"
    connection = await db.acquire()
    try:
        assert await connection.fetchval("select xd.actor()") is None
    finally:
        await db.release(connection)


@pytest.mark.parametrize("name", ["a\\' or", "a\x00", "长" * 201])
async def test_a_name_that_could_be_more_than_a_name_is_refused(db: Database, name: str) -> None:
    with pytest.raises(ValueError):
        async with db.begin(system("4101", name)):
            pass


async def test_no_person_becomes_another_within_a_transaction(db: Database) -> None:
    async with db.begin(WANG) as tx:
        with pytest.raises(ValueError):
            await tx.become(system("4101", "release"))
    async with db.begin(JIA) as tx:
        for who in (WANG, system("4102", "release"), everywhere("release")):
            with pytest.raises(ValueError):
                await tx.become(who)


async def test_one_person_cannot_sign_as_two(db: Database) -> None:
    """The application says another name than whose transaction it is: the database knows better."""
    async with db.begin(WANG) as tx:
        entry = await lists.propose(
            tx, list_name="block", kind="phone", text="13900000001", reason="冒名申请", source="公安协查函",
            expires_on=clock.today() + timedelta(days=10),
        )  # fmt: skip
    with pytest.raises(asyncpg.CheckViolationError, match="signed by who acts"):
        async with db.begin(WANG) as tx:
            tx.actor = LI
            await lists.approve(tx, entry)
    with pytest.raises(asyncpg.CheckViolationError, match="signed by who acts"):
        async with db.begin(WANG) as tx:
            await tx.connection.execute("update relations.list_entries set made_by = 'staff:王六'")
    async with db.begin(LI) as tx:
        await lists.approve(tx, entry)


async def test_every_column_of_a_rule_of_two_is_held_to_the_actor(owner: asyncpg.Connection) -> None:
    """A new table with a maker and a checker says so with `xd.sign`."""
    held = await owner.fetch(
        "select tgrelid::regclass::text as name, tgargs from pg_trigger where tgname = 'signed'"
    )
    signed = {row["name"]: set(bytes(row["tgargs"]).decode().split("\x00")[1:-1]) for row in held}
    assert signed == TWO_PEOPLE
    named = await owner.fetch(
        "select table_schema || '.' || table_name || '.' || column_name as name from information_schema.columns"
        " where column_name in ('maker', 'checker', 'reviewer', 'checked_by', 'approved_by', 'reviewed_by')"
    )
    columns = {f"{table}.{column}" for table, names in signed.items() for column in names}
    assert {row["name"] for row in named} - columns == COPIED
