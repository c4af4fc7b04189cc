"""Bring every sealed field under the current key (N: key rotation under load leaves nothing unreadable)."""

from collections.abc import Callable

from backend.core.actor import everywhere, system
from backend.db import sealed
from backend.db.database import Database
from backend.domains.audit import service as audit
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import UNION


async def rotate_keys(db: Database, say: Callable[[str], None] = lambda _: None) -> int:
    """Rewrites in small transactions, so that ordinary work goes on. Returns the number of fields."""
    async with db.read(everywhere("rotation")) as tx:
        # The union's own rows too: messages of people whom no county serves yet, and what its staff wrote.
        codes = [UNION, *(i.id for i in await institutions.all_live(tx))]
    total = 0
    for code in codes:
        for entry in sealed.SEALED:
            for column in entry.columns:
                total += await _column(db, code, entry, column)
        async with db.begin(system(code, "rotation")) as tx:
            audit.add(tx, "keys.rotated", "vault", key=db.vault.current)
        say(code)
    return total


async def _column(db: Database, code: str, entry: sealed.Sealed, column: str) -> int:
    done = 0
    while True:
        async with db.begin(system(code, "rotation")) as tx:
            found = await sealed.rotate(tx, entry, column)
        done += found
        if not found:
            return done
