"""What other code may ask about the rules in force."""

from datetime import date

from backend.db import reference
from backend.db.database import Tx
from backend.domains.regulation import repository
from backend.domains.regulation.model import InForce


async def in_force(tx: Tx, on: date) -> InForce:
    """Every value answering for a day, in one query."""

    async def ask() -> InForce:
        return InForce(on, {p.key: p for p in await repository.in_force(tx, on)})

    return await reference.kept(tx, "regulation", "in force", on, ask=ask)


async def flag(tx: Tx, key: str, on: date) -> bool:
    """Whether a duty is in force on a day; False before it begins."""
    found = await repository.find(tx, key, on)
    return found is not None and found.value is True
