"""Lines with loans that are not paid off, for the jobs that look at them every day (A6-06, N17)."""

from datetime import date

from backend.db.database import Tx
from backend.overview.work_list import Q

START = ("", "00000000-0000-0000-0000-000000000000")
"""Before the first line."""


async def unlooked(tx: Tx, today: date, after: tuple[str, str], most: int) -> list[tuple[str, str]]:
    """(institution, application) in order, behind `after`; needs a union-wide reader."""
    rows = await Q.lines_unlooked(
        tx, today=today, after_institution=after[0], after_application=after[1], most=most
    )
    return [(row["institution_id"], row["application_id"]) for row in rows]


async def not_looked_for_dues(
    tx: Tx, today: date, after: tuple[str, str], most: int
) -> list[tuple[str, str]]:
    """As `unlooked`, for instalments that are due soon; needs a union-wide reader."""
    rows = await Q.lines_not_looked_for_dues(
        tx, today=today, after_institution=after[0], after_application=after[1], most=most
    )
    return [(row["institution_id"], row["application_id"]) for row in rows]
