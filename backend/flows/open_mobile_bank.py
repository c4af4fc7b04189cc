"""去手机银行: a deep link that carries a single-use token for 120 seconds (A3-10)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.flows import issue_token
from backend.flows.context import Context


async def open_mobile_bank(context: Context, actor: Actor, application_id: str) -> str:
    """The address to go to. Raises `NotHandedOff`, `TooManyLinks`."""
    async with context.db.begin(actor) as tx:
        issued = await issue_token.issue_token(context, tx, application_id)
        await applications.note(tx, issued.application, "token_issued", issued.ticket.id)
    return issued.link
