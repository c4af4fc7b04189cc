"""A server that forgets commits, or a role that sees every county, stops the start (trust §1.8, §2)."""

import os
import subprocess
import sys
from collections.abc import Callable

import asyncpg
import pytest

from backend import wiring
from backend.core.crypto import Vault
from backend.db import safety
from backend.db.database import Database
from backend.db.embedded import Embedded
from backend.domains.audit import service as audit
from backend.settings import Settings, Unsafe, load
from tests.chaos.arena import ROOT
from tests.test_settings import SAFE


@pytest.fixture
def production() -> Settings:
    return load(SAFE)


async def test_production_refuses_a_server_that_answers_before_the_disk_has_it(
    db: Database, production: Settings
) -> None:
    """The tests' own server runs without fsync: exactly what must never hold a bank's data."""
    with pytest.raises(Unsafe) as refused:
        await safety.refuse_unsafe(db, production)
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert name in str(refused.value)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit", "data_checksums"])
@pytest.mark.parametrize("value", ["off", "local", ""])
async def test_each_setting_alone_is_enough_to_refuse(
    db: Database, production: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    good = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on"}
    monkeypatch.setattr(safety, "Q", _Answers(safety.Q, good))
    await safety.refuse_unsafe(db, production)
    monkeypatch.setattr(safety, "Q", _Answers(safety.Q, {**good, name: value}))
    with pytest.raises(Unsafe, match=name):
        await safety.refuse_unsafe(db, production)


class _Answers:
    """What another server would say about its durability; powers are asked for real."""

    def __init__(self, real: object, settings: dict[str, str]) -> None:
        self.powers: Callable[..., object] = real.powers  # type: ignore[attr-defined]
        self._settings = settings

    async def durability(self, _: object) -> list[dict[str, str]]:
        return [{"name": name, "setting": value} for name, value in self._settings.items()]


async def test_a_role_that_sees_every_county_is_refused_even_in_development(
    owner_dsn: str, settings: Settings, vault: Vault
) -> None:
    database = Database(owner_dsn, vault, size=1, flush_audit=audit.flush)
    await database.open()
    try:
        with pytest.raises(Unsafe, match="行级安全"):
            await safety.refuse_unsafe(database, settings)
    finally:
        await database.close()


async def test_one_login_that_is_a_superuser_serves_development_and_never_production(
    owner_dsn: str, settings: Settings, production: Settings, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DATABASE_URL alone: the application switches to its role, and could switch back."""
    database = Database(owner_dsn, vault, size=1, flush_audit=audit.flush, role="xiaodai_app")
    await database.open()
    try:
        assert "fsync" in await safety.refuse_unsafe(database, settings), "told, not refused"
        with pytest.raises(Unsafe, match="DATABASE_OWNER_URL"):
            await safety.refuse_unsafe(database, production)
    finally:
        await database.close()


async def test_web_and_worker_ask_before_they_serve(database_dsn: str, production: Settings) -> None:
    import msgspec

    external = msgspec.structs.replace(production, database_url=database_dsn, database_owner_url=database_dsn)
    with pytest.raises(Unsafe, match="fsync"):
        async with wiring.opened(external):
            raise AssertionError("it opened")


def test_a_command_says_it_in_one_line(postgres: Embedded, database_dsn: str) -> None:
    given = {k: v for k, v in os.environ.items() if not k.startswith(("XIAODAI", "DATABASE"))}
    given |= SAFE | {"DATABASE_URL": database_dsn, "DATABASE_OWNER_URL": database_dsn}
    done = subprocess.run(
        [sys.executable, "-m", "backend", "worker"], cwd=ROOT, env=given, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "fsync" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_our_own_server_passes_and_its_log_tells_no_rows() -> None:
    from pathlib import Path

    command = " ".join(Embedded(Path("/nowhere")).command())
    assert "fsync" not in command
    assert "synchronous_commit" not in command
    assert "log_error_verbosity=terse" in command
    assert "log_parameter_max_length_on_error=0" in command


async def test_an_error_in_the_servers_log_does_not_repeat_the_row(
    postgres: Embedded, owner: asyncpg.Connection
) -> None:
    await owner.execute("create table public.people (name text unique, check (name <> 'x'))")
    await owner.execute("insert into public.people values ($1)", "王小丫独一无二")
    for name in ("王小丫独一无二", "x"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await owner.execute("insert into public.people values ($1)", name)
    told = postgres.log.read_text(errors="replace")
    assert "people_name_key" in told, "the error itself is there"
    assert "王小丫独一无二" not in told
