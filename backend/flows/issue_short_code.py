"""换一部手机: an eight-character code for ten minutes, and a link for a QR code (A3-10)."""

from datetime import datetime

import msgspec

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.handoff import service as handoff
from backend.domains.handoff.model import CODE_LIFE
from backend.flows import issue_token
from backend.flows.context import Context


class IssuedCode(msgspec.Struct, frozen=True):
    """`short_code` until `valid_until`; `link`, which the QR code holds, lives 120 seconds."""

    link: str
    short_code: str
    valid_until: datetime
    valid_seconds: int


async def issue_short_code(context: Context, actor: Actor, application_id: str) -> IssuedCode:
    """A new code ends the ones before it. Raises `NotHandedOff`, `TooManyLinks`."""
    async with context.db.begin(actor) as tx:
        issued = await issue_token.issue_token(context, tx, application_id)
        ticket, code = await handoff.issue_code(tx, application_id)
        await applications.note(tx, issued.application, "short_code_issued", ticket.id)
    return IssuedCode(
        link=issued.link,
        short_code=code,
        valid_until=ticket.expires_at,
        valid_seconds=int(CODE_LIFE.total_seconds()),
    )
