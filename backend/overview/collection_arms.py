"""催收策略试用: how the cases of champion and challenger went, over all counties. Counts only (A6-07)."""

from datetime import timedelta

import msgspec

from backend.core import clock
from backend.db import queries
from backend.db.database import Tx

Q = queries.load(__package__, "queries_collection.sql")
DAYS = (7, 30, 60)
"""Within how many days a case was paid: what a reader may choose."""


class Arm(msgspec.Struct, frozen=True):
    """`known` cases opened long enough ago; `paid` of those within the days. `contacts` were made, `held` were not."""

    arm: str
    cases: int = 0
    known: int = 0
    paid: int = 0
    contacts: int = 0
    held: int = 0
    complaints: int = 0

    @property
    def paid_bp(self) -> int | None:
        return self.paid * 10_000 // self.known if self.known else None

    @property
    def contacts_tenths(self) -> int | None:
        """Contacts a case, in tenths."""
        return self.contacts * 10 // self.cases if self.cases else None


async def arms(tx: Tx, challenge_id: str, days: int) -> tuple[Arm, Arm]:
    """(champion, challenger); needs a union-wide reader."""
    before = clock.today() - timedelta(days=days)
    found = {
        row["arm"]: Arm(*row) for row in await Q.arms(tx, challenge_id=challenge_id, before=before, days=days)
    }
    return found.get("champion", Arm("champion")), found.get("challenger", Arm("challenger"))
