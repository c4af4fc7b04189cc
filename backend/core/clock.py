"""The only clock. Tests and replays set their own time with `at`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")

_fixed: ContextVar[datetime | None] = ContextVar("fixed_time", default=None)


def now() -> datetime:
    """Aware, UTC."""
    return _fixed.get() or datetime.now(UTC)


def today() -> date:
    """The calendar day in China, on which every legal date counts."""
    return now().astimezone(LOCAL).date()


def local(moment: datetime) -> datetime:
    return moment.astimezone(LOCAL)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Hold the clock still for the code inside."""
    if moment.tzinfo is None:
        raise ValueError("clock.at needs an aware time")
    token = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(token)


def years_between(born_on: date, on: date) -> int:
    """Full years of age on a day (周岁)."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
