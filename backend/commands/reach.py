"""What commands that talk to a running product have in common: its addresses, and a database that may be away."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec

from backend.core.errors import Unavailable
from backend.settings import Settings, load

T = TypeVar("T")

PORTS = "run/ports.json"


class Ports(msgspec.Struct, frozen=True):
    """The ports `up` was started with."""

    port: int
    sandbox_port: int


class NoDatabase(Unavailable):
    code = "no_database"
    message = "连不上数据库。先运行 ./xiaodai up，或者看一看 --data 和 DATABASE_URL 对不对"


def keep_ports(settings: Settings) -> None:
    """So that other commands with the same `--data` speak to the same sandbox."""
    path = settings.data / PORTS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(Ports(settings.port, settings.sandbox_port)))


def settings_of(environment: Mapping[str, str], data: str | None, **given: int | None) -> Settings:
    """As `load`; ports that nobody named, in `given` or the environment, are those of the running `up`."""
    chosen = load(environment, xiaodai_data=data, **given)
    path = Path(chosen.data) / PORTS
    if not path.exists() or chosen.production:
        return chosen
    ports = msgspec.json.decode(path.read_bytes(), type=Ports)
    unnamed = {name: value for name, value in _fields(ports) if not environment.get(name.upper())}
    named = {name: value for name, value in given.items() if value is not None}
    return load(environment, xiaodai_data=data, **(unnamed | named))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Raises `NoDatabase` instead of what the driver says."""
    try:
        return asyncio.run(work)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as cause:
        raise NoDatabase() from cause


def _fields(ports: Ports) -> list[tuple[str, int]]:
    return [("port", ports.port), ("sandbox_port", ports.sandbox_port)]
