"""No address anybody brings is ever called: our calls go to configured systems only (ASVS 1.3.6, 13.2.4, 15.3.2)."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests

from backend.core import ids
from backend.core.errors import Problem
from backend.integrations import http
from backend.integrations.http import Connection
from backend.integrations.sign_on.client import SignOnClient
from backend.integrations.sign_on.port import SignOnUnavailable
from backend.settings import OUTSIDE
from tests.bot.conftest import World, world
from tests.bot.test_webhook import post, sealed, text_message
from tests.h5.customer.conftest import Phone, Studio
from tests.security.conftest import routes_of, with_token
from tests.security.test_hostile_input import fields_of

__all__ = ["world"]

ISSUER = "http://127.0.0.1:9000/sign-on"
ELSEWHERE = (
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/latest/", "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/", "http://2852039166/", "http://0xa9fea9fe/", "http://127.0.0.1.nip.io/", "http://[::1]:22/",
    "http://localhost:5432/", "http://rebind.example/", "//169.254.169.254/", "/\\169.254.169.254/",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/", "ftp://169.254.169.254/",
    "http://127.0.0.1:9000@169.254.169.254/", "http://127.0.0.1:9000.evil.example/", "https://evil.example/#/sign-on",
)  # fmt: skip


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address any client of ours calls, whatever carries it."""
    seen: list[str] = []
    send, single = httpx.AsyncClient.send, httpx.HTTPTransport.handle_request

    async def watched(self: httpx.AsyncClient, request: httpx.Request, **how: Any) -> httpx.Response:
        if self.headers["user-agent"] == "xiaodai":
            seen.append(str(request.url))
        return await send(self, request, **how)

    def alone(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return single(self, request)

    def blocking(_: requests.Session, method: str, url: str, **how: Any) -> None:
        seen.append(url)
        raise requests.ConnectionError(url)

    monkeypatch.setattr(httpx.AsyncClient, "send", watched)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", alone)
    monkeypatch.setattr(requests.Session, "request", blocking)
    return seen


def strays(called: list[str], settings: Any) -> list[str]:
    """Calls to anything but the systems of the settings."""
    ours = {urlsplit(getattr(settings, name)).netloc for name in OUTSIDE}
    return [each for each in called if urlsplit(each).netloc not in ours or not each.startswith("http")]


async def test_no_address_in_a_query_or_a_field_is_called_or_led_to(
    studio: Studio, phone: Phone, called: list[str]
) -> None:
    await phone.start()
    token, led = await with_token(phone), []
    for route in routes_of(studio.app):
        for bad in ELSEWHERE:
            if route.method == "GET":
                query = dict.fromkeys(("next", "back", "code", "state", "liveness_session"), bad)
                reply = await phone.http.get(route.at(), params=query)
            elif fields_of(studio, route):
                given = dict.fromkeys(fields_of(studio, route), bad) | {
                    "csrf_token": token,
                    "form_key": ids.new(),
                }
                reply = await phone.http.request(route.method, route.at(), data=given)
            else:
                continue
            host = urlsplit(bad.replace("\\", "/").removeprefix("/") if bad[1:2] == "\\" else bad).netloc
            to = reply.headers.get("location", "").replace("\\", "/")
            if host and urlsplit(to).netloc.endswith(host):
                led.append(f"{route} {bad}")
    assert led == []
    assert strays(called, studio.context.settings) == []


@pytest.mark.parametrize("kind", ["image", "voice", "video", "link", "location"])
async def test_no_address_in_a_message_is_called(world: World, called: list[str], kind: str) -> None:
    for number, bad in enumerate(ELSEWHERE):
        more = "".join(
            f"<{name}><![CDATA[{bad}]]></{name}>"
            for name in ("PicUrl", "MediaId", "ThumbMediaId", "Url", "Title", "Label")
        )
        plain = text_message(bad, number).replace("<MsgType>text", f"{more}<MsgType>{kind}")
        body, query = sealed(world.settings, plain)
        assert (await post(world, body, query)).status_code == 200
    assert strays(called, world.settings) == []


class _SignOn(httpx.AsyncBaseTransport):
    """A sign-on whose discovery and redirects point elsewhere."""

    def __init__(self, bad: str, *, redirect: bool = False) -> None:
        self.bad, self.redirect, self.called = bad, redirect, []  # type: str, bool, list[str]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.called.append(str(request.url))
        if self.redirect:
            return httpx.Response(302, headers={"location": self.bad})
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
        return httpx.Response(200, json={"issuer": ISSUER, **dict.fromkeys(names, self.bad)})


@pytest.mark.parametrize("redirect", [False, True], ids=["discovery", "redirect"])
@pytest.mark.parametrize("bad", [*ELSEWHERE, ISSUER + ".evil.example/keys", ISSUER + "@evil.example/keys"])
async def test_discovery_cannot_send_our_calls_elsewhere(bad: str, redirect: bool) -> None:
    outside = _SignOn(bad, redirect=redirect)
    async with http.open_client(deadline=1.0, transport=outside) as client:
        connection = Connection(client, base=ISSUER, secret="s", deadline=1.0, failure=SignOnUnavailable)
        sign_on = SignOnClient(connection, issuer=ISSUER, client_id="c", client_secret="s")
        with pytest.raises(Problem):
            await sign_on.exchange(code="c", code_verifier="v", redirect_uri="r", nonce="n")
        with pytest.raises(Problem):
            await sign_on._key_set(fresh=True)
    assert {urlsplit(each).netloc for each in outside.called} == {"127.0.0.1:9000"}
