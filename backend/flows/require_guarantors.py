"""保证人够了没有: nothing is confirmed or handed over to the mobile bank before everybody wanted has confirmed."""

from backend.db.database import Tx
from backend.domains.contracts.model import Contract
from backend.domains.guarantees.model import GuaranteeOutstanding
from backend.overview import guarantors


async def require_guarantors(tx: Tx, contract: Contract) -> None:
    """Raises `GuaranteeOutstanding`."""
    if missing := await guarantors.missing(tx, contract):
        raise GuaranteeOutstanding(missing=missing)
