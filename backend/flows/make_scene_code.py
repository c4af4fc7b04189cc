"""The official account's QR of a responsible code: its scene is the code's token (A11-03, N1)."""

from backend.core import clock
from backend.core.actor import Actor
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import CodeClosed
from backend.domains.channels import scenes
from backend.domains.channels.scenes import SceneCode
from backend.flows.context import Context

PERMANENT = frozenset({"counter", "visit"})
"""Placements that belong to an officer for good; posters, groups and messages get temporary ones."""


async def make_scene_code(context: Context, actor: Actor, code_id: str) -> SceneCode:
    """Made once, then the same again while it lives. Raises `CodeNotFound`, `CodeClosed`."""
    async with context.db.read(actor) as tx:
        found = await campaigns.verify_id(tx, code_id)
        code = await campaigns.get_code(tx, code_id)
        kept = await scenes.living(tx, code_id)
    if not found.usable:
        raise CodeClosed(label=found.state.label)
    if kept is not None:
        return kept
    life = min(scenes.LONGEST, code.expires_at - clock.now())
    seconds = None if code.placement in PERMANENT else max(60, int(life.total_seconds()))
    ticket = await context.clients.wechat.create_qr(code.token, seconds)
    made = SceneCode(ticket.ticket, ticket.url, ticket.expires_at)
    async with context.db.begin(actor) as tx:
        await scenes.keep(tx, code_id, made)
    return made
