"""The browser inside WeChat: our pages fetched as WeChat's own browser would, with cookies of that phone.

A page cannot give another page a user agent, so the sandbox stands between: every path that is not its own
is fetched from our side with WeChat's user agent while a phone's browser is open. Cookies stay here, one jar
per phone, so that two phones on one desk are two people. Into each page goes the script that a page meets in WeChat
(`static/wechat_browser.js`): the bridge of the JS-SDK, and <wx-open-subscribe>.
"""

from collections.abc import Iterable
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import httpx
from litestar.types import HTTPScope, Scope, Send

from backend.sandbox.pages.office import NAMES
from backend.sandbox.world import World

OPEN_COOKIE, PHONE_COOKIE = "phone_browser", "phone_openid"
USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 13; sandbox) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560 "
    "WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"
)
OWN = (
    *("/phone", "/bank", "/office", "/control", "/sandbox-static"),
    *(f"/{system.replace('_', '-')}" for system in NAMES if system != "wechat"),
    *("/wechat/cgi-bin", "/wechat/sns", "/wechat/connect"),
)
"""`/wechat` alone is the product's webhook and sign-in."""
NOT_PASSED_ON = {
    *("host", "cookie", "user-agent", "connection", "content-length", "accept-encoding"),
    *("origin", "referer", "transfer-encoding"),
}
NOT_PASSED_BACK = {
    *("connection", "content-length", "content-encoding", "transfer-encoding", "set-cookie"),
    *("x-frame-options", "cross-origin-opener-policy"),
}

Headers = Iterable[tuple[bytes, bytes]]


def phone_of(scope: Scope) -> str:
    """The phone whose browser this request comes from; empty when it is an ordinary request."""
    cookies = _cookies(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    return cookies.get(PHONE_COOKIE, "") if cookies.get(OPEN_COOKIE) == "1" else ""


def is_ours(path: str) -> bool:
    """A page of the sandbox itself."""
    return path == "/" or any(path == own or path.startswith(own + "/") for own in OWN)


def led_back(here: World, headers: Headers) -> list[tuple[bytes, bytes]]:
    """A redirect to our side stays inside the phone's browser."""
    base = here.settings.public_base.rstrip("/").encode()
    return [
        (name, value[len(base) :] or b"/")
        if name.lower() == b"location" and value.startswith(base)
        else (name, value)
        for name, value in headers
    ]


async def fetch(here: World, openid: str, scope: HTTPScope, body: bytes, send: Send) -> None:
    """Pass one request on to our side and its answer back, as it comes (progress is streamed)."""
    base = here.settings.public_base.rstrip("/")
    query = scope["query_string"].decode("latin-1")
    url = base + scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    headers = _outgoing(here, openid, scope["headers"])
    request = here.http.build_request(scope["method"], url, headers=headers, content=body, timeout=60)
    try:
        reply = await here.http.send(request, stream=True)
    except httpx.HTTPError:
        await _say(send, 502, "网页打不开：小贷云工作室没有应答")
        return
    try:
        _keep(here, openid, reply.headers.get_list("set-cookie"))
        await send(
            {"type": "http.response.start", "status": reply.status_code, "headers": _incoming(here, reply)}
        )
        if _is_page(headers, reply):
            chunk = _with_client(openid, await reply.aread())
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        else:
            async for chunk in reply.aiter_bytes():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await reply.aclose()


def _is_page(asked: dict[str, str], reply: httpx.Response) -> bool:
    """A whole page, not a part that a page's script asked for."""
    return "hx-request" not in asked and reply.headers.get("content-type", "").startswith("text/html")


def _with_client(openid: str, body: bytes) -> bytes:
    """What WeChat's browser adds to every page before the page's own scripts: its name and its bridge."""
    tag = (
        f'<script src="/sandbox-static/wechat_browser.js" data-openid="{escape(openid, quote=True)}" '
        f'data-agent="{escape(USER_AGENT, quote=True)}"></script>'
    )
    return body.replace(b"<head>", b"<head>" + tag.encode(), 1)


def _outgoing(here: World, openid: str, given: Headers) -> dict[str, str]:
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in given}
    headers = {name: value for name, value in named.items() if name not in NOT_PASSED_ON}
    base = here.settings.public_base.rstrip("/")
    if "origin" in named:
        headers["origin"] = base
    if "referer" in named:
        headers["referer"] = base + (urlsplit(named["referer"]).path or "/")
    jar = here.store.get("phone_cookies", openid) or {}
    if jar:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
    return {**headers, "user-agent": USER_AGENT}


def _incoming(here: World, reply: httpx.Response) -> list[tuple[bytes, bytes]]:
    kept = [
        (name, value.replace(b"frame-ancestors 'none'", b"frame-ancestors 'self'"))
        for name, value in reply.headers.raw
        if name.decode("latin-1").lower() not in NOT_PASSED_BACK
    ]
    return led_back(here, kept)


def _keep(here: World, openid: str, set_cookies: list[str]) -> None:
    if not set_cookies:
        return
    jar = here.store.get("phone_cookies", openid) or {}
    for line in set_cookies:
        for name, morsel in _parsed(line).items():
            if morsel["max-age"] == "0" or not morsel.value:
                jar.pop(name, None)
            else:
                jar[name] = morsel.coded_value
    here.store.put("phone_cookies", openid, jar)


def _cookies(header: str) -> dict[str, str]:
    return {name: morsel.value for name, morsel in _parsed(header).items()}


def _parsed(text: str) -> "SimpleCookie":
    try:
        return SimpleCookie(text)
    except CookieError:
        return SimpleCookie()


async def _say(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode(), "more_body": False})
