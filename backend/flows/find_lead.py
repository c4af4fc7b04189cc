"""An officer finds one of their own customers among fifteen hundred: by application number, phone, ID number or whole
name (A10-06). A colleague's is not found; every look leaves a row, never what was typed (D3-15)."""

from backend.core.actor import Actor
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.customers import service as customers
from backend.flows.search_customers import MOST, SEARCHES, recognise


async def find_lead(db: Database, actor: Actor, what: str) -> list[Application]:
    """What this officer brought in of whoever is meant, the newest first; at most `MOST` people.

    Raises `TooManySearches`.
    """
    async with db.begin(actor) as tx:
        await SEARCHES.take(tx, actor.id)
        found = [each for each in await _meant(tx, what) if each.officer_id == actor.id]
        for customer_id in sorted({each.customer_id for each in found if each.customer_id}) or ["nobody"]:
            audit.add(tx, "customer.searched", customer_id, by=_by(what), own=True)
    return found


async def _meant(tx: Tx, what: str) -> list[Application]:
    known = recognise(what)
    if known is None:
        mine = await applications.institution_of_number(tx, what.strip()) == tx.institution_id
        return [await applications.by_number(tx, what.strip())] if mine else []
    hits = await customers.search(tx, [tx.institution_id], *known, MOST)
    return [each for _, customer_id in hits for each in await applications.of_customer(tx, customer_id)]


def _by(what: str) -> str:
    known = recognise(what)
    return known[0] if known else "application"
