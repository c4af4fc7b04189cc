"""收回链接: the borrower asks somebody else; a guarantor who is on it is stopped by it (A1-08)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.applications.model import ApplicationNotFound
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import OPEN, GuaranteeMoved
from backend.flows import forget_guarantor
from backend.flows.context import Context

WITHDRAWN = "guarantor_withdrawn"


async def withdraw_guarantor(context: Context, actor: Actor, application_id: str, guarantee_id: str) -> None:
    """Twice is fine. Raises `GuaranteeMoved` when the guarantor's word was given meanwhile; `LinkGone` and
    `ApplicationNotFound` for what is not this borrower's."""
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        guarantee = await guarantees.get(tx, guarantee_id, lock=True)
        if guarantee.application_id != application.id:
            raise ApplicationNotFound()
        if guarantee.status == "confirmed":
            raise GuaranteeMoved()
        if guarantee.status not in OPEN:
            return
        await guarantees.end(tx, guarantee, "withdrawn", "borrower_withdrew")
        await applications.note(tx, application, WITHDRAWN)
        images = await forget_guarantor.forget_guarantor(tx, guarantee)
    await forget_guarantor.destroy(context, actor, images)
