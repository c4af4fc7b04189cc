"""Lines with loans that are not paid off, for the night that looks at them (A6-06)."""

from datetime import date

from backend.db.database import Tx
from backend.overview.work_list import Q


async def unlooked(tx: Tx, today: date, after: tuple[str, str], most: int) -> list[tuple[str, str]]:
    """(institution, application) in order, behind `after`; needs a union-wide reader."""
    rows = await Q.lines_unlooked(
        tx, today=today, after_institution=after[0], after_application=after[1], most=most
    )
    return [(row["institution_id"], row["application_id"]) for row in rows]
