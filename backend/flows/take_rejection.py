"""拒收 in WeChat's settings (subscribe_msg_change_event): it is the follower's word about a template, whichever county
they are with, so what they gave in any county of the union may not be counted on (N17).
"""

from backend.core.actor import everywhere, system
from backend.db.database import Tx
from backend.domains.channels import grants
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "notice.rejected"


async def queue(tx: Tx, openid: str, template_id: str) -> None:
    """Void what was given here, and keep the word for the other counties, in the transaction of the message."""
    await grants.rejected(tx, openid, template_id)
    payload: dict[str, object] = {"openid": openid, "template_id": template_id}
    await effects.add(tx, kind=KIND, case_id="", payload=payload)


async def take_rejection(context: Context, effect: Effect) -> None:
    """Deliver the effect: one county after the other. What the person allowed again since then stays."""
    openid, template_id = str(effect.payload["openid"]), str(effect.payload["template_id"])
    async with context.db.read(everywhere("rejection")) as tx:
        places = await grants.places(tx, openid, template_id)
    for institution_id in places:
        async with context.db.begin(system(institution_id, "rejection")) as tx:
            await grants.rejected(tx, openid, template_id, effect.created_at)
