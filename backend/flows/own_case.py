"""自己的业务: whether who acts is the customer of a case; nobody decides about their own loan (A7-05)."""

from backend.db.database import Tx
from backend.domains.applications.model import Application
from backend.domains.customers import service as customers
from backend.domains.identity import service as identity


async def own_case(tx: Tx, application: Application) -> bool:
    """By the phone, the one thing we know of both."""
    if tx.actor.kind != "staff" or application.customer_id is None:
        return False
    me = await identity.staff(tx, tx.actor.id)
    if me is None or not me.phone:
        return False
    return (await customers.get(tx, application.customer_id)).phone == me.phone
