"""The outermost layer of every request: an id, security headers, packing, a deadline for bodies, one log line.

The log line names the route, never the address (which may hold an application number) and no personal data.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from litestar.enums import ScopeType

from backend.core import ids
from backend.settings import Settings
from backend.web import bodies, logs, packing

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send


def security_headers(settings: Settings, form_targets: list[str]) -> list[tuple[bytes, bytes]]:
    """Sent with every answer (ASVS 3.4). `form_targets`: origins a POST may redirect to."""
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "media-src 'self' blob:",
            "font-src 'self'",
            "form-action 'self' " + " ".join(form_targets),
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )
    headers = {
        "content-security-policy": policy.replace(" ;", ";"),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(), microphone=()",
        "cross-origin-opener-policy": "same-origin",
        "server": "xiaodai",  # else the server names itself and so its weaknesses
    }
    if settings.secure_cookies:
        headers["strict-transport-security"] = "max-age=63072000; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def edge(
    settings: Settings, form_targets: list[str], patience: bodies.Patience | None = None
) -> Callable[["ASGIApp"], "ASGIApp"]:
    """ASGI middleware factory. `patience` is for tests."""
    fixed = security_headers(settings, form_targets)
    places = bodies.Places(settings, patience or bodies.Patience())

    def wrap(app: "ASGIApp") -> "ASGIApp":
        async def run(scope: "Scope", receive: "Receive", send: "Send") -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            scope["request_id"] = request_id = ids.new()  # type: ignore[typeddict-unknown-key]
            began = time.perf_counter()
            start: Any = None

            async def send_dressed(message: "Message") -> None:
                """The start waits for the body, which may be packed."""
                nonlocal start
                if message["type"] == "http.response.start":
                    start = message
                    return
                if message["type"] == "http.response.body" and not start.get("sent"):
                    headers = _complete(list(start["headers"]), fixed)
                    if packs and not message.get("more_body"):
                        headers, message["body"] = packing.packed(headers, message["body"])
                    start["headers"] = headers
                    await send(start)
                    start["sent"] = True
                await send(message)

            body = bodies.Body(scope, receive, places)
            bound = structlog.contextvars.bind_contextvars(request_id=request_id)
            try:
                packs = scope["method"] != "HEAD" and packing.accepted(scope["headers"])
                if _has_nul(scope):
                    await _refuse(send_dressed)
                else:
                    await app(scope, body, send_dressed)
                handler: Any = scope.get("route_handler")
                route = next(iter(sorted(getattr(handler, "paths", ()) or ())), "?")
                status = start["status"] if start else 0
                logs.request(request_id, scope["method"], route, status, time.perf_counter() - began)
            finally:
                body.close()
                structlog.contextvars.reset_contextvars(**bound)

        return run

    return wrap


def _has_nul(scope: "Scope") -> bool:
    """A NUL in an address is never typed and ends a text in PostgreSQL: refused before anything reads it."""
    return "\x00" in scope["path"] or b"%00" in scope.get("query_string", b"")


async def _refuse(send: "Send") -> None:
    body = "链接不完整，请重新扫码或从公众号进来".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _complete(headers: packing.Headers, fixed: packing.Headers) -> packing.Headers:
    """The fixed headers stand behind the answer's own, which win."""
    present = {name.lower() for name, _ in headers}
    headers += [pair for pair in fixed if pair[0] not in present]
    if b"cache-control" not in present:
        headers.append((b"cache-control", b"no-store"))
    return headers
