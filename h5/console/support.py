"""查客户和申请: the support desk finds a case by its number or by the WeChat account, masked and written down."""

import msgspec
from litestar import get, post

from backend.core.errors import NotFound
from backend.outbox.effects import EFFECT
from backend.overview import story, support
from backend.overview.support import Seen
from backend.web import forms, staff
from backend.web.http import Request, Response
from h5.console.dead_letters import KINDS

READERS = ("county_admin", "reviewer", "auditor", "head_office_admin")
SHOW = "console/support/show.html"


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is only shown again when it is an application number: an account id is personal data."""

    seen: Seen | None = None
    what: str = ""
    nobody: bool = False
    head_office: bool = False
    kinds: dict[str, str] = msgspec.field(default_factory=KINDS.copy)
    states: dict[str, str] = msgspec.field(default_factory=EFFECT.labels.copy)
    words: dict[str, str] = msgspec.field(default_factory=story.WORDS.copy)


@get("/console/support", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, Support(head_office=here.head_office))


@post("/console/support", opt=staff.only(*READERS), fields=("what",))
async def find(request: Request) -> Response:
    """By POST, so that no account id stands in an address (14.x). A county finds its own only."""
    here = staff.here(request)
    what = (await forms.texts(request)).get("what", "")[:64]
    number = what if what.isdigit() else ""
    within = None if here.head_office else here.person.institution_id
    try:
        seen = await support.look_up(here.context.db, here.actor, what, within=within)
    except NotFound:
        view = Support(what=number, nobody=True, head_office=here.head_office)
        return here.show(SHOW, view, 404)
    return here.show(SHOW, Support(seen=seen, what=number, head_office=here.head_office))
