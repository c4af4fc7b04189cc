"""线下调查 as those who decide read it: answers, photographs, differences, who made it and who confirmed it (A6-20)."""

import msgspec
from litestar import Response as Answer
from litestar import get
from litestar.params import FromPath

from backend.domains.identity import service as identity
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import SurveyMissing
from backend.flows import see_survey_photo
from backend.overview import survey_sheet
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here

READERS = ("reviewer", "auditor")


class Shown(msgspec.Struct, frozen=True):
    sheet: survey_sheet.Sheet


@get("/console/surveys/{survey_id:str}", opt=staff.only(*READERS))
async def show(request: Request, survey_id: FromPath[str]) -> Response:
    here = staff.here(request)
    await _handed_in(here, survey_id)
    async with here.context.db.read(here.actor) as tx:
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        view = Shown(await survey_sheet.of(tx, await surveys.get(tx, survey_id), people))
    return here.show("console/surveys/show.html", view)


@get("/console/surveys/{survey_id:str}/photos/{photo_id:str}", opt=staff.only(*READERS))
async def picture(request: Request, survey_id: FromPath[str], photo_id: FromPath[str]) -> Response:
    here = staff.here(request)
    await _handed_in(here, survey_id)
    content = await see_survey_photo.see_survey_photo(here.context, here.actor, survey_id, photo_id)
    return Answer(content, media_type="image/jpeg", headers={"cache-control": "no-store"})


async def _handed_in(here: Here, survey_id: str) -> None:
    """Raises `SurveyMissing` for an unknown one, another county's, and a draft that is still the officer's own."""
    async with here.context.db.read(here.actor) as tx:
        if (await surveys.get(tx, survey_id)).status == "draft":
            raise SurveyMissing()
