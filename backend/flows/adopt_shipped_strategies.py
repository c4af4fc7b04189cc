"""交付的第一版: a database without strategies begins with the shipped ones as version 1 (A3-33)."""

from backend.core.actor import system
from backend.db.database import Database
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.strategies import shipped


async def adopt_shipped_strategies(db: Database) -> int:
    """How many were adopted; none where versions are there. Called after migrations."""
    async with db.begin(system(HEAD_OFFICE, "release")) as tx:
        return await shipped.adopt(tx)
