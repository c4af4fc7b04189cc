"""看现场照片: ours while it is with us, afterwards from the archive, with who asked and why (A5-08)."""

from backend.core import ids
from backend.core.actor import Actor
from backend.domains.surveys import service as surveys
from backend.flows.context import Context

REASON = "查看线下调查的现场照片"


async def see_survey_photo(context: Context, actor: Actor, survey_id: str, photo_id: str) -> bytes:
    """The JPEG. Raises `SurveyMissing`, `ImageArchiveUnavailable`."""
    async with context.db.read(actor) as tx:
        photo, content = await surveys.get_photo(tx, survey_id, photo_id)
    if content is not None:
        return content
    assert photo.archived is not None, "the table says so"
    return await context.clients.image_archive.fetch(
        photo.archived, reason=REASON, requested_by=str(actor), key=ids.new()
    )
