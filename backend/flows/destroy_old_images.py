"""销毁原始照片: no photograph lies with us for more than 24 hours (D7, A5-08)."""

import asyncio
from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.applications import images
from backend.domains.applications import service as applications
from backend.domains.regulation import service as regulation
from backend.flows.context import Context


async def destroy_old_images(context: Context) -> int:
    """Destroys what is too old, known to the database or left over from a crash; returns how many files."""
    async with context.db.read(everywhere("images")) as tx:
        hours = (await regulation.in_force(tx, clock.today())).count("retention.raw_image_hours")
        before = tx.now - timedelta(hours=hours)
        found = await applications.captures_with_us_everywhere(tx, before)
    for institution_id, capture_id in found:
        async with context.db.begin(system(institution_id, "images")) as tx:
            await applications.destroyed_capture(tx, capture_id, f"older than {hours} hours")
        await asyncio.to_thread(images.destroy, context.settings.data, institution_id, capture_id)
    return len(found) + await asyncio.to_thread(images.sweep, context.settings.data, before.timestamp())
