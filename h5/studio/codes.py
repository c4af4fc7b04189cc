"""我的码, 做海报: the officer's own codes, to be scanned, and on a reviewed poster (N1, A11-05, A3-01)."""

import litestar
import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock, ids
from backend.core.errors import Invalid
from backend.domains.audit import service as audit
from backend.domains.campaigns import rules
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import PLACEMENTS, CodeClosed, CodeNotFound, Verification
from backend.flows import draw_poster
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here


class Codes(msgspec.Struct, frozen=True):
    codes: tuple[Verification, ...]
    authorised: bool
    authority_to: object
    placements: dict[str, str] = msgspec.field(default_factory=PLACEMENTS.copy)


class Code(msgspec.Struct, frozen=True):
    """`url` is what the QR holds."""

    found: Verification
    url: str
    placements: dict[str, str] = msgspec.field(default_factory=PLACEMENTS.copy)


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    found: Verification
    picture: str
    headline: str
    material_no: str
    greeting: str = ""
    error: str = ""
    longest: int = rules.GREETING_LENGTH
    placements: dict[str, str] = msgspec.field(default_factory=PLACEMENTS.copy)


@get("/studio/codes", opt=staff.only("officer"))
async def show_all(request: Request) -> Response:
    here = staff.here(request)
    return here.show("studio/codes/show_all.html", await _codes(here))


@get("/studio/codes/{code_id:str}", opt=staff.only("officer"))
async def show(request: Request, code_id: FromPath[str]) -> Response:
    """Large enough to be scanned from the officer's phone."""
    here = staff.here(request)
    found = await mine(here, code_id)
    assert found.code is not None
    url = here.settings.public_base.rstrip("/") + campaigns.path(found.code.token)
    return here.show("studio/codes/show.html", Code(found, url))


@get("/studio/poster", opt=staff.only("officer"))
async def choose(request: Request) -> Response:
    """Which place the poster is for: one tap."""
    here = staff.here(request)
    return here.show("studio/codes/choose.html", await _codes(here))


@get("/studio/codes/{code_id:str}/poster", opt=staff.only("officer"))
async def poster(request: Request, code_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show("studio/codes/poster.html", await _poster(here, code_id))


@get("/studio/codes/{code_id:str}/poster.jpg", opt=staff.only("officer"))
async def picture(request: Request, code_id: FromPath[str]) -> Response:
    """The preview. 409 for a code that may not be used any more."""
    here = staff.here(request)
    await mine(here, code_id)
    drawn = await draw_poster.draw_poster(here.context, here.actor, code_id)
    return litestar.Response(drawn, media_type="image/jpeg")


@post("/studio/codes/{code_id:str}/poster.jpg", opt=staff.only("officer"), fields=("greeting",))
async def save(request: Request, code_id: FromPath[str]) -> Response:
    """The picture to send on, with the officer's checked greeting; each one is written down (D4-03)."""
    here, form = staff.here(request), await forms.texts(request)
    found, greeting = await mine(here, code_id), form.get("greeting", "")
    try:
        drawn = await draw_poster.draw_poster(here.context, here.actor, code_id, greeting)
    except Invalid as problem:
        view = await _poster(here, code_id, greeting, problem.fields.get("greeting", problem.text))
        return here.show("studio/codes/poster.html", view, 422)
    assert found.code is not None
    async with here.context.db.begin(here.actor) as tx:
        audit.add(tx, "poster.saved", code_id, material=found.code.material_id, greeting=bool(greeting))
    name = f"poster-{found.code.placement}-{clock.today():%m%d}.jpg"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return litestar.Response(drawn, media_type="image/jpeg", headers=headers, status_code=200)


async def mine(here: Here, code_id: str) -> Verification:
    """Raises `CodeNotFound` for a colleague's code as for an unknown one."""
    if not ids.is_uuid(code_id):
        raise CodeNotFound()
    async with here.context.db.read(here.actor) as tx:
        found = await campaigns.verify_id(tx, code_id)
    if found.code is None or found.code.officer_id != here.person.id:
        raise CodeNotFound()
    return found


async def _codes(here: Here) -> Codes:
    async with here.context.db.read(here.actor) as tx:
        found = (await campaigns.verified(tx, [here.person]))[here.person.id]
    return Codes(
        tuple(sorted(found, key=lambda each: not each.usable)),
        here.person.authorised(clock.today()),
        here.person.authority_to,
    )


async def _poster(here: Here, code_id: str, greeting: str = "", error: str = "") -> Poster:
    found = await mine(here, code_id)
    assert found.code is not None
    if not found.usable:
        raise CodeClosed(label=found.state.label)
    async with here.context.db.read(here.actor) as tx:
        material = await campaigns.get_material(tx, found.code.material_id)
    return Poster(
        found=found,
        picture=f"/studio/codes/{code_id}/poster.jpg",
        headline=material.headline,
        material_no=material.visible_id,
        greeting=greeting,
        error=error,
    )
