"""Who was asked to answer for a case, as staff may see it, and how many are still missing (A1-08, D3-15)."""

from datetime import date, datetime

import msgspec

from backend.db.database import Tx
from backend.domains.contracts.model import Contract
from backend.domains.customers import service as customers
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import REASONS, Guarantee
from backend.domains.products import service as products


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One person asked. Name and number are masked, and there only while they stand by it; `exposure_fen` is what they
    answer for in all."""

    id: str
    status: str
    label: str
    step: str
    name: str
    id_number: str
    phone: str
    liveness: str
    amount_fen: int
    until_on: date
    exposure_fen: int
    why: str
    asked_at: datetime
    confirmed_at: datetime | None


async def missing(tx: Tx, contract: Contract) -> int:
    """How many more must confirm, by the product as it was on the day the contract was agreed; 0 once it left us."""
    if contract.status != "draft":
        return 0
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    if not product.terms.guarantors:
        return 0
    given = await guarantees.confirmed(tx, contract.application_id)
    return max(0, product.terms.guarantors - len(given))


async def of(tx: Tx, application_id: str) -> list[Asked]:
    return [await _asked(tx, each) for each in await guarantees.of_application(tx, application_id)]


async def _asked(tx: Tx, guarantee: Guarantee) -> Asked:
    """Somebody who has not consented yet, or did not become a guarantor, is nobody here (D3-02)."""
    agreed = guarantee.status == "opened" and guarantee.step in ("liveness", "confirm")
    stands = agreed or guarantee.status == "confirmed"
    person = await customers.view(tx, guarantee.guarantor_id) if stands and guarantee.guarantor_id else None
    exposure = await guarantees.exposure(tx, person.id) if person else None
    return Asked(
        id=guarantee.id,
        status=guarantee.status,
        step=guarantee.step,
        label="链接已过期" if guarantee.over(tx.now) else guarantee.label,
        name=person.name if person else "",
        id_number=person.id_number if person else "",
        phone=person.phone if person else "",
        liveness=guarantee.liveness,
        amount_fen=guarantee.amount_fen,
        until_on=guarantee.until_on,
        exposure_fen=exposure.amount_fen if exposure else 0,
        why=REASONS.get(guarantee.why, ""),
        asked_at=guarantee.created_at,
        confirmed_at=guarantee.confirmed_at,
    )
