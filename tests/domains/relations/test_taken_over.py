"""What was kept as marks before there was a graph comes along with the migration (A6-01)."""

import asyncpg
import pytest

from backend.core import ids
from backend.core.actor import system
from backend.core.crypto import Vault
from backend.db import migrate
from backend.db.database import Database
from backend.db.embedded import Embedded
from backend.domains.audit import service as audit
from backend.domains.relations import findings
from backend.domains.relations import service as relations
from backend.outbox import queue
from tests.domains.relations.conftest import person


async def test_marks_become_counts_and_edges(
    postgres: Embedded, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "t_marks_" + ids.new()[-12:]
    postgres.sql(f'create database "{name}"', "postgres")
    try:
        dsn = postgres.dsn(database=name)
        every = migrate.files()
        monkeypatch.setattr(migrate, "files", lambda: [f for f in every if f[0] < "0152"])
        await migrate.apply(dsn, install_queue=queue.install)
        cases = await marked(dsn, vault)
        monkeypatch.setattr(migrate, "files", lambda: every)
        await migrate.apply(dsn, install_queue=queue.install)
        database = Database(postgres.dsn("xiaodai_app", name), vault, size=2, flush_audit=audit.flush)
        await database.open()
        try:
            async with database.begin(system("4101", "test")) as tx:
                counted = [
                    (await relations.velocity(tx, case)).of("device", "30d").customers for case in cases
                ]
                assert counted == [1, 2, 3]
                around = await relations.neighbourhood(tx, person(0))
                assert (around.ring_customers, around.ring_households) == (3, 3)
                assert await findings.compare(tx) == (3, 0)
        finally:
            await database.close()
    finally:
        postgres.sql(f'drop database "{name}" with (force)', "postgres")


async def marked(dsn: str, vault: Vault) -> list[str]:
    """Three people of 甲县 who handed in from one phone, as the tables of before have it."""
    connection = await asyncpg.connect(dsn)
    cases = []
    for n in range(3):
        cases.append(case := ids.new())
        await connection.execute(
            "insert into applications.applications (institution_id, id, application_no, product_code, "
            "product_version, channel, created_at, updated_at) "
            "values ('4101', $1, $2, 'SXD', 'SXD@1', 'web', now(), now())",
            case,
            str(n),
        )
        for kind, text in (("device", "o1"), ("address", f"{n}"), ("person", person(n))):
            await connection.execute(
                "insert into evidence.marks values ('4101', $1, $2, $3, $4, now() + $5 * interval '1 minute')",
                case, kind, vault.blind(f"mark {kind}", text), person(n), n,
            )  # fmt: skip
    await connection.close()
    return cases
