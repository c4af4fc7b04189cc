"""Working days (工作日): Monday to Friday.

Public holidays are not known a year ahead, so they are counted as working days: a promise made with this
calendar ends earlier than the law asks, never later.
"""

from datetime import date, timedelta


def is_workday(day: date) -> bool:
    return day.weekday() < 5


def after(day: date, count: int) -> date:
    """The `count`-th working day after `day` (the day itself does not count)."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day
