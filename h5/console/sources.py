"""数据来源: who answers, who is asked no more and since when, and head office's switch with a reason (N19)."""

import msgspec
from litestar import get, post

from backend.core.errors import Invalid
from backend.domains.identity import service as identity
from backend.flows import switch_source
from backend.overview import source_health
from backend.overview.source_health import Health
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "console/sources/show.html"
READERS = ("risk_analyst", "county_admin", "reviewer", "head_office_admin", "auditor")
ERRORS = {
    "": "",
    "timeout": "等不到回答",
    "by_hand": "人工停的",
    "connect": "连不上",
    "broken": "回答看不懂",
}


class Row(msgspec.Struct, frozen=True):
    """`wrong` is what was wrong with the form just sent for this source; `reason` what stood in it."""

    health: Health
    error: str
    who: str
    wrong: dict[str, str]
    reason: str


class Shown(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...]
    held: int
    mine: bool
    hours: tuple[int, ...] = switch_source.HOURS


@get("/console/sources", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, {}, {}))


@post("/console/sources", opt=staff.only("head_office_admin"), fields=("source", "act", "hours", "reason"))
async def act(request: Request) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    try:
        await switch_source.switch_source(
            here.context,
            here.actor,
            form.get("source", ""),
            form.get("act", ""),
            form.get("hours", ""),
            form.get("reason", ""),
        )
    except Invalid as problem:
        return here.show(SHOW, await _view(here, form, problem.fields), 422)
    return here.go("/console/sources")


async def _view(here: Here, form: dict[str, str], errors: dict[str, str]) -> Shown:
    async with here.context.db.read(here.reader) as tx:
        picture = await source_health.source_health(tx)
    async with here.context.db.read(here.actor) as tx:
        people = {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}
    rows = tuple(
        Row(
            each,
            ERRORS.get(each.last_error, "没有答上来"),
            people.get(each.noted_by, "省联社"),
            errors if form.get("source") == each.source else {},
            form.get("reason", "") if form.get("source") == each.source else "",
        )
        for each in picture.sources
    )
    return Shown(rows, picture.held, here.has("head_office_admin") and here.head_office)
