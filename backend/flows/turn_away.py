"""不予受理: end a draft and keep nothing of it: a minor's (D3-05, D6-02), or one that belongs to another county."""

import asyncio

from backend.core.actor import Actor
from backend.domains.applications import images
from backend.domains.applications import service as applications
from backend.flows.context import Context


async def turn_away(context: Context, actor: Actor, application_id: str, why: str) -> None:
    """Photographs, readings, session and officer are gone afterwards; only the number and the reason stay."""
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        if application.status != "draft":
            return
        captures = await applications.captures_with_us(tx, application_id)
        await applications.forget(tx, application, why)
    for capture in captures:
        await asyncio.to_thread(images.destroy, context.settings.data, actor.institution_id, capture.id)
