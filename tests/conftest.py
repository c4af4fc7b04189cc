"""A real PostgreSQL for every test: migrated and seeded once, cloned per test that changes it.

`db` is a fresh clone of the seeded template; `tx` a transaction on the worker's shared clone that is rolled
back. The server runs without fsync: these tests are about behaviour, tests/chaos about durability.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from backend import wiring
from backend.core import ids
from backend.core.actor import Actor, system
from backend.core.crypto import Vault
from backend.db import migrate
from backend.db.database import Database, Tx
from backend.db.embedded import Embedded, stop
from backend.domains.audit import service as audit
from backend.outbox import queue
from backend.settings import Settings, load

TEMPLATE = "xiaodai_template"
LONG = ("browser", "chaos", "slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of several processes none shall stand idle at the end: the files of few and long tests go out first, then those
    of many tests. xdist would by itself keep the former for last."""
    if hasattr(config, "workerinput"):
        long = {item.path for item in items if any(item.get_closest_marker(mark) for mark in LONG)}
        count = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path not in long, -count[item.path]))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """One server per test process."""
    folder = Path(tempfile.mkdtemp(prefix="xiaodai-test-", dir=_place()))
    server = Embedded(folder, durable=False)
    server.initialise()
    process = server.spawn()
    try:
        server.wait_ready(process)
        server.ensure_database(TEMPLATE)
        asyncio.run(_prepare(server))
        yield server
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> str:
    """Memory where the machine lends some: a clone is a thousand small files, and on a disk making them costs more
    than the test that wants it."""
    memory, enough = Path("/dev/shm"), 4 * 1024**3
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > enough else "/tmp"


async def _prepare(server: Embedded) -> None:
    from backend import demo

    await migrate.apply(server.dsn(database=TEMPLATE), install_queue=queue.install)
    await demo.seed(server.dsn(database=TEMPLATE), make_vault(load({})))


def make_vault(settings: Settings) -> Vault:
    return wiring.vault(settings)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a test: own data directory, nothing from the environment."""
    return load({}, xiaodai_data=str(tmp_path))


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return make_vault(settings)


@pytest.fixture
def database_dsn(postgres: Embedded) -> Iterator[str]:
    """A fresh clone of the template, reached as the application's role."""
    name = "t_" + ids.new().replace("-", "")[-20:]
    postgres.sql(f'create database "{name}" template {TEMPLATE} strategy file_copy', "postgres")
    yield postgres.dsn("xiaodai_app", name)
    postgres.sql(f'drop database "{name}" with (force)', "postgres")


@pytest.fixture
def owner_dsn(database_dsn: str) -> str:
    """The same clone as its owner, to look behind row-level security."""
    return database_dsn.replace("xiaodai_app@", "postgres@")


@pytest.fixture
async def db(database_dsn: str, vault: Vault) -> AsyncIterator[Database]:
    database = Database(database_dsn, vault, size=6, flush_audit=audit.flush)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def actor() -> Actor:
    """A job of 甲县."""
    return system("4101", "test")


@pytest.fixture(scope="session")
def shared_dsn(postgres: Embedded) -> str:
    """One clone for all tests of this process that roll back."""
    postgres.sql(f"create database shared template {TEMPLATE} strategy file_copy", "postgres")
    return postgres.dsn("xiaodai_app", "shared")


@pytest.fixture
async def tx(shared_dsn: str, vault: Vault, actor: Actor) -> AsyncIterator[Tx]:
    """A transaction of 甲县 that is rolled back; nothing it does is seen by another test."""
    database = Database(shared_dsn, vault, size=1, flush_audit=audit.flush)
    await database.open()
    try:
        async with database.begin(actor) as transaction:
            yield transaction
            raise _RollBack
    except _RollBack:
        pass
    finally:
        await database.close()


class _RollBack(Exception):
    """Ends a test's transaction."""


@pytest.fixture
async def owner(owner_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection, to look behind row-level security."""
    connection = await asyncpg.connect(owner_dsn)
    yield connection
    await connection.close()
