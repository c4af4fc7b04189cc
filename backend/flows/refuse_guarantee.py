"""不担保: by the guarantor's own wish, which needs no reason, or because they may not (A1-08). The borrower hears only
that nothing came of it; what was read of the guarantor goes."""

from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import OPEN, Guarantee
from backend.flows import forget_guarantor, notify
from backend.flows.context import Context

REFUSED = "guarantor_refused"


async def refuse_guarantee(context: Context, actor: Actor, guarantee_id: str, why: str = "declined") -> None:
    """Twice is fine; nothing happens to one that is not open any more."""
    async with context.db.begin(actor) as tx:
        found = await guarantees.get(tx, guarantee_id)
        application = await applications.get(tx, found.application_id, lock=True)
        guarantee = await guarantees.get(tx, guarantee_id, lock=True)
        images = await end(tx, application, guarantee, why) if guarantee.status in OPEN else []
    await forget_guarantor.destroy(context, actor, images)


async def end(tx: Tx, application: Application, guarantee: Guarantee, why: str) -> list[str]:
    """In the caller's transaction, both rows locked; returns the photographs to destroy after it."""
    await guarantees.end(tx, guarantee, "refused", why)
    await applications.note(tx, application, REFUSED)
    await notify.announce_guarantor(tx, application, guarantee.id, REFUSED)
    return await forget_guarantor.forget_guarantor(tx, guarantee)
