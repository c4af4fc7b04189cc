"""担保链接过期: links whose day is over end, and what was read of a guarantor goes (A1-08, D3-01)."""

import structlog

from backend.core.actor import everywhere, system
from backend.domains.applications import service as applications
from backend.domains.guarantees import service as guarantees
from backend.flows import forget_guarantor
from backend.flows.context import Context

MOST = 100
log = structlog.get_logger("guarantees")

EXPIRED = "guarantor_expired"


async def expire_guarantees(context: Context) -> int:
    """Returns how many ended."""
    async with context.db.read(everywhere("expire")) as tx:
        lapsed = await guarantees.lapsed(tx, MOST)
    return sum([await _one(context, *found) for found in lapsed])


async def _one(context: Context, institution_id: str, guarantee_id: str) -> bool:
    """One link's trouble is not the others'."""
    try:
        return await _expire(context, institution_id, guarantee_id)
    except Exception as error:
        # It is said at level error every time until somebody has looked, and the others end.
        log.error("a link could not be ended", guarantee=guarantee_id, error=type(error).__name__)
        return False


async def _expire(context: Context, institution_id: str, guarantee_id: str) -> bool:
    actor, images = system(institution_id, "expire"), []
    async with context.db.begin(actor) as tx:
        found = await guarantees.get(tx, guarantee_id)
        application = await applications.get(tx, found.application_id, lock=True)
        guarantee = await guarantees.get(tx, guarantee_id, lock=True)
        due = guarantee.over(tx.now)
        if due:
            await guarantees.end(tx, guarantee, "expired", "link_over")
            await applications.note(tx, application, EXPIRED)
            images = await forget_guarantor.forget_guarantor(tx, guarantee)
    await forget_guarantor.destroy(context, actor, images)
    return due
