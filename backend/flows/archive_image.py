"""送影像平台: hand a photograph over, and destroy our copy on its receipt (A5-08)."""

import asyncio

from backend.core import failpoints
from backend.core.actor import system
from backend.core.errors import Conflict
from backend.domains.applications import images
from backend.domains.applications import service as applications
from backend.flows.context import Context
from backend.integrations.image_archive.port import ImageIndex
from backend.outbox.effects import Effect

STORED = failpoints.declare("image.stored", "the archive has the picture; we have not recorded its receipt")
RECORDED = failpoints.declare("image.recorded", "the receipt is recorded; our copy is still on disk")

RETENTION = "identity"
"""Kept as long as identity records are (regulation parameter retention.identity_years)."""


class ImageGone(Conflict):
    """Our copy outlived its day before the archive took it; staff ask the customer for another."""

    code = "image_gone"
    message = "照片已过 24 小时保存期限，需要客户重新拍摄"


async def archive_image(context: Context, effect: Effect) -> None:
    """Delivers the effect; the archive gets the same key on every attempt. Raises `ImageGone`."""
    data, institution_id = context.settings.data, effect.institution_id
    capture_id = str(effect.payload["capture_id"])
    actor = system(institution_id, "archive")
    async with context.db.read(actor) as tx:
        capture = await applications.get_capture(tx, capture_id)
    if capture is None:
        raise ImageGone()
    if not capture.archive_receipt:
        content = await asyncio.to_thread(images.read, data, context.db.vault, institution_id, capture_id)
        if content is None:
            raise ImageGone()
        stored = await context.clients.image_archive.upload(
            content=content,
            content_type="image/jpeg",
            sha256=capture.sha256.hex(),
            index=ImageIndex(institution_id, effect.case_id, capture.kind, RETENTION),
            key=effect.key,
        )
        failpoints.hit(STORED)
        async with context.db.begin(actor) as tx:
            await applications.archived_capture(tx, capture, stored.receipt)
        failpoints.hit(RECORDED)
    await asyncio.to_thread(images.destroy, data, institution_id, capture_id)
