"""保证人拍身份证: one side, read and kept as an applicant's (A5-03, A5-08)."""

from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.applications.model import Application
from backend.flows import capture_identity, refuse_guarantee
from backend.flows.capture_identity import Captured, Side, TooYoung
from backend.flows.context import Context
from backend.flows.require_guarantee import require_guarantee


async def capture_guarantor(
    context: Context, actor: Actor, session_id: str, side: Side, content: bytes, *, address: str = ""
) -> Captured:
    """Raises as `capture_identity`, and `LinkGone`, `GuaranteeMoved`. A minor's ends the guarantee (D6-02)."""
    async with context.db.read(actor) as tx:
        guarantee_id = (await require_guarantee(tx, session_id, "identity")).guarantee.id

    async def at_the_card(tx: Tx) -> Application:
        return (await require_guarantee(tx, session_id, "identity", lock=True)).application

    try:
        return await capture_identity.take_side(
            context, actor, at_the_card, side, content, address=address, guarantee_id=guarantee_id
        )
    except TooYoung:
        await refuse_guarantee.refuse_guarantee(context, actor, guarantee_id, "under_age")
        raise
