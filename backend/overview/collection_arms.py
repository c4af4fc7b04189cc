"""催收策略试用: how the cases of champion and challenger went, over all counties. Counts only (A6-07)."""

from collections.abc import Sequence
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


async def arms(tx: Tx, challenge_ids: Sequence[str], days: int) -> dict[str, tuple[Arm, Arm]]:
    """(champion, challenger) of each; needs a union-wide reader."""
    before = clock.today() - timedelta(days=days)
    rows = await Q.arms(tx, challenge_ids=list(challenge_ids), before=before, days=days)
    found = {(row["challenge_id"], row["arm"]): Arm(*list(row)[1:]) for row in rows}
    return {
        each: (
            found.get((each, "champion"), Arm("champion")),
            found.get((each, "challenger"), Arm("challenger")),
        )
        for each in challenge_ids
    }
