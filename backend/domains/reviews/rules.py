"""When an answer is due."""

from datetime import datetime, time, timedelta

from backend.core import clock


def due(asked_at: datetime, working_days: int) -> datetime:
    """The end of the n-th working day after the question, in China. Public holidays are not known here and are
    counted as working days, so that the promise is early rather than late."""
    day = clock.local(asked_at).date()
    while working_days:
        day += timedelta(days=1)
        if day.weekday() < 5:
            working_days -= 1
    return datetime.combine(day, time(18), tzinfo=clock.LOCAL)
