"""上门调查: an officer's survey of a customer, written on the spot, confirmed by a colleague (A6-20, A7-04)."""

from datetime import datetime

import msgspec
from litestar import Response as Answer
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import Invalid, TooMany, Unavailable
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import service as customers
from backend.domains.identity import service as identity
from backend.domains.institutions import service as institutions
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import (
    CHOICES,
    COUNTS,
    FEWEST_PHOTOS,
    FIELDS,
    SURVEY,
    YUAN,
    Check,
    Photo,
    Survey,
    SurveyMissing,
)
from backend.flows import (
    begin_survey,
    check_survey,
    compare_survey,
    keep_survey_photo,
    see_survey_photo,
    submit_survey,
)
from backend.overview import survey_sheet
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

FORM, READ, PHOTOS = "studio/surveys/form.html", "studio/surveys/read.html", "studio/surveys/_photos.html"
READER_AWAY = "收照片的机器正忙，照片没有留下，过一会儿再传一次"
LOCATING = {"permissions-policy": "camera=(self), geolocation=(self), microphone=()"}
"""Only this page may ask the browser where it is; the browser asks the officer again."""


class Row(msgspec.Struct, frozen=True):
    id: str
    name: str
    label: str
    at: datetime


class Rows(msgspec.Struct, frozen=True):
    """`waiting` are colleagues' that wait for a second person, `own` mine."""

    waiting: tuple[Row, ...]
    own: tuple[Row, ...]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """`form` and `errors` by field. `saved` says that this very request kept what was typed."""

    survey: Survey
    name: str
    number: str
    villages: tuple[str, ...]
    photos: tuple[Photo, ...]
    form: dict[str, str]
    checks: tuple[Check, ...]
    errors: dict[str, str]
    saved: bool
    today: str
    choices: dict[str, dict[str, str]] = msgspec.field(default_factory=CHOICES.copy)
    counts: dict[str, tuple[str, int, int]] = msgspec.field(default_factory=COUNTS.copy)
    yuan: dict[str, str] = msgspec.field(default_factory=YUAN.copy)
    fewest: int = FEWEST_PHOTOS


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """`mine` to confirm; `sent` is what this person just chose and `errors` what was wrong with it."""

    sheet: survey_sheet.Sheet
    to_check: bool
    sent: dict[str, str]
    errors: dict[str, str]


class Photos(msgspec.Struct, frozen=True):
    survey: Survey
    photos: tuple[Photo, ...]
    errors: dict[str, str]
    fewest: int = FEWEST_PHOTOS


@get("/studio/surveys", opt=staff.only("officer"))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        view = Rows(await _rows(tx, await surveys.waiting(tx)), await _rows(tx, await surveys.of_officer(tx)))
    return here.show("studio/surveys/show_all.html", view)


@post("/studio/leads/{number:str}/survey", opt=staff.only("officer"))
async def begin(request: Request, number: FromPath[str]) -> Response:
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        application = await applications.by_number(tx, number)
    return here.go(
        f"/studio/surveys/{await begin_survey.begin_survey(here.context, here.actor, application)}"
    )


@get("/studio/surveys/{survey_id:str}", opt=staff.only("officer"))
async def show(request: Request, survey_id: FromPath[str]) -> Response:
    """The form while it is mine to fill in; else the survey to read, with the question for a second person."""
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        survey = await _seen(tx, here, survey_id)
    if survey.officer_id == here.person.id and survey.editable:
        return await _form(here, survey)
    return await _read(here, survey)


@post("/studio/surveys/{survey_id:str}", opt=staff.only("officer"), fields=("act", *FIELDS))
async def save(request: Request, survey_id: FromPath[str]) -> Response:
    """Kept as typed; with act=submit it goes to a second person when nothing is missing."""
    here, form = staff.here(request), await forms.texts(request)
    act, quiet = form.pop("act", ""), "hx-request" in request.headers
    fields = {name: form.get(name, "") for name in FIELDS}
    if act == "submit":
        try:
            await submit_survey.submit_survey(here.context, here.actor, survey_id, fields)
        except Invalid as problem:
            async with here.context.db.read(here.actor) as tx:
                kept = await _mine(tx, here, survey_id)
            return await _form(here, kept, problem.fields)
        return here.go(f"/studio/surveys/{survey_id}")
    async with here.context.db.begin(here.actor) as tx:
        survey = await surveys.save(tx, await _mine(tx, here, survey_id), fields)
    return Answer(None, status_code=204) if quiet else await _form(here, survey, saved=True)


@post(
    "/studio/surveys/{survey_id:str}/photos",
    opt=staff.only("officer"),
    files=("image",),
    request_max_body_size=forms.PHOTOGRAPH_BODY,
)
async def photograph(request: Request, survey_id: FromPath[str]) -> Response:
    here, image = staff.here(request), (await request.form()).get("image")
    content = await image.read() if isinstance(image, UploadFile) else b""
    errors, status = {}, 200
    try:
        await keep_survey_photo.keep_survey_photo(here.context, here.actor, survey_id, content)
    except Unavailable:
        errors, status = {"photos": READER_AWAY}, 503
    except (Invalid, TooMany) as problem:
        errors, status = {"photos": problem.text}, 422
    async with here.context.db.read(here.actor) as tx:
        survey = await _mine(tx, here, survey_id)
        found = Photos(survey, tuple(await surveys.photos(tx, survey_id)), errors)
    if "hx-request" in request.headers:
        return here.show(PHOTOS, found, status)
    return await _form(here, survey, errors) if errors else here.go(f"/studio/surveys/{survey_id}#photos")


@post("/studio/surveys/{survey_id:str}/photos/{photo_id:str}", opt=staff.only("officer"), fields=("sure",))
async def remove(request: Request, survey_id: FromPath[str], photo_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    async with here.context.db.begin(here.actor) as tx:
        survey = await _mine(tx, here, survey_id)
        await surveys.get_photo(tx, survey_id, photo_id)
        if form.get("sure") == "yes":
            await surveys.remove_photo(tx, survey, photo_id)
    return here.go(f"/studio/surveys/{survey_id}#photos")


@get("/studio/surveys/{survey_id:str}/photos/{photo_id:str}", opt=staff.only("officer"))
async def picture(request: Request, survey_id: FromPath[str], photo_id: FromPath[str]) -> Response:
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        await _seen(tx, here, survey_id)
    content = await see_survey_photo.see_survey_photo(here.context, here.actor, survey_id, photo_id)
    return Answer(content, media_type="image/jpeg", headers={"cache-control": "no-store"})


@post(
    "/studio/surveys/{survey_id:str}/check", opt=staff.only("officer"), fields=("outcome", "in_place", "said")
)
async def check(request: Request, survey_id: FromPath[str]) -> Response:
    """The second person's word. A survey of one's own is refused, in the table too."""
    here, form = staff.here(request), await forms.texts(request)
    async with here.context.db.read(here.actor) as tx:
        survey = await _seen(tx, here, survey_id)
    try:
        await check_survey.check_survey(
            here.context,
            here.actor,
            survey_id,
            form.get("outcome", ""),
            form.get("in_place", ""),
            form.get("said", ""),
        )
    except Invalid as problem:
        return await _read(here, survey, form, problem.fields or {"outcome": problem.text})
    return here.go("/studio/surveys")


async def _mine(tx: Tx, here: Here, survey_id: str) -> Survey:
    """Raises `SurveyMissing` for a colleague's as for an unknown one."""
    found = await surveys.get(tx, survey_id)
    if found.officer_id != here.person.id:
        raise SurveyMissing()
    return found


async def _seen(tx: Tx, here: Here, survey_id: str) -> Survey:
    """Mine, or a colleague's that was handed in."""
    found = await surveys.get(tx, survey_id)
    if found.officer_id != here.person.id and (
        found.status != "submitted" and found.checked_by != here.person.id
    ):
        raise SurveyMissing()
    return found


async def _rows(tx: Tx, lines: list[surveys.Line]) -> tuple[Row, ...]:
    names = await customers.names_marked(tx, (line.customer_id for line in lines))
    return tuple(
        Row(
            line.id,
            names.get(line.customer_id, "客户"),
            SURVEY.labels[line.status],
            line.submitted_at or line.saved_at,
        )
        for line in lines
    )


async def _form(
    here: Here, survey: Survey, errors: dict[str, str] | None = None, *, saved: bool = False
) -> Response:
    async with here.context.db.read(here.actor) as tx:
        names = await customers.names(tx, [survey.customer_id])
        application = await applications.get(tx, survey.application_id)
        view = Form(
            survey=survey,
            name=names.get(survey.customer_id, "客户"),
            number=application.application_no,
            villages=institutions.villages(await institutions.areas(tx, tx.institution_id)),
            photos=tuple(await surveys.photos(tx, survey.id)),
            form=_prefilled(survey, application),
            checks=tuple(await compare_survey.compare_survey(tx, survey)),
            errors=errors or {},
            saved=saved,
            today=clock.today().isoformat(),
        )
    answer = here.show(FORM, view, 422 if errors else 200)
    answer.headers.update(LOCATING)
    return answer


def _prefilled(survey: Survey, application: Application) -> dict[str, str]:
    """What is known already, behind what was typed."""
    declared = application.declared
    first = {
        "village": f"{declared.town} {declared.village}".strip(),
        "visited_on": clock.today().isoformat(),
    }
    return {**first, **survey.form}


async def _read(
    here: Here, survey: Survey, sent: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> Response:
    async with here.context.db.read(here.actor) as tx:
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        view = Read(
            sheet=await survey_sheet.of(tx, survey, people),
            to_check=survey.status == "submitted" and survey.officer_id != here.person.id,
            sent=sent or {},
            errors=errors or {},
        )
    return here.show(READ, view, 422 if errors else 200)
