"""我的客户: who came through my codes, page by page, and one of them with their way (A1-04, A10-06)."""

import base64
import binascii
from datetime import datetime

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import ids
from backend.core.errors import Invalid
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationNotFound
from backend.domains.customers import service as customers
from backend.domains.customers.model import MaskedPerson
from backend.flows import contact_lead, find_lead
from backend.overview import officer_day, story, work_list
from backend.overview.officer_day import GROUPS, STEPS, Line
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

LIST = "studio/leads/show_all.html"


class Leads(msgspec.Struct, frozen=True, kw_only=True):
    """`searched`: the lines are what was looked for, not a page of all."""

    lines: tuple[Line, ...]
    group: str = ""
    groups: dict[str, str] = msgspec.field(
        default_factory=lambda: {key: told for key, (told, _) in GROUPS.items()}
    )
    next_path: str = ""
    first: bool = True
    searched: bool = False


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """`phone` is the full number, only in the answer to a request that gave its reason; `refused` why there is none.
    `outreach`: a call now would be to win the person."""

    application: Application
    person: MaskedPerson | None
    product: str
    stopped_at: str
    story: tuple[story.Told, ...]
    phone: str = ""
    refused: str = ""
    error: str = ""
    outreach: bool = False


@get("/studio/leads", opt=staff.only("officer"))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    group, after = request.query_params.get("group", ""), request.query_params.get("after", "")
    async with here.context.db.read(here.actor) as tx:
        page = await officer_day.page(tx, group, _read_key(after))
    path = f"/studio/leads?group={group}&after={_key(page.next_key)}" if page.next_key else ""
    shown = group if group in GROUPS else ""
    view = Leads(lines=tuple(page.lines), group=shown, next_path=path, first=not after)
    return here.show(LIST, view)


@post("/studio/leads", opt=staff.only("officer"), fields=("what",))
async def find(request: Request) -> Response:
    """By POST, so that nothing of a person stands in an address (14.x)."""
    here = staff.here(request)
    what = (await forms.texts(request)).get("what", "")[:64]
    found = await find_lead.find_lead(here.context.db, here.actor, what)
    async with here.context.db.read(here.actor) as tx:
        lines = await officer_day.lines_of(tx, found)
    return here.show(LIST, Leads(lines=tuple(lines), searched=True))


@get("/studio/leads/{number:str}", opt=staff.only("officer"))
async def show(request: Request, number: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show("studio/leads/show.html", await _view(here, number))


@post("/studio/leads/{number:str}/phone", opt=staff.only("officer"), fields=("reason",))
async def reveal(request: Request, number: FromPath[str]) -> Response:
    """The number in full, to call now: with a reason, and a row in the audit log (D3-15). Where the call would be to
    win the person, only if the marketing gate lets it happen (A3-25)."""
    here, form = staff.here(request), await forms.texts(request)
    application = await _mine(here, number)
    if application.customer_id is None:
        raise ApplicationNotFound()
    try:
        contact = await contact_lead.contact_lead(
            here.context.db, here.actor, application, form.get("reason", "")
        )
    except Invalid as problem:
        return here.show("studio/leads/show.html", await _view(here, number, error=problem.text), 422)
    phone = "" if contact.refused else contact.phone or "还没有验证手机号"
    view = await _view(here, number, phone=phone, refused=contact.refused)
    return here.show("studio/leads/show.html", view)


async def _mine(here: Here, number: str) -> Application:
    """Raises `ApplicationNotFound` for a colleague's customer as for an unknown number."""
    async with here.context.db.read(here.actor) as tx:
        found = await applications.by_number(tx, number)
    if found.officer_id != here.person.id:
        raise ApplicationNotFound()
    return found


async def _view(here: Here, number: str, *, phone: str = "", refused: str = "", error: str = "") -> Lead:
    application = await _mine(here, number)
    async with here.context.db.read(here.actor) as tx:
        person = await customers.view(tx, application.customer_id) if application.customer_id else None
        names = await work_list.product_names(tx)
        events = await story.told(tx, await applications.events(tx, application.id))
    return Lead(
        application=application,
        person=person,
        product=names.get(application.product_code, application.product_code),
        stopped_at=STEPS[application.step] if application.status == "draft" else "",
        story=tuple(reversed(events)),
        phone=phone,
        refused=refused,
        error=error,
        outreach=application.status in contact_lead.OUTREACH,
    )


def _key(key: tuple[datetime, str]) -> str:
    text = f"{key[0].isoformat()}|{key[1]}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_key(text: str) -> tuple[datetime, str] | None:
    """The place in the list, or its beginning for anything we did not write."""
    try:
        moment, _, row_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        found = datetime.fromisoformat(moment)
    except (ValueError, binascii.Error):
        return None
    return (found, row_id) if found.tzinfo and ids.is_uuid(row_id) else None
