"""What the staff pages share: who is signed in, which roles a handler admits, which institutions they may look at.

Every staff handler declares its roles as data (`opt=only("reviewer")`); `router` refuses one that does not, and the
guard reads the session from the database at each request, so that a revocation counts at once (ASVS 7.x, 8.2.1).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import litestar
import msgspec
from litestar import Router
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from msgspec.structs import replace

from backend.core import clock, ids
from backend.core.actor import ALL_INSTITUTIONS, ROLES, Actor
from backend.core.errors import Invalid, NotPermitted, Problem
from backend.domains.identity import service as identity
from backend.domains.identity.model import NotYours, SignInNeeded, Staff, StaffSession
from backend.domains.institutions.model import HEAD_OFFICE, UNION, Institution, InstitutionNotFound
from backend.flows.context import Context
from backend.outbox.idempotency import Refused
from backend.settings import Settings
from backend.web import addresses, cookies, customer, errors, forms, request_keys, staff_menu, templates
from backend.web.customer import GoTo
from backend.web.http import Request, Response

SIGN_IN, CONFIRM = "/staff/sign-in", "/staff/confirm"
ANYONE: frozenset[str] = frozenset({"anyone"})
"""The way in itself; everything else names roles."""

EVERYBODY = tuple(ROLES)
DESK = tuple(role for role in ROLES if role != "officer")
"""Who works at the console; officers have the studio."""

_TOUCHED_FOR = timedelta(seconds=30)


class Undeclared(RuntimeError):
    """A staff handler without roles: the application does not start."""


class StepUpNeeded(NotPermitted):
    """The proof of the sign-on is older than five minutes; `back` is the page the person came from."""

    code = "step_up_needed"
    message = "办这一步前，请再登录确认一次是您本人"


class StaffPage(templates.Page, frozen=True, kw_only=True):
    """As `Page`, with who is signed in. `person` is None on the way in; `fresh`: who it is was proved just now."""

    person: Staff | None = None
    fresh: bool = False
    post: str = ""
    door: str = "console"
    head_office: bool = False
    menu: tuple[staff_menu.Group, ...] = ()
    tabs: tuple[staff_menu.Item, ...] = ()


class Here(msgspec.Struct, frozen=True):
    """One request of a member of staff."""

    request: Request
    context: Context
    session: StaffSession
    institution: Institution
    token: str

    @property
    def person(self) -> Staff:
        return self.session.person

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def head_office(self) -> bool:
        """Reads every institution; writes only what a handler lets head office do (A1-01)."""
        return self.person.institution_id == UNION

    @property
    def actor(self) -> Actor:
        """Acts for the person's own institution."""
        person, request_id = self.person, str(self.request.scope.get("request_id", ""))
        return Actor(
            "staff", person.id, person.institution_id, frozenset(person.roles), person.name, request_id
        )

    @property
    def reader(self) -> Actor:
        """Finds out which institution a number belongs to: head office looks everywhere, a county at itself."""
        return self.actor.within(ALL_INSTITUTIONS) if self.head_office else self.actor

    def within(self, institution_id: str) -> Actor:
        """The actor for one institution. Raises `InstitutionNotFound` for a county's look at another."""
        if not self.head_office and institution_id != self.person.institution_id:
            raise InstitutionNotFound()
        return self.actor.within(institution_id)

    def has(self, *roles: str) -> bool:
        return not set(roles).isdisjoint(self.person.roles)

    def fresh(self) -> bool:
        return self.session.fresh(clock.now())

    def require_fresh(self, back: str) -> None:
        """Raises `StepUpNeeded`."""
        if not self.fresh():
            raise StepUpNeeded(back=back)

    def page(self) -> StaffPage:
        return _page(self.request, self.settings, self)

    def show(self, name: str, view: msgspec.Struct, status: int = 200) -> Response:
        """The template as the answer, with a fresh form key."""
        answer = customer.html(templates.render(name, page=self.page(), view=view), status)
        cookies.keep_visit(self.request, self.settings, answer)
        return answer

    def go(self, path: str) -> Response:
        return customer.go(self.request, path)


def only(*roles: str) -> dict[str, frozenset[str]]:
    """The `opt` of a staff handler: the roles that may use it."""
    return {"roles": frozenset(roles)}


def anyone() -> dict[str, frozenset[str]]:
    """For the pages of the way in."""
    return {"roles": ANYONE}


def router(handlers: Sequence[HTTPRouteHandler]) -> Router:
    """A door for staff. Raises `Undeclared` when the application is built with a handler without its roles."""
    for handler in handlers:
        roles = handler.opt.get("roles") if isinstance(handler, HTTPRouteHandler) else None
        if not roles or (roles != ANYONE and not set(roles) <= set(ROLES)):
            raise Undeclared(f"{handler} does not say which roles may use it")
    return Router(
        path="/",
        guards=[guard],
        before_request=request_keys.guard,
        exception_handlers=HANDLERS,  # type: ignore[arg-type]
        route_handlers=list(handlers),
    )


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Runs before everything else of a request. Raises `GoTo` (sign in), `SignInNeeded` or `NotYours`."""
    allowed = handler.opt.get("roles", frozenset())
    if allowed == ANYONE:
        return
    request: Request = connection  # type: ignore[assignment]
    here = await signed_in(request)
    if here is None:
        if request.method != "GET":
            await _keep_what_was_written(request)
            raise SignInNeeded()
        raise GoTo(f"{SIGN_IN}?next={quote(request.scope['path'], safe='/')}")
    request.scope["staff"] = here  # type: ignore[typeddict-unknown-key]
    if not here.has(*allowed):
        raise NotYours()
    if clock.now() - here.session.seen_at > _TOUCHED_FOR:
        async with here.context.db.begin(here.actor) as tx:
            await identity.touch_staff_session(tx, here.token)


async def _keep_what_was_written(request: Request) -> None:
    """For the page that says the session is over: the fields of our own form, to be sent again after signing in.

    Raises as `forms.guard`, so that no other site can have its own words sent again.
    """
    await forms.guard(request)
    written = await forms.texts(request)
    request.scope["written"] = tuple(  # type: ignore[typeddict-unknown-key]
        (name, value) for name, value in written.items() if value and name not in {*forms.ALWAYS, "next"}
    )


def here(request: Request) -> Here:
    """Who the guard let in."""
    found: Here = request.scope["staff"]  # type: ignore[typeddict-item]
    return found


async def signed_in(request: Request) -> Here | None:
    """The living session behind this browser's cookie."""
    context: Context = request.app.state.context
    found = cookies.session(request, context.settings, cookies.STAFF)
    if found is None:
        return None
    async with context.db.read(Actor("staff", "unknown", found[0])) as tx:
        session = await identity.staff_session(tx, found[1])
    if session is None:
        return None
    known = await customer.live_institutions(request)
    return Here(request, context, session, known.get(found[0], HEAD_OFFICE), found[1])


async def institution(here: Here, institution_id: str) -> Institution:
    """Public facts of an institution this person may look at. Raises `InstitutionNotFound`."""
    here.within(institution_id)
    if institution_id == UNION:
        return HEAD_OFFICE
    known = await customer.live_institutions(here.request)
    if institution_id not in known:
        raise InstitutionNotFound()
    return known[institution_id]


async def counties(here: Here) -> tuple[Institution, ...]:
    """What head office may choose from; nothing for a county, which has itself."""
    return tuple((await customer.live_institutions(here.request)).values()) if here.head_office else ()


async def chosen(here: Here) -> str:
    """The institution a list is about: a county's own, or the one head office chose (`?in=`), else the first.

    Raises `InstitutionNotFound` for any other.
    """
    asked: str = here.request.query_params.get("in", "")
    if not here.head_office:
        return (await institution(here, asked or here.person.institution_id)).id
    return (await institution(here, asked)).id if asked else (await counties(here))[0].id


def home_of(person: Staff) -> str:
    return "/studio" if "officer" in person.roles else "/console"


def show_outside(request: Request, name: str, view: msgspec.Struct, status: int = 200) -> Response:
    """A page of the way in, for nobody in particular."""
    settings: Settings = request.app.state.settings
    answer = customer.html(templates.render(name, page=_page(request, settings, None), view=view), status)
    cookies.keep_visit(request, settings, answer)
    return answer


def _page(request: Request, settings: Settings, here: Here | None) -> StaffPage:
    path = request.scope["path"]
    roles = set(here.person.roles) if here else set()
    return StaffPage(
        csrf_token=cookies.csrf_token(request, settings),
        form_key=ids.new(),
        institution_name=here.institution.short_name if here else "小贷云工作室",
        service_phone="",
        path=path,
        person=here.person if here else None,
        fresh=bool(here and here.fresh()),
        post="、".join(ROLES[role] for role in ROLES if role in roles),
        door="studio" if path.startswith("/studio") or roles == {"officer"} else "console",
        head_office=bool(here and here.head_office),
        menu=staff_menu.groups(request.app, roles, path) if here else (),
        tabs=staff_menu.tabs(request.app, roles, path) if here else (),
        answers_form=request.method == "POST",
    )


class Refusal(msgspec.Struct, frozen=True):
    """What shared/staff_error.html shows. `confirm_back`: where a step-up comes back to; empty for none.

    `written`: fields of the form at `action` that was sent without a session, to be sent again. `home` is the way back
    where nobody has looked yet who asks.
    """

    title: str
    message: str
    confirm_back: str = ""
    sign_in: bool = False
    errors: tuple[str, ...] = ()
    written: tuple[tuple[str, str], ...] = ()
    action: str = ""
    home: str = ""


DOORS = ("/console", "/studio", "/staff")
NOWHERE = "这个地址没有页面，可能写错了，或者已经不用了。请回首页，从菜单里找"


def answer_http(request: Request, error: HTTPException) -> Response:
    """Litestar's own refusals at an address of staff, in the staff frame; elsewhere as for everybody."""
    path: str = request.scope["path"]
    if not staff_address(path) or "application/json" in request.headers.get("accept", ""):
        return errors.answer_http(request, error)
    status, title, sentence = errors.http_words(request, error)
    view = Refusal(
        title=title,
        message=NOWHERE if status == 404 else sentence,
        home="/studio" if path.startswith("/studio") else "/console",
    )
    page = replace(
        _page(request, request.app.state.settings, None), path="/"
    )  # never with an id that was sent
    return litestar.Response(
        templates.render("shared/staff_error.html", page=page, view=view),
        status_code=status,
        media_type="text/html; charset=utf-8",
    )


def staff_address(path: str) -> bool:
    return any(path == door or path.startswith(f"{door}/") for door in DOORS)


def answer_problem(request: Request, problem: Problem) -> Response:
    """An error of a staff page, in the staff frame; the same table of statuses as everywhere."""
    status = errors.status_of(problem)
    found: Here | None = request.scope.get("staff")  # type: ignore[assignment]
    coming_back = errors.come_back(problem, came_from(request))
    view = Refusal(
        title=errors.SAID_BEFORE.get(problem.code) or errors.TITLES.get(status, errors.TITLES[500]),
        message=errors.COMES_BACK if "Refresh" in coming_back else problem.text,
        confirm_back=str(problem.details.get("back", "")) if isinstance(problem, StepUpNeeded) else "",
        sign_in=found is None,
        errors=tuple(problem.fields.values()) if isinstance(problem, Invalid) else (),
        written=request.scope.get("written", ()) if isinstance(problem, SignInNeeded) else (),  # type: ignore[arg-type]
        action=request.scope["path"],
    )
    page = _page(request, request.app.state.settings, found)
    if request.method != "GET":
        page = replace(page, path="/")
    answer: Response = litestar.Response(
        templates.render("shared/staff_error.html", page=page, view=view),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers=coming_back,
    )
    cookies.keep_visit(request, request.app.state.settings, answer)
    return answer


def came_from(request: Request) -> str:
    """The page the form stands on; head office's `?in=` is not told apart."""
    return addresses.local(urlsplit(request.headers.get("referer", "")).path, "/staff/sign-in")


def _answer_refused(request: Request, refused: Refused) -> Response:
    return answer_problem(request, refused.problem)


EVERYWHERE: dict[type[Exception], Any] = {HTTPException: answer_http}
"""Of the whole application: an address without a page belongs to no router."""

HANDLERS: Mapping[type[Exception], Any] = {
    GoTo: customer.answer_go_to,
    Problem: answer_problem,
    Refused: _answer_refused,
}
