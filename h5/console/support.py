"""查客户和申请: the support desk finds a person or a case, masked and written down (`flows.search_customers`)."""

import msgspec
from litestar import get, post

from backend.core.errors import NotFound
from backend.flows import search_customers
from backend.flows.search_customers import Search
from backend.outbox.effects import EFFECT
from backend.overview import story
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.dead_letters import KINDS

READERS = ("county_admin", "reviewer", "auditor", "head_office_admin")
SHOW = "console/support/show.html"
REMINDERS = {"overdue": "催收提醒", "due": "还款日提醒"}
"""Notices that tell of no status."""


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is only shown again when it is an application number: everything else is personal data."""

    search: Search = Search()
    what: str = ""
    nobody: bool = False
    head_office: bool = False
    counties: dict[str, str] = {}
    kinds: dict[str, str] = msgspec.field(default_factory=KINDS.copy)
    states: dict[str, str] = msgspec.field(default_factory=EFFECT.labels.copy)
    words: dict[str, str] = msgspec.field(default_factory=lambda: {**story.WORDS, **REMINDERS})


@get("/console/support", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, Support(head_office=here.head_office))


@post("/console/support", opt=staff.only(*READERS), fields=("what",))
async def find(request: Request) -> Response:
    """By POST, so that nothing of a person stands in an address (14.x). A county finds its own only."""
    here = staff.here(request)
    what = (await forms.texts(request)).get("what", "")[:64]
    within = None if here.head_office else here.person.institution_id
    try:
        found = await search_customers.search_customers(here.context, here.actor, what, within=within)
    except NotFound:
        return here.show(SHOW, await _view(here, what, Search(), nobody=True), 404)
    return here.show(SHOW, await _view(here, what, found))


async def _view(here: Here, what: str, search: Search, *, nobody: bool = False) -> Support:
    personal = not what.isdigit() or search_customers.recognise(what) is not None
    return Support(
        search=search,
        what="" if personal else what,
        nobody=nobody,
        head_office=here.head_office,
        counties={each.id: each.short_name for each in await staff.counties(here)},
    )
