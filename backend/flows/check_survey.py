"""第二人确认: another person of the county looks at photographs, place and differences, and confirms or sends back
(A6-20, A7-04). Only then does the survey count."""

from backend.core.actor import Actor
from backend.domains.surveys import service as surveys
from backend.flows.context import Context
from backend.outbox import effects

ARCHIVE = "survey.archive_photo"


async def check_survey(
    context: Context, actor: Actor, survey_id: str, outcome: str, place: str, said: str
) -> None:
    """Raises `SurveyRefused`, `OwnSurvey`, `SurveyClosed`, `SurveyMissing`."""
    async with context.db.begin(actor) as tx:
        survey = await surveys.get(tx, survey_id)
        if await surveys.check(tx, survey, outcome, place, said):
            for photo in await surveys.photos(tx, survey_id):
                await effects.add(
                    tx,
                    kind=ARCHIVE,
                    case_id=survey.application_id,
                    key=f"survey-photo:{photo.id}",
                    payload={"survey_id": survey_id, "photo_id": photo.id},
                )
