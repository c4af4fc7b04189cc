"""过期: offers nobody signed in time, and drafts nobody went on with (A3-08, D7)."""

from datetime import timedelta

from backend.core import clock, failpoints
from backend.core.actor import everywhere, system
from backend.core.errors import Conflict
from backend.domains.applications import service as applications
from backend.domains.contracts import service as contracts
from backend.flows import end_guarantees, notify, withdraw_offer
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused

MOST = 50
WITHDRAWN = failpoints.declare("expire.withdrawn", "the bank withdrew the late offer; the case still stands")
_GRACE = timedelta(hours=1)
"""The bank closes an offer at midnight; a signature of the last minute must have reached us before we do."""


async def expire_offers(context: Context) -> int:
    """approved, handed_off → expired. One that is with the bank is withdrawn there first, and stays when the
    bank says it is signed. Returns how many expired."""
    today = clock.local(clock.now() - _GRACE).date()
    async with context.db.read(everywhere("expire")) as tx:
        lapsed = await contracts.lapsed(tx, today, MOST)
    return sum([await _expire(context, *found) for found in lapsed])


async def _expire(context: Context, institution_id: str, application_id: str) -> bool:
    actor = system(institution_id, "expire")
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, application_id)
    if application.status == "handed_off":
        try:
            await withdraw_offer.withdraw_offer(context, application_id, "expired")
        except OutsideRefused:
            return False
        failpoints.hit(WITHDRAWN)
    try:
        async with context.db.begin(actor) as tx:
            application = await applications.get(tx, application_id, lock=True)
            contract = await contracts.get(tx, application_id, lock=True)
            await contracts.move(tx, contract, "void", "expired")
            await end_guarantees.end_guarantees(tx, application)
            expired = await applications.move(tx, application, "expired", "expired")
            await notify.announce(tx, expired)
    except Conflict:
        return False  # it was signed or cancelled at the same moment, and that counts
    return True
