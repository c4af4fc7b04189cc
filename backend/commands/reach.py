"""What commands that talk to a running product have in common: its addresses, and a database that may be away."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec

from backend.core import unreadable
from backend.core.errors import Unavailable
from backend.settings import Settings, Unsafe, load

T = TypeVar("T")

PORTS = "run/ports.json"

_AWAY = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidParameterValueError,  # the role the application switches to is not there yet
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
)


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


class NoTables(Unavailable):
    code = "no_tables"
    message = "数据库里还没有我们的表。先运行 ./xiaodai migrate"


def settings_of(
    environment: Mapping[str, str],
    data: str | None,
    port: int | None = None,
    sandbox_port: int | None = None,
) -> Settings:
    """As `load`; ports that nobody named are those of the running `up`."""
    given = {"port": port, "sandbox_port": sandbox_port}
    chosen = load(environment, xiaodai_data=data, **given)
    path = Path(chosen.data) / PORTS
    if not path.exists() or chosen.production:
        return chosen
    text = path.read_bytes()
    try:
        ports = msgspec.json.decode(text, type=Ports)
    except unreadable.NOT_DECODED as cause:
        raise Unsafe(f"{path} 读不懂：{unreadable.why(cause, text)}。删掉它，再运行 ./xiaodai up") from cause
    for name, value in msgspec.structs.asdict(ports).items():
        if given[name] is None and not environment.get(name.upper()):
            given[name] = value
    return load(environment, xiaodai_data=data, **given)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Raises `NoDatabase` or `NoTables` instead of what the driver says."""
    try:
        return asyncio.run(work)
    except (asyncpg.InvalidSchemaNameError, asyncpg.UndefinedTableError) as cause:
        raise NoTables() from cause
    except _AWAY as cause:
        raise NoDatabase() from cause
