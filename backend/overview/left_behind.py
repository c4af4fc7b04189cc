"""没有人管的客户: what officers who left have left behind, until it is handed to a colleague (A1-04)."""

from datetime import datetime

import msgspec

from backend.db.database import Tx
from backend.overview import officer_day
from backend.overview.officer_day import Line
from backend.overview.work_list import Q


class LeftBehind(msgspec.Struct, frozen=True, kw_only=True):
    """Of one officer; `left_at` is None where the account was closed without a word of when. `followers` are WeChat
    accounts that came through this officer, `calls` people who were told that this officer calls back."""

    id: str
    name: str
    staff_no: str
    left_at: datetime | None
    people: int
    open_cases: int
    followers: int
    calls: int
    questions: int
    warnings: int
    collections: int
    surveys: int

    @property
    def any(self) -> bool:
        things = (self.people, self.followers, self.calls, self.questions)
        return any((*things, self.warnings, self.collections, self.surveys))


async def of_county(tx: Tx) -> list[LeftBehind]:
    """Officers who left and still have somebody nobody looks after."""
    rows = await Q.left_behind(tx, institution_id=tx.institution_id)
    return [found for row in rows if (found := LeftBehind(**dict(row))).any]


async def of_officer(tx: Tx, officer_id: str) -> LeftBehind | None:
    return next((each for each in await of_county(tx) if each.id == officer_id), None)


async def cases(tx: Tx, officer_id: str) -> tuple[list[Line], bool]:
    """The cases that moved last, masked, and whether there are more."""
    page = await officer_day.page(tx, "", None, officer_id)
    return page.lines, page.next_key is not None
