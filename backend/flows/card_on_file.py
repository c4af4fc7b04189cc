"""Whose word changes what we know of a customer: holding a card, or typing its number, is not enough (A3-07, A5-01).

A person whom nobody has relied on yet is whatever the newest card says. Of one who has handed in an application,
passed a face check or answers for a loan, name, address and validity stay until the phone on file or the face is
proved on this road; then the card of this road is taken.
"""

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import card_form
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card
from backend.domains.guarantees import service as guarantees
from backend.ocr import reading


async def claimed(tx: Tx, card: Card) -> str:
    """The customer a confirmed card speaks of, new or known; raises as `customers.create_or_update_from_card`."""
    known = await customers.claim_by_id_number(tx, card.id_number)
    if known is not None and await relied_on(tx, known):
        return known
    return await customers.create_or_update_from_card(tx, card)


async def proved(tx: Tx, customer_id: str, application: Application, guarantee_id: str | None = None) -> None:
    """Phone or face were proved on this road: what its card says is so."""
    card = await _of_road(tx, application, guarantee_id)
    if card is not None:
        await customers.update_from_card(tx, customer_id, card)


async def named(
    tx: Tx, customer_id: str, application: Application, guarantee_id: str | None = None
) -> tuple[str, str]:
    """(name, ID number) to hold a face against: of the card of this road, else of who is on file."""
    card = await _of_road(tx, application, guarantee_id) or await customers.get(tx, customer_id)
    return card.name, card.id_number


async def _of_road(tx: Tx, application: Application, guarantee_id: str | None) -> Card | None:
    """The card as it was confirmed on this road; None where none was photographed."""
    read: dict[str, str] = {}
    typed: dict[str, str] = {}
    for kind in (reading.ID_FRONT, reading.ID_BACK):
        side = await applications.latest_capture(tx, application, kind, guarantee_id)
        if side is None or side.confirmed is None:
            return None
        read |= card_form.read_fields(side.reading)
        typed |= side.confirmed
    return card_form.card(read, typed)[0]


async def relied_on(tx: Tx, customer_id: str) -> bool:
    """Whether what is on file was ever relied on; a road left before the face does not count."""
    cases = await applications.of_customer(tx, customer_id)
    travelled = any(each.submitted_at is not None or each.liveness == "passed" for each in cases)
    return travelled or await guarantees.stands_or_proved(tx, customer_id)
