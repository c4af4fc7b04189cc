"""换证: the card ran out between the photograph and the last button; the draft goes back to the card (A3-07)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.flows.context import Context


async def renew_card(context: Context, actor: Actor, application_id: str) -> None:
    """What was declared stays; the new card, the phone and the face are proved again. Raises `ApplicationMoved`."""
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "details")
        await applications.back_to_card(tx, application, "card expired")
