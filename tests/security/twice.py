"""A browser that sends everything that changed something a second time, and then once more with another content."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode

import asyncpg
import httpx
from litestar.handlers import HTTPRouteHandler

from backend.core import clock, ids, webhooks
from tests.security.conftest import Census

ENDS_ITSELF = {"/staff/sign-out": "the session is over: the repeat is led to the way in, whatever its key"}


def changing(app: Any) -> dict[str, HTTPRouteHandler]:
    """Path template → handler of every route of the application but those that only read."""
    return {
        route.path: handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if getattr(handler, "http_methods", {"GET"}) - {"GET", "HEAD", "OPTIONS"}
    }


class Twice(httpx.AsyncBaseTransport):
    """`wrong` says what was not as promised; `swept` which routes changed something and were sent again."""

    def __init__(self, app: Any, owner: asyncpg.Connection, secret: str = "") -> None:
        self._app = httpx.ASGITransport(app)
        self._routes, self._owner, self._secret = changing(app), owner, secret
        self._census = Census(owner)
        self.swept: set[str] = set()
        self.wrong: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content, before = await request.aread(), await self._claims()
        first = await self._send(request, content)
        if request.method == "GET" or await self._claims() == before:
            return first
        path = self._route_of(request.url.path)
        self.swept.add(path)
        await self._receipts()
        kept = await self._census.digests()
        again = await self._send(request, content)
        if path not in ENDS_ITSELF and facts(again) != facts(first):
            self.wrong.append(f"{path}: {first.status_code}, then {again.status_code}")
        if changed := await self._census.changed(kept):
            self.wrong.append(f"{path}: the repeat changed {sorted(changed)}")
        other = await self._other(request, content, path)
        if path not in ENDS_ITSELF and other.status_code != 422:
            self.wrong.append(f"{path}: another request with its key was answered {other.status_code}")
        if changed := await self._census.changed(kept):
            self.wrong.append(f"{path}: another request with its key changed {sorted(changed)}")
        return first

    async def _send(self, request: httpx.Request, content: bytes, **headers: str) -> httpx.Response:
        given = dict(request.headers) | headers
        given.pop("content-length", None)
        reply = await self._app.handle_async_request(
            httpx.Request(request.method, request.url, headers=given, content=content)
        )
        await reply.aread()
        whole = httpx.Response(reply.status_code, headers=reply.headers, request=request)
        whole.headers.pop("content-encoding", None)
        whole._content = reply.content
        return whole

    async def _other(self, request: httpx.Request, content: bytes, path: str) -> httpx.Response:
        """One value of it differs; where the form has none, it is the way it is sent (by the page's script)."""
        opt = self._routes[path].opt
        if path.startswith("/api/"):
            signed = webhooks.headers(self._secret, ids.new(), clock.now(), content + b" ")
            return await self._send(request, content + b" ", **signed)
        if opt.get("files") and b"\xff\xd9\r\n--" in content:
            return await self._send(request, content.replace(b"\xff\xd9\r\n--", b"\xff\xd9 \r\n--"))
        if opt.get("fields") and "multipart" not in request.headers.get("content-type", ""):
            form = dict(parse_qsl(content.decode(), keep_blank_values=True))
            name = opt["fields"][0]
            return await self._send(request, urlencode(form | {name: form.get(name, "") + "9"}).encode())
        script = "" if "hx-request" in request.headers else "true"
        return await self._send(request, content, **{"hx-request": script})

    async def _receipts(self) -> None:
        """The platform's receipts come when they come, and are no work of the repeat."""
        for _ in range(100):
            if not await self._owner.fetchval(
                "select count(*) from channels.sms_messages where receipt_at is null"
            ):
                return
            await asyncio.sleep(0.05)

    async def _claims(self) -> int:
        return int(await self._owner.fetchval("select count(*) from outbox.idempotency"))

    def _route_of(self, path: str) -> str:
        parts = path.split("/")
        for template in self._routes:
            wanted = template.split("/")
            if len(parts) == len(wanted) and all(
                w == p or w.startswith("{") for w, p in zip(wanted, parts, strict=True)
            ):
                return template
        raise AssertionError(f"no route for {path}")


def facts(reply: httpx.Response) -> tuple[object, ...]:
    """Everything of an answer that its sender can tell apart."""
    return reply.status_code, sorted(reply.headers.multi_items()), reply.content
