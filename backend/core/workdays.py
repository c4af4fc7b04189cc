"""Working days (工作日): Monday to Friday, but for the days off and make-up days that are known.

A year whose holidays nobody has put in is counted by the weekday alone: a promise then ends earlier than the law
asks, never later, and staff are told that the year is missing (`regulation.calendar`).
"""

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec


class Calendar(msgspec.Struct, frozen=True):
    """`exceptions` maps a day to whether it is worked, against its weekday; `years` are those put in whole."""

    exceptions: Mapping[date, bool]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        return self.exceptions.get(day, day.weekday() < 5)

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day` (the day itself does not count)."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def missing(self, today: date) -> tuple[int, ...]:
        """The years that promises made now run into and that nobody has put in: this one, and from November the next
        (its notice is out by then)."""
        wanted = [today.year, *([today.year + 1] if today.month >= 11 else [])]
        return tuple(year for year in wanted if year not in self.years)
