"""现场照片: an officer's photograph, rebuilt from its pixels and sealed (A6-20, ASVS 5.x)."""

from backend.core.actor import Actor
from backend.core.errors import Invalid, TooMany
from backend.domains.identity.quota import Limit
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import SurveyClosed, SurveyMissing
from backend.flows.context import Context


class TooManySurveyPhotos(TooMany):
    code = "too_many_survey_photos"
    message = "照片传得有点多，请过 {wait} 再传"


class NoPhoto(Invalid):
    code = "no_survey_photo"
    message = "还没有照片。请先拍一张，或者从相册选一张，再点“传这张照片”"


LIMIT = Limit("survey-photographs", 240, 3600, TooManySurveyPhotos)


async def keep_survey_photo(context: Context, actor: Actor, survey_id: str, content: bytes) -> None:
    """Raises `NoPhoto`, an UnusableImage for a file that is no photograph, `ReadingDown`, `TooManyPhotos`,
    `SurveyClosed`, `SurveyMissing`."""
    if not content:
        raise NoPhoto()
    async with context.db.begin(actor) as tx:
        survey = await surveys.get(tx, survey_id)
        if survey.officer_id != actor.id:
            raise SurveyMissing()
        if not survey.editable:
            raise SurveyClosed(label=survey.label)
        await LIMIT.take(tx, actor.id)
    # What can be read on it does not matter here; the reader is where pictures are taken apart.
    _, clean = await context.ocr.read_and_rebuild(content)
    async with context.db.begin(actor) as tx:
        await surveys.add_photo(tx, await surveys.get(tx, survey_id), clean)
