"""The codes of one officer, newest first."""

from backend.db.database import Tx
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import ResponsibleCode


async def codes_of(tx: Tx, officer_id: str) -> list[ResponsibleCode]:
    return [each for each in await campaigns.list_codes(tx) if each.officer_id == officer_id]
