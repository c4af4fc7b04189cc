"""The sandbox service: `create_app(settings)`; everything at the other end of our clients."""

import asyncio
import hmac
from pathlib import Path
from typing import Any

import httpx
import msgspec
from litestar import Litestar, Response
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig
from litestar.types import Message, Receive, Scope, Send

from backend.sandbox import control
from backend.sandbox.faults import Dropped, Fault, wait
from backend.sandbox.pages import bank, browser, common, office
from backend.sandbox.pages import phone as phone_pages
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems import (
    core_banking,
    credit_bureau,
    data_platform,
    identity_check,
    image_archive,
    liveness,
    sign_on,
    sms,
    wechat,
)
from backend.sandbox.systems.mobile_bank import api, programs
from backend.sandbox.systems.wechat import open_tags, phone
from backend.sandbox.world import AnyRequest, World
from backend.settings import Settings

SYSTEMS = tuple(office.NAMES)
_BY_PREFIX = {system.replace("_", "-"): system for system in SYSTEMS}
HERE = Path(__file__).parent
_OPEN_PATHS = ("/liveness/page/",)


class Sandbox(Litestar):
    """Litestar with the bad network around it: faults strike before and after the systems themselves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] != ScopeType.HTTP:
            # Lifespan; there are no websockets here.
            await super().__call__(scope, receive, send)
            return
        here: World = self.state.world
        here.callbacks.resume()
        phone = browser.phone_of(scope)
        if phone and not browser.is_ours(scope["path"]):
            await browser.fetch(here, phone, scope, await _whole_body(receive), send)
            return
        if phone:
            send = _leading_back(here, send)
        prefix, _, operation = scope["path"].lstrip("/").partition("/")
        system = _BY_PREFIX.get(prefix)
        faults = here.faults.firing(system, operation) if system else []
        if not faults:
            await super().__call__(scope, receive, send)
            return
        await self._struck(faults, scope, receive, send)

    async def _struck(self, faults: list[Fault], scope: Scope, receive: Receive, send: Send) -> None:
        by_kind = {fault.fault: fault for fault in faults}
        body = await _whole_body(receive)
        for slow in ("delay", "hang"):
            if slow in by_kind:
                await wait(by_kind[slow])
        if "drop_before" in by_kind:
            await _drop(send)
        for answer in ("status", "errcode"):
            if answer in by_kind:
                await _answer(by_kind[answer], send)
                return
        if "duplicate" in by_kind:
            await super().__call__(_copy(scope), _replay(body), _swallow)
        if "drop_after" in by_kind:
            await super().__call__(_copy(scope), _replay(body), _swallow)
            await _drop(send)
        if "half_open" in by_kind:
            await super().__call__(_copy(scope), _replay(body), _swallow)
            await _fall_silent(by_kind["half_open"], send)
        if "status_after" in by_kind:
            await super().__call__(_copy(scope), _replay(body), _swallow)
            await _answer(by_kind["status_after"], send)
            return
        await super().__call__(scope, _replay(body), send)


def create_app(settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> Litestar:
    """The service. `transport` carries the sandbox's own calls to us, so that tests can mount both sides."""
    app = routed()
    app.state.world = World(settings, transport)
    return app


def routed() -> Litestar:
    """Its routes, of no world yet."""
    guarded = [
        *(identity_check.router, sms.router, credit_bureau.router, data_platform.router),
        *(core_banking.router, image_archive.router, liveness.router, api.router),
    ]
    return Sandbox(
        route_handlers=[
            *guarded,
            wechat.router,
            sign_on.router,
            phone.router,
            open_tags.router,
            *(*phone_pages.HANDLERS, *bank.HANDLERS, *office.HANDLERS),
            create_static_files_router("/sandbox-static", directories=[HERE / "static"]),
            programs.router,
            control.router,
        ],
        guards=[_known_caller],
        exception_handlers={Refusal: _refused},
        template_config=TemplateConfig(
            directory=HERE / "templates", engine=JinjaTemplateEngine, engine_callback=common.prepare
        ),
        openapi_config=None,
        on_shutdown=[_close],
        logging_config=None,
    )


async def _close(app: Litestar) -> None:
    await app.state.world.close()


def _known_caller(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The bank's systems know us by a secret; pages, WeChat and the sign-on have their own ways in."""
    path = connection.url.path
    system = _BY_PREFIX.get(path.split("/", 2)[1])
    if system in {None, "wechat", "sign_on"} or path.startswith(_OPEN_PATHS):
        return
    expected = f"Bearer {connection.app.state.world.settings.outside_api_secret}"
    if not hmac.compare_digest(connection.headers.get("authorization", "").encode(), expected.encode()):
        raise Refusal(401, "caller_unknown", "接口密钥不对")


def _refused(request: AnyRequest, refusal: Refusal) -> Response[Any]:
    """JSON for programs; a page with the same words for people."""
    pages = ("/phone", "/bank", "/office", "/sign-on/authorize", "/liveness/page")
    if request.url.path.startswith(pages) and "text/html" in request.headers.get("accept", ""):
        return Template("refused.html", context={"refusal": refusal}, status_code=refusal.status)
    body = {"code": refusal.code, "message": refusal.message}
    return Response(body, status_code=refusal.status)


def _leading_back(here: World, send: Send) -> Send:
    """A redirect of ours to the studio stays in the phone's browser (silent sign-in, liveness)."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = browser.led_back(here, message["headers"])
        await send(message)

    return wrapped


async def _whole_body(receive: Receive) -> bytes:
    received = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return received
        received += message.get("body", b"")
        if not message.get("more_body"):
            return received


def _replay(body: bytes) -> Receive:
    given = False

    async def receive() -> Any:
        nonlocal given
        if given:
            await asyncio.Event().wait()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _copy(scope: Scope) -> Scope:
    """A fresh scope for a second delivery: Litestar keeps what it has read in the scope."""
    copied: Any = {name: value for name, value in scope.items() if name not in {"state", "litestar_app"}}
    copied["state"] = {}
    return copied  # type: ignore[no-any-return]


async def _swallow(_: Message) -> None:
    """The answer nobody receives."""


async def _drop(send: Send) -> None:
    """Break the connection: half an answer for a real server, an httpx error for ASGITransport."""
    await _half_an_answer(send)
    raise Dropped()


async def _fall_silent(fault: Fault, send: Send) -> None:
    """A half-open line: half an answer, then nothing, and nobody says that the other side is gone."""
    await _half_an_answer(send)
    await wait(fault)
    raise Dropped()


async def _half_an_answer(send: Send) -> None:
    headers = [(b"content-length", b"1000000"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def _answer(fault: Fault, send: Send) -> None:
    status = int(fault.args.get("status", 200 if fault.fault == "errcode" else 503))
    body = fault.args.get("body") or {"code": "fault", "message": "演练故障"}
    if fault.fault == "errcode":
        body = {"errcode": int(fault.args.get("errcode", -1)), "errmsg": "fault"}
    headers = [(b"content-type", b"application/json")]
    if "retry_after" in fault.args:
        headers.append((b"retry-after", str(fault.args["retry_after"]).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(body), "more_body": False})
