"""画海报: a code as a picture to send to a group or print (A11-05, N1)."""

import asyncio

from backend.core.actor import Actor
from backend.documents import poster as posters_drawn
from backend.domains.campaigns import posters
from backend.flows.context import Context


async def draw_poster(context: Context, actor: Actor, code_id: str, greeting: str = "") -> bytes:
    """A JPEG. Raises `CodeNotFound`, `CodeClosed`, `GreetingRefused`."""
    async with context.db.read(actor) as tx:
        words = await posters.poster(tx, code_id, context.settings.public_base, greeting)
    # Fifty milliseconds of drawing would hold up every other request of the process.
    return await asyncio.to_thread(posters_drawn.render, words)
