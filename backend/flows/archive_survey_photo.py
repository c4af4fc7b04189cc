"""现场照片送影像平台: handed over once the survey is confirmed, and our copy goes on the receipt (A5-08, A6-20)."""

from backend.core.actor import system
from backend.domains.surveys import service as surveys
from backend.flows.context import Context
from backend.integrations.image_archive.port import ImageIndex
from backend.outbox.effects import Effect

RETENTION = "credit_file"
"""Kept as long as the loan's file."""


async def archive_survey_photo(context: Context, effect: Effect) -> None:
    """Delivers the effect; the archive gets the same key on every attempt."""
    actor = system(effect.institution_id, "archive")
    survey_id, photo_id = str(effect.payload["survey_id"]), str(effect.payload["photo_id"])
    async with context.db.read(actor) as tx:
        photo, content = await surveys.get_photo(tx, survey_id, photo_id)
    if content is None:
        return
    stored = await context.clients.image_archive.upload(
        content=content,
        content_type="image/jpeg",
        sha256=photo.sha256.hex(),
        index=ImageIndex(effect.institution_id, effect.case_id, "survey_photo", RETENTION),
        key=effect.key,
    )
    async with context.db.begin(actor) as tx:
        await surveys.archived(tx, photo_id, stored.image_id, stored.receipt)
