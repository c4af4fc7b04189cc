"""节假日: the days off and make-up days of the State Council's notices, put in year by year by head office."""

from datetime import date, datetime, time

import msgspec

from backend.core import clock
from backend.core.errors import Invalid
from backend.core.workdays import Calendar
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit

Q = queries.load(__package__)

KINDS = {"放假": "holiday", "上班": "workday"}
LABELS = {kind: label for label, kind in KINDS.items()}
FEWEST = 11
"""Fewer days off than the holidays of a year have by law (《全国年节及纪念日放假办法》) are a slip."""
CLOSES = time(18)


class CalendarRefused(Invalid):
    code = "calendar_refused"
    message = "有 {count} 处要改，日历没有变"


class Day(msgspec.Struct, frozen=True):
    day: date
    kind: str
    title: str


class Year(msgspec.Struct, frozen=True):
    year: int
    source: str
    set_by: str
    set_at: datetime


async def known(tx: Tx, since: date | None = None) -> Calendar:
    """What is put in, from the year of `since` (today when not given)."""
    first = (since or clock.today()).replace(month=1, day=1)
    rows = await Q.calendar_days(tx, first=first)
    years = frozenset(row["year"] for row in await Q.calendar_years(tx))
    return Calendar({row["day"]: row["kind"] == "workday" for row in rows}, years)


async def due(tx: Tx, working_days: int, asked_at: datetime | None = None) -> datetime:
    """The end of the n-th working day after the question, in China."""
    asked_on = clock.local(asked_at or tx.now).date()
    return datetime.combine((await known(tx, asked_on)).after(asked_on, working_days), CLOSES, clock.LOCAL)


async def years(tx: Tx) -> list[Year]:
    return [Year(*row) for row in await Q.calendar_years(tx)]


async def days(tx: Tx, year: int) -> list[Day]:
    rows = await Q.calendar_days(tx, first=date(year, 1, 1))
    return [Day(*row) for row in rows if row["day"].year == year]


async def set_year(tx: Tx, year: int, source: str, text: str) -> None:
    """One line per day: "2027-01-01 放假 元旦". In place of what stood there. Raises `CalendarRefused`."""
    found = read(year, text, source)
    await Q.set_year(tx, year=year, source=source, set_by=str(tx.actor), now=tx.now)
    await Q.clear_year(tx, year=year)
    await Q.add_days(
        tx,
        year=year,
        days=[each.day for each in found],
        kinds=[each.kind for each in found],
        titles=[each.title for each in found],
    )
    audit.add(tx, "calendar.set", str(year), days=len(found), source=source)


def written(found: list[Day]) -> str:
    """As `read` takes it."""
    return "\n".join(f"{each.day.isoformat()} {LABELS[each.kind]} {each.title}" for each in found)


def read(year: int, text: str, source: str) -> list[Day]:
    """Raises `CalendarRefused` with what is wrong with the first line that cannot be used."""
    found: dict[date, Day] = {}
    wrong = {} if len(source.strip()) >= 4 else {"source": "请写明依据哪份通知"}
    for number, line in enumerate((each for each in text.splitlines() if each.strip()), 1):
        problem = _take(year, line.split(), found)
        if problem:
            wrong.setdefault("days", f"第 {number} 行{problem}")
    if "days" not in wrong and sum(each.kind == "holiday" for each in found.values()) < FEWEST:
        wrong["days"] = f"放假的天数不够 {FEWEST} 天，请整年一起填"
    if wrong:
        raise CalendarRefused(fields=wrong, count=len(wrong))
    return sorted(found.values(), key=lambda each: each.day)


def _take(year: int, words: list[str], found: dict[date, Day]) -> str:
    """Adds the day; what is wrong with the line, or ''."""
    if len(words) != 3 or words[1] not in KINDS:
        return "要写成“2027-01-01 放假 元旦”这样"
    try:
        day = date.fromisoformat(words[0])
    except ValueError:
        return "日期不对"
    if day.year != year:
        return f"不是 {year} 年的"
    if day in found:
        return "这一天前面已经写过"
    if KINDS[words[1]] == "workday" and day.weekday() < 5:
        return "调休上班的应当是周六或周日"
    found[day] = Day(day, KINDS[words[1]], words[2][:20])
    return ""
