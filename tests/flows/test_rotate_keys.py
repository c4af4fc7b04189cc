"""Key rotation under load: nothing becomes unreadable, and the old key can be destroyed afterwards."""

import asyncio

import asyncpg
import pytest

from backend import wiring
from backend.core.actor import system
from backend.core.crypto import Unreadable, Vault
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.applications.model import Declared
from backend.domains.audit import service as audit
from backend.domains.institutions.model import UNION
from backend.flows.rotate_keys import rotate_keys
from backend.outbox import effects, inbox
from backend.settings import load

JIA, OF_UNION = system("4101", "test"), system(UNION, "test")
OLD, NEW = wiring.vault_keys(load({}))[0][1], b"n" * 32
"""The old key is the one the seeded rows were sealed with."""
ROTATION = "xiaodai_rotation"
CLOSED = {
    "contracts.documents": "content",
    "decision.decisions": "capsule",
    "decision.assessments": "capsule",
    "evidence.answers": "facts",
    "post_loan.contact_notes": "note",
}


async def opened(dsn: str, keys: dict[int, bytes], current: int, role: str | None = None) -> Database:
    vault = Vault(keys, current, b"index")
    database = Database(dsn, vault, size=3, flush_audit=audit.flush, role=role)
    await database.open()
    return database


async def test_rotation_while_others_write_leaves_nothing_unreadable(
    database_dsn: str, owner_dsn: str
) -> None:
    before = await opened(database_dsn, {1: OLD}, 1)
    made = []
    async with before.begin(JIA) as tx:
        for n in range(30):
            one = await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")
            await applications.declare(tx, one, Declared(purpose="education", village=f"村{n}"))
            made.append(one.id)
        await effects.add(tx, kind="test", case_id="c", payload={"phone": "1"}, key="k")
        await inbox.receive(tx, source="s", message_id="m", case_id="c", payload={"a": 1})
    async with before.begin(OF_UNION) as tx:
        await inbox.receive(tx, source="s", message_id="m", case_id="c", payload={"of": "nobody's county"})
    await before.close()

    both = await opened(database_dsn, {1: OLD, 2: NEW}, 2)
    writing = True

    async def write() -> None:
        n = 0
        while writing:
            async with both.begin(JIA) as tx:
                one = await applications.get(tx, made[n % 10], lock=True)
                await applications.declare(tx, one, Declared(purpose="education", village=f"新村{n}"))
            n += 1

    load = asyncio.create_task(write())
    rotation = await opened(owner_dsn, {1: OLD, 2: NEW}, 2, role=ROTATION)
    rewritten = await rotate_keys(rotation)
    await rotation.close()
    writing = False
    await load
    assert rewritten >= 20 + 3  # what no writer touched: twenty applications, the effect and both messages
    await both.close()

    after = await opened(database_dsn, {2: NEW}, 2)
    async with after.begin(JIA) as tx:
        for application_id in made:
            assert "村" in (await applications.get(tx, application_id)).declared.village
        assert [m.payload for m in await inbox.unapplied(tx, source="s", case_id="c")] == [{"a": 1}]
    async with after.begin(OF_UNION) as tx:
        [held] = await inbox.unapplied(tx, source="s", case_id="c")
        assert held.payload == {"of": "nobody's county"}
    await after.close()


async def test_without_the_old_key_what_was_not_rotated_is_unreadable(database_dsn: str) -> None:
    before = await opened(database_dsn, {1: OLD}, 1)
    async with before.begin(JIA) as tx:
        one = await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")
        await applications.declare(tx, one, Declared(purpose="education"))
    await before.close()
    after = await opened(database_dsn, {2: NEW}, 2)
    with pytest.raises(Unreadable):
        async with after.read(JIA) as tx:
            await applications.get(tx, one.id)
    await after.close()


@pytest.mark.parametrize("role", [None, ROTATION], ids=["the application", "the rotation"])
async def test_an_append_only_row_is_sealed_anew_by_the_rotation_alone_and_nothing_else_of_it(
    database_dsn: str, owner_dsn: str, role: str | None
) -> None:
    database = await opened(owner_dsn if role else database_dsn, {1: OLD}, 1, role)
    async with database.begin(JIA) as tx:
        await tx.connection.execute("create temp table kept (institution_id text, note text, blob bytea)")
        await tx.connection.execute("insert into kept values ('4101', 'a', '\\x0101')")
        await tx.connection.execute(
            "create trigger append_only before update or delete on kept "
            "for each row execute function xd.refuse_change()"
        )
        reseal = "select xd.reseal('4101', 'kept', 'blob', 'note', 'a', '\\x0101', '\\x0202')"
        if role:
            assert await tx.connection.fetchval(reseal)
        for statement in ("update kept set note = 'b'", *(() if role else (reseal,))):
            with pytest.raises(asyncpg.RestrictViolationError):
                async with tx.savepoint():
                    await tx.connection.execute(statement)
    await database.close()


async def test_the_application_may_not_write_sealed_columns_of_closed_rows(db: Database) -> None:
    for table, column in CLOSED.items():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.begin(JIA) as tx:
                await tx.connection.execute("select set_config('xd.resealing', $1, true)", column)
                await tx.connection.execute(f"update {table} set {column} = {column}")
