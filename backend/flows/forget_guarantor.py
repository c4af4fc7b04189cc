"""不留保证人的资料: who did not become a guarantor leaves no card, no photograph and no consent behind (D3-01)."""

import asyncio

from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.applications import images
from backend.domains.applications import service as applications
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee
from backend.flows.context import Context

PURPOSES = (Purpose.GUARANTEE_INFO, Purpose.GUARANTEE_BUREAU, Purpose.GUARANTEE_RESULT)
"""What they agreed to for this alone; the check of who they are they may have agreed to for a loan of their own."""


async def forget_guarantor(tx: Tx, guarantee: Guarantee) -> list[str]:
    """In the transaction that ends the guarantee. Returns the photographs to destroy after it (`destroy`)."""
    captures = await applications.captures_with_us(tx, guarantee.application_id, guarantee.id)
    await applications.forget_guarantor(tx, guarantee.application_id, guarantee.id)
    gave = guarantee.guarantor_id is not None and guarantee.step in ("liveness", "confirm")
    # Who holds somebody's card alone takes nothing back in their name, nor does one guarantee what another stands on.
    if gave and not await guarantees.other_stands(tx, guarantee):
        assert guarantee.guarantor_id is not None
        for purpose in PURPOSES:
            await consents.withdraw(tx, guarantee.guarantor_id, purpose)
    return [capture.id for capture in captures]


async def destroy(context: Context, actor: Actor, captures: list[str]) -> None:
    """The files; what a crash leaves over goes within the day (`destroy_old_images`)."""
    for capture_id in captures:
        await asyncio.to_thread(images.destroy, context.settings.data, actor.institution_id, capture_id)
