"""One token for all replicas, fetched once however many ask at the same moment (wechat.md)."""

import asyncio
from datetime import timedelta

import pytest

from backend.core import clock
from backend.core.errors import Unavailable
from backend.db.database import Database, in_transaction
from backend.domains.audit import service as audit
from backend.domains.channels.tokens import LEASE, SharedTokenStore
from backend.settings import Settings


class Platform:
    """Counts the calls, answers slowly, and would notice an open transaction."""

    def __init__(self, seconds: int = 7200) -> None:
        self.calls, self.seconds, self.fails = 0, seconds, 0

    async def __call__(self) -> tuple[str, int]:
        assert not in_transaction()
        self.calls += 1
        number = self.calls
        await asyncio.sleep(0.1)
        if self.fails:
            self.fails -= 1
            raise Unavailable()
        return f"token-{number}", self.seconds


@pytest.fixture
async def other_db(database_dsn: str, db: Database) -> object:
    """The pool of another process."""
    database = Database(database_dsn, db.vault, size=6, flush_audit=audit.flush)
    await database.open()
    yield database
    await database.close()


async def test_two_processes_full_of_tasks_fetch_once(
    db: Database, other_db: Database, settings: Settings
) -> None:
    stores, platform = [SharedTokenStore(d, settings) for d in (db, other_db)], Platform()
    got = await asyncio.gather(*(store.get(platform) for store in stores for _ in range(8)))
    assert (set(got), platform.calls) == ({"token-1"}, 1)


async def test_a_refused_token_is_renewed_once_by_all_who_were_refused(
    db: Database, other_db: Database, settings: Settings
) -> None:
    stores, platform = [SharedTokenStore(d, settings) for d in (db, other_db)], Platform()
    stale = await stores[0].get(platform)
    got = await asyncio.gather(*(store.get(platform, stale=stale) for store in stores for _ in range(5)))
    assert (set(got), platform.calls) == ({"token-2"}, 2)


async def test_a_token_is_renewed_a_minute_before_its_end(db: Database, settings: Settings) -> None:
    store, platform = SharedTokenStore(db, settings), Platform(7200)
    await store.get(platform)
    with clock.at(clock.now() + timedelta(seconds=7200 - 90)):
        assert await store.get(platform) == "token-1"
    with clock.at(clock.now() + timedelta(seconds=7200 - 30)):
        assert await store.get(platform) == "token-2"


async def test_a_fetch_that_failed_leaves_the_way_free(db: Database, settings: Settings) -> None:
    store, platform = SharedTokenStore(db, settings), Platform()
    platform.fails = 1
    with pytest.raises(Unavailable):
        await store.get(platform)
    assert await store.get(platform) == "token-2"


async def test_the_lease_of_a_dead_process_ends(db: Database, settings: Settings) -> None:
    store, platform = SharedTokenStore(db, settings), Platform()
    assert await store._leased("a process that died", "access_token", "")
    assert not await store._leased("another", "access_token", "")
    with clock.at(clock.now() + LEASE + timedelta(seconds=1)):
        assert await store.get(platform) == "token-1"


async def test_kinds_of_token_are_kept_apart_and_sealed(
    db: Database, settings: Settings, owner: object
) -> None:
    store, platform = SharedTokenStore(db, settings), Platform()
    assert await store.get(platform) != await store.get(platform, name="jsapi_ticket")
    rows = await owner.fetch("select token from channels.access_tokens")  # type: ignore[attr-defined]
    assert len(rows) == 2
    assert not any(b"token-" in row["token"] for row in rows)
