"""The ground everything stands on: migrations, tenancy, audit and lifecycles in SQL."""

import asyncio

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor, everywhere, system
from backend.core.lifecycle import ForbiddenMove
from backend.db import migrate
from backend.db.database import Database, Tx
from backend.db.queries import literal
from backend.domains.applications import service as applications
from backend.domains.applications.model import ApplicationMoved, ApplicationNotFound
from backend.domains.audit import service as audit
from backend.outbox import effects, queue
from backend.outbox.effects import Q as outbox

JIA, YI = system("4101", "test"), system("4102", "test")


async def begin(tx: Tx) -> applications.Application:
    return await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")


async def test_migrating_twice_at_once_applies_everything_once(owner_dsn: str) -> None:
    done = await asyncio.gather(*(migrate.apply(owner_dsn, install_queue=queue.install) for _ in range(3)))
    assert done == [[], [], []]


async def test_an_altered_migration_stops_the_start(owner_dsn: str, owner: asyncpg.Connection) -> None:
    await owner.execute("update xd.migrations set sha256 = 'x' where name like '0001%'")
    with pytest.raises(migrate.Drifted):
        await migrate.apply(owner_dsn, install_queue=queue.install)


async def test_every_tenant_table_is_under_forced_row_level_security(owner: asyncpg.Connection) -> None:
    exceptions = await owner.fetch("""
        select c.oid::regclass::text as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'institution_id' and not a.attisdropped
        where c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
    """)
    # Reference tables of the union without a person in them: towns, and products with the counties' openings.
    assert {row["name"].split(".")[0] for row in exceptions} <= {"institutions", "products"}
    assert "institutions.branches" not in {row["name"] for row in exceptions}


async def test_the_application_role_owns_nothing_and_bypasses_nothing(owner: asyncpg.Connection) -> None:
    role = await owner.fetchrow("select * from pg_roles where rolname = 'xiaodai_app'")
    assert not role["rolsuper"]
    assert not role["rolbypassrls"]
    assert await owner.fetchval("select count(*) from pg_class where relowner = $1", role["oid"]) == 0


async def test_every_key_of_a_tenant_table_begins_with_the_institution(owner: asyncpg.Connection) -> None:
    strays = await owner.fetch("""
        select i.indexrelid::regclass::text as name
        from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'institution_id' and not a.attisdropped
        where c.relrowsecurity and (i.indisprimary or i.indisunique) and i.indkey[0] <> a.attnum
    """)
    # A product's code is a public name, unique in the whole union; it betrays no customer.
    assert [row["name"] for row in strays if row["name"] != "products.products_code_key"] == []


async def test_another_institution_sees_and_changes_nothing(db: Database) -> None:
    async with db.begin(JIA) as tx:
        made = await begin(tx)
    async with db.begin(YI) as tx:
        with pytest.raises(ApplicationNotFound):
            await applications.get(tx, made.id)
        touched = await tx.connection.execute("update applications.applications set channel = 'x'")
        assert touched == "UPDATE 0"
    async with db.read(everywhere("test")) as tx:
        assert await applications.institution_of_number(tx, made.application_no) == "4101"


async def test_a_row_for_another_institution_is_refused(db: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.begin(JIA) as tx:
            await tx.connection.execute(
                "insert into audit.heads (institution_id, seq, hash) values ('4102', 0, '')"
            )


async def test_without_an_institution_nothing_is_visible(db: Database) -> None:
    async with db.begin(JIA) as tx:
        await begin(tx)
    async with db.read(Actor(kind="system", id="nobody", institution_id="")) as tx:
        assert await tx.connection.fetchval("select count(*) from applications.applications") == 0


async def test_a_union_wide_reader_writes_nowhere(db: Database) -> None:
    async with db.begin(JIA) as tx:
        await begin(tx)
    async with db.begin(everywhere("test")) as tx:
        assert await tx.connection.execute("update applications.applications set channel = 'x'") == "UPDATE 0"


async def test_a_forbidden_move_is_refused_in_python_and_in_sql(db: Database) -> None:
    async with db.begin(JIA) as tx:
        made = await begin(tx)
        with pytest.raises(ForbiddenMove):
            await applications.move(tx, made, "approved", "approve")
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.begin(JIA) as tx:
            await tx.connection.execute("update applications.applications set status = 'approved'")


async def test_two_moves_from_one_status_let_one_through(db: Database) -> None:
    async with db.begin(JIA) as tx:
        made = await begin(tx)

    async def submit() -> bool:
        try:
            async with db.begin(JIA) as tx:
                await applications.move(tx, made, "submitted", "submit")
            return True
        except ApplicationMoved:
            return False

    assert sorted(await asyncio.gather(*(submit() for _ in range(5)))) == [False] * 4 + [True]
    async with db.read(JIA) as tx:
        events = await applications.events(tx, made.id)
    assert [(e.seq, e.event, e.to_status) for e in events] == [
        (1, "begun", "draft"),
        (2, "submit", "submitted"),
    ]


async def test_events_cannot_be_altered_even_by_the_owner(db: Database, owner: asyncpg.Connection) -> None:
    async with db.begin(JIA) as tx:
        await begin(tx)
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("update applications.events set why = 'x'")


async def test_an_altered_audit_row_is_found(db: Database, owner: asyncpg.Connection) -> None:
    for _ in range(3):
        async with db.begin(JIA) as tx:
            await begin(tx)
    assert (await audit.verify(db))[1] == []
    await owner.execute("alter table audit.entries disable trigger append_only")
    await owner.execute("update audit.entries set action = 'other' where institution_id = '4101' and seq = 2")
    assert [b.institution_id for b in (await audit.verify(db))[1]] == ["4101"]


async def test_a_chain_whose_end_was_taken_away_is_found(db: Database, owner: asyncpg.Connection) -> None:
    """Not by the application: its role may not; and who may is told on."""
    async with db.begin(JIA) as tx:
        audit.add(tx, "test.done", "1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.begin(JIA) as tx:
            await tx.connection.execute("delete from audit.heads")
    await owner.execute("delete from audit.heads where institution_id = '4101'")
    total, broken = await audit.verify(db)
    assert [(each.institution_id, each.rows) for each in broken] == [("4101", [1])], total


async def test_a_removed_last_audit_row_is_found(db: Database, owner: asyncpg.Connection) -> None:
    async with db.begin(JIA) as tx:
        await begin(tx)
    await owner.execute("alter table audit.entries disable trigger append_only")
    await owner.execute(
        "delete from audit.entries e where e.institution_id = '4101' and e.seq ="
        " (select max(seq) from audit.entries where institution_id = '4101')"
    )
    assert (await audit.verify(db))[1] != []


async def test_parallel_writers_keep_one_unbroken_chain(db: Database) -> None:
    async def write() -> None:
        async with db.begin(JIA) as tx:
            await begin(tx)

    await asyncio.gather(*(write() for _ in range(20)))
    total, broken = await audit.verify(db)
    assert (total >= 20, broken) == (True, [])


async def test_an_effect_is_written_with_its_change_or_not_at_all(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.begin(JIA) as tx:
            await effects.add(tx, kind="test", case_id="c", payload={}, key="k")
            raise ZeroDivisionError
    async with db.begin(JIA) as tx:
        assert await effects.of_case(tx, "c") == []
        first = await effects.add(tx, kind="test", case_id="c", payload={"a": 1}, key="k")
        assert first is not None
        assert await effects.add(tx, kind="test", case_id="c", payload={}, key="k") is None
    async with db.begin(JIA) as tx:
        taken = await effects.lease(tx, first)
        assert taken is not None
        assert (taken.payload, taken.attempts) == ({"a": 1}, 1)
        assert await effects.lease(tx, first) is None


async def test_nothing_of_a_session_reaches_the_next_borrower(db: Database) -> None:
    """The reset may come with the commit; it must be whole all the same (trust 2)."""

    async def spoil(tx: Tx) -> int:
        await tx.connection.execute(
            "set search_path = pg_catalog; set app.institution = '4102'; listen spoiled"
        )
        await tx.connection.execute("select pg_advisory_lock(77)")
        return int(await tx.connection.fetchval("select pg_backend_pid()"))

    for enter in (db.begin, db.read):
        for fails in (False, True):
            try:
                async with enter(JIA) as tx:
                    if enter is db.read:
                        await tx.connection.execute("select pg_advisory_lock(77)")
                    else:
                        await spoil(tx)
                    if fails:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            async with db.pool.acquire() as connection:
                state = await connection.fetchrow(
                    "select current_setting('app.institution', true) as institution,"
                    " current_setting('search_path') as path,"
                    " (select count(*) from pg_locks where locktype = 'advisory' and objid = 77) as locks,"
                    " (select count(*) from pg_listening_channels()) as channels"
                )
            assert (state["institution"] or "", state["locks"], state["channels"]) == ("", 0, 0)
            assert "pg_catalog" not in state["path"]


async def test_who_uses_the_pool_itself_is_reset_also_after_a_transaction(db: Database) -> None:
    async with db.read(JIA) as tx:
        pid = await tx.connection.fetchval("select pg_backend_pid()")
    for _ in range(2):
        async with db.pool.acquire() as connection:
            assert await connection.fetchval("select pg_backend_pid()") == pid
            assert await connection.fetchval("show app.institution") in ("", None)
            await connection.execute("set app.institution = '4102'")


async def test_a_commit_that_fails_undoes_everything_and_the_connection_goes_on(db: Database) -> None:
    with pytest.raises(asyncpg.PostgresError):
        async with db.begin(JIA) as tx:
            made = await begin(tx)
            await tx.connection.execute(
                "create temporary table late (a int unique deferrable initially deferred) on commit drop"
            )
            await tx.connection.execute("insert into late values (1), (1)")
    async with db.read(JIA) as tx:
        with pytest.raises(ApplicationNotFound):
            await applications.get(tx, made.id)


async def test_what_is_kept_for_the_end_is_done_with_the_commit_or_not_at_all(db: Database) -> None:
    """The chain's head is locked neither while we think nor while the network does."""
    with pytest.raises(ZeroDivisionError):
        async with db.begin(JIA) as tx:
            audit.add(tx, "test.undone", "end")
            raise ZeroDivisionError
    async with db.begin(JIA) as tx:
        audit.add(tx, "test.done", "end", said="'; drop table audit.entries; -- \\ 省联社")
        assert await audit.of(tx, "end") == []
        assert tx.at_the_end == []
    async with db.read(JIA) as tx:
        [entry] = await audit.of(tx, "end")
    assert (entry.action, entry.details) == (
        "test.done",
        '{"said":"\'; drop table audit.entries; -- \\\\ 省联社"}',
    )
    assert (await audit.verify(db))[1] == []


async def test_one_that_fails_at_the_end_takes_the_whole_transaction_with_it(db: Database) -> None:
    query = outbox.statements["forget_payload"]
    with pytest.raises(asyncpg.PostgresError):
        async with db.begin(JIA) as tx:
            made = await begin(tx)
            query.at_the_end(tx, institution_id="4101", id="no number", payload="{}")
    async with db.begin(JIA) as tx:
        with pytest.raises(ApplicationNotFound):
            await applications.get(tx, made.id)
        with pytest.raises(TypeError, match="no literal for float"):
            query.at_the_end(tx, institution_id="4101", id="i", payload=1.5)
        with pytest.raises(TypeError, match="not given"):
            query.at_the_end(tx, institution_id="4101", id="i")


async def test_what_a_step_noted_that_was_undone_is_not_done_at_the_end(db: Database) -> None:
    async with db.begin(JIA) as tx:
        audit.add(tx, "test.before", "step")
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                audit.add(tx, "test.inside", "step")
                raise ZeroDivisionError
        audit.add(tx, "test.after", "step")
    async with db.read(JIA) as tx:
        assert [entry.action for entry in await audit.of(tx, "step")] == ["test.after", "test.before"]


@pytest.mark.parametrize(
    "value",
    ["", "省联社", "'; select 1; --", "\\'$1:a", b"", b"\x00'\\", ["a'", "b"], [b"\x00"], clock.now()],
)
async def test_a_literal_is_read_back_as_what_it_was(owner: asyncpg.Connection, value: object) -> None:
    assert await owner.fetchval(f"select {literal(value)}") == value
