"""What the customer's pages share: whose browser this is, the page around a view, where the person belongs.

A browser works for one institution at a time; its cookie says which (`institution.token`).
"""

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import litestar
import msgspec
from litestar.datastructures import Cookie

from backend.core import clock, ids
from backend.core.actor import Actor, everywhere
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import (
    Application,
    ApplicationNotFound,
    StepMissing,
)
from backend.domains.customers import service as customers
from backend.domains.identity.model import CUSTOMER_SESSION, CustomerSession
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution, InstitutionNotFound
from backend.flows.context import Context
from backend.overview import browser
from backend.overview.browser import Browser
from backend.settings import Settings
from backend.web import cookies, packing, remembered, templates, wechat_browser
from backend.web.http import Request, Response, Whole

DISPLAY = "display"
IN_ADDRESSES = "/:?#[]@!$&'()*+,;=%-._~"
_KNOWN_FOR = 60.0  # seconds the public facts about institutions are remembered

STEP_PATHS = {
    "identity": "/apply/identity",
    "phone": "/apply/phone",
    "consents": "/apply/phone",
    "liveness": "/apply/liveness",
    "details": "/apply/details",
    "submit": "/apply/details",
}

_STANDS_AT = (
    (r"/apply/identity/(front|back|confirm)", "/apply/identity"),
    (r"/apply/consents", "/apply/phone"),
    (r"/guarantee/identity/(front|back|confirm)", "/guarantee/identity"),
    (r"/guarantee/consents", "/guarantee/phone"),
    (r"/guarantee/refuse", "/guarantee"),
    (r"(/my/[^/]+/guarantors)/[^/]+/withdraw", r"\1"),
    (r"/apply/submit", "/apply/details"),
    (r"/apply/(start|give-up)", "/apply/identity"),
    (r"(/resume|/my/[^/]+/hand-off|/wechat/bind/[^/]+)/code", r"\1"),
    (r"(/my/[^/]+)/cancel", r"\1"),
    (r"(/my/[^/]+/consents)/[^/]+/withdraw", r"\1"),
    (r"(/my/[^/]+)/reminders", r"\1/consents"),
    (r"/display", "/"),
)
"""Addresses that forms are sent to and no page has → the page the form stands on."""

UNION_PAGE = Institution("", "农商银行", "农商银行", "", "0371-5550000", "", [])
"""Around pages that belong to no institution yet."""


class GoTo(Exception):
    """The person belongs on another page of ours."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__("go to another page")


class Here(msgspec.Struct):
    """One request: who asks, for which institution. `session` is None for a browser we do not know."""

    request: Request
    context: Context
    institution: Institution
    session: CustomerSession | None = None
    fresh: list[Cookie] = []

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def actor(self) -> Actor:
        """The session acts; before there is one, the visit does."""
        who = self.session.id if self.session else visit_name(self.request, self.settings)
        return customer(self.request, self.institution.id, who)

    @property
    def openid(self) -> str | None:
        return wechat_browser.openid(self.request, self.settings)

    @property
    def is_part(self) -> bool:
        return bool(self.request.headers.get("hx-request"))

    def page(self) -> templates.Page:
        return page_of(self.request, self.settings, self.institution)

    def show(self, name: str, view: msgspec.Struct, status: int = 200) -> Response:
        """The template as the answer, with a fresh form key."""
        return self._dressed(html(templates.render(name, page=self.page(), view=view), status))

    def show_kept(self, name: str, view: msgspec.Struct) -> Response:
        """As `show`, for a view that many see alike (`templates.render_kept`)."""
        packs = packing.accepted(self.request.scope["headers"])
        answer = html(templates.render_kept(name, page=self.page(), view=view, packed=packs), 200)
        if packs:
            answer.headers.update({"content-encoding": "gzip", "vary": "accept-encoding"})
        return self._dressed(answer)

    def go(self, path: str) -> Response:
        """On to another page; the page's script goes there itself."""
        return self._dressed(go(self.request, path))

    def keep_session(self, token: str) -> None:
        """Give the browser the cookie of its session."""
        value = f"{self.institution.id}.{token}"
        seconds = int(CUSTOMER_SESSION.total_seconds())
        self.fresh = [cookies.make(self.settings, cookies.CUSTOMER, value, seconds)]

    def _dressed(self, answer: Response) -> Response:
        cookies.keep_visit(self.request, self.settings, answer)
        answer.cookies.extend(self.fresh)
        return answer


class Draft(msgspec.Struct):
    """A request on the road: the browser and the application it works on."""

    here: Here
    session: CustomerSession
    application: Application


async def at(request: Request, institution_id: str) -> Here:
    """A page of one institution, whether or not the browser has a session there. Raises `InstitutionNotFound`."""
    context: Context = request.app.state.context
    known = await live_institutions(request)
    if institution_id not in known:
        raise InstitutionNotFound()
    return Here(request, context, known[institution_id], await _session(request, context, institution_id))


async def anywhere(request: Request) -> Here:
    """A page of no institution in particular: the one of the browser's session, if it has one."""
    context: Context = request.app.state.context
    found = cookies.session(request, context.settings, cookies.CUSTOMER)
    known = await live_institutions(request)
    if found is None or found[0] not in known:
        return Here(request, context, UNION_PAGE)
    return Here(request, context, known[found[0]], await _session(request, context, found[0]))


async def draft(request: Request, *steps: str) -> Draft:
    """The browser's application, which must be at one of `steps`.

    Raises `GoTo`: to the step that comes first, past the ones that are done, to the result once it is handed in,
    or to the page that finds applications when this browser has none.
    """
    context: Context = request.app.state.context
    found = cookies.session(request, context.settings, cookies.CUSTOMER)
    known = await live_institutions(request)
    if found is None or found[0] not in known:
        raise GoTo("/resume")
    whose = await _behind(request, context, *found)
    if whose is None or whose.application is None:
        raise GoTo("/resume")
    session, application = whose.session, whose.application
    theirs = application.status == "draft" and application.session_id == session.id
    if not theirs or application.step not in steps:
        raise GoTo(place(application, session))
    return Draft(Here(request, context, known[found[0]], session), session, application)


async def ask_ahead(tx: Tx, request: Request) -> None:
    """Beside a form's key (`request_keys.guard`): whose browser this is, for the first who wants to know. Whoever asks
    again is told anew: the session may be another by then."""
    if found := cookies.session(request, request.app.state.settings, cookies.CUSTOMER):
        request.scope["browser"] = await browser.behind(tx, *found)  # type: ignore[typeddict-unknown-key]


def place(application: Application, session: CustomerSession) -> str:
    """Where an application goes on for this browser."""
    if application.status not in ("draft", "abandoned"):
        return f"/my/{application.application_no}"
    if application.status == "draft" and application.session_id == session.id:
        return STEP_PATHS[application.step]
    return "/resume"


async def mine(request: Request, application_no: str) -> Draft:
    """An application this browser may see: its own, its person's, or its WeChat account's person's.

    Raises `ApplicationNotFound` for everybody else's, as for a number that does not exist.
    """
    context: Context = request.app.state.context
    async with context.db.read(everywhere("customer door")) as tx:
        institution_id = await applications.institution_of_number(tx, application_no)
    if institution_id is None:
        raise ApplicationNotFound()
    here = await at(request, institution_id)
    async with context.db.read(here.actor) as tx:
        application = await applications.by_number(tx, application_no)
        allowed = _same_person(here.session, application)
        if not allowed and here.openid and application.customer_id:
            allowed = await customers.customer_of(tx, here.openid) == application.customer_id
    if not allowed:
        raise ApplicationNotFound()
    return Draft(here, here.session or _nobody(institution_id), application)


def _same_person(session: CustomerSession | None, application: Application) -> bool:
    if session is None:
        return False
    if session.application_id == application.id and application.session_id == session.id:
        return True
    return session.customer_id is not None and session.customer_id == application.customer_id


def _nobody(institution_id: str) -> CustomerSession:
    """Stands in for a session when WeChat alone says whose phone it is."""
    return CustomerSession(
        institution_id=institution_id,
        id="wechat",
        openid=None,
        customer_id=None,
        application_id=None,
        expires_at=clock.now(),
    )


def token(request: Request, settings: Settings, form_key: str, purpose: str) -> str:
    """A session token that only this browser's form leads to: tapped twice, the same session comes of it."""
    visit, _ = cookies.visit(request, settings)
    return _derived(settings, f"{purpose}\x00{visit}\x00{form_key}")


def next_token(request: Request, settings: Settings) -> str:
    """The token that follows the browser's present one when the person has proved who they are."""
    found = cookies.session(request, settings, cookies.CUSTOMER)
    return _derived(settings, f"next\x00{found[1] if found else ''}")


def visit_name(request: Request, settings: Settings) -> str:
    """A UUID that stands for this browser before it has a session."""
    visit, _ = cookies.visit(request, settings)
    digest = hashlib.sha256(f"visit {visit}".encode()).digest()[:16]
    return str(uuid.UUID(bytes=digest))


def customer(request: Request, institution_id: str, who: str) -> Actor:
    request_id = str(request.scope.get("request_id", ""))
    return Actor(kind="customer", id=who, institution_id=institution_id, request_id=request_id)


def stands_at(request: Request) -> str:
    """The page of this address: its own, or for an address only forms are sent to, the page of the form."""
    path: str = request.scope["path"]
    for address, page in _STANDS_AT:
        if found := re.fullmatch(address, path):
            return found.expand(page)
    return path


def page_of(request: Request, settings: Settings, institution: Institution) -> templates.Page:
    display: Literal["normal", "care"] = "care" if request.cookies.get(DISPLAY) == "care" else "normal"
    return templates.Page(
        csrf_token=cookies.csrf_token(request, settings),
        form_key=ids.new(),
        institution_name=institution.short_name,
        service_phone=institution.service_phone,
        path=stands_at(request),
        display=display,
        answers_form=request.method == "POST",
    )


async def live_institutions(request: Request) -> dict[str, Institution]:
    """Public facts, remembered for a minute."""
    context: Context = request.app.state.context

    async def ask() -> dict[str, Institution]:
        async with context.db.read(everywhere("institutions")) as tx:
            return {each.id: each for each in await institutions.all_live(tx)}

    found: dict[str, Institution] = await remembered.of(request, "institutions", _KNOWN_FOR).get("", ask)
    return found


def html(text: str | bytes, status: int) -> Response:
    return Whole(text.encode() if isinstance(text, str) else text, status_code=status)


def go(request: Request, path: str) -> Response:
    """On to a path of ours or an address of a system we know; whatever is in it stays one header."""
    path = quote(path, safe=IN_ADDRESSES)
    if request.headers.get("hx-request"):
        return litestar.Response(None, status_code=204, headers={"HX-Redirect": path})
    return litestar.Response("", status_code=303, headers={"Location": path}, media_type="text/plain")


def answer_go_to(request: Request, turn: GoTo) -> Response:
    return go(request, turn.path)


def answer_missing_step(request: Request, problem: StepMissing) -> Response:
    """A flow found, under its lock, that an earlier step comes first."""
    return go(request, STEP_PATHS.get(str(problem.details.get("step")), "/resume"))


HANDLERS: Mapping[type[Exception], Any] = {GoTo: answer_go_to, StepMissing: answer_missing_step}


async def _session(request: Request, context: Context, institution_id: str) -> CustomerSession | None:
    found = cookies.session(request, context.settings, cookies.CUSTOMER)
    if found is None or found[0] != institution_id:
        return None
    whose = await _behind(request, context, *found)
    return whose.session if whose else None


async def _behind(request: Request, context: Context, institution_id: str, token: str) -> Browser | None:
    if "browser" in request.scope:
        ahead: Browser | None = request.scope.pop("browser")  # type: ignore[typeddict-item]
        return ahead
    async with context.db.alone(customer(request, institution_id, "visitor")) as tx:
        return await browser.behind(tx, institution_id, token)


def _derived(settings: Settings, text: str) -> str:
    return hmac.new(
        settings.session_secret.encode(), f"session\x00{text}".encode(), hashlib.sha256
    ).hexdigest()
