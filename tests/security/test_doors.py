"""Every route answers with the headers, refuses strangers' posts, and writes nothing for a GET (ASVS 3, 4)."""

import base64

import httpx
import msgspec
import pytest

from backend import app as studio_app
from backend.web import customer
from tests.h5.customer.conftest import Phone, Studio
from tests.security.conftest import Census, Route, routes_of, with_token

SIGNED = ("/api/", "/wechat")
"""Doors that systems knock at: a signature of their own instead of a cross-site token."""


def from_people(route: Route) -> bool:
    return not (route.path.startswith("/api/") or route.path == "/wechat")


async def test_every_answer_carries_the_headers_and_is_kept_nowhere(
    studio: Studio, web: httpx.AsyncClient
) -> None:
    missing = []
    for route in routes_of(studio.app):
        for method in (route.method, "HEAD", "OPTIONS", "TRACE", "PUT"):
            reply = await web.request(method, route.at())
            said = reply.headers
            policy = said.get("content-security-policy", "")
            wanted = {
                "script": "script-src 'self';" in policy,
                "object": "object-src 'none'" in policy,
                "base": "base-uri 'none'" in policy,
                "frame": "frame-ancestors 'none'" in policy,
                "default": "default-src 'none'" in policy,
                "unsafe": "unsafe" not in policy and "*" not in policy,
                "nosniff": said.get("x-content-type-options") == "nosniff",
                "referrer": said.get("referrer-policy") in {"no-referrer", "same-origin"},
                "no-store": said.get("cache-control") == "no-store",
                "opener": said.get("cross-origin-opener-policy") == "same-origin",
                # granian names itself where the application does not
                "no server": said.get("server") == "xiaodai" and "x-powered-by" not in said,
            }
            missing += [f"{method} {route.path}: {name}" for name, there in wanted.items() if not there]
    assert missing == []


async def test_unknown_addresses_and_the_schema_are_not_found_and_carry_the_headers(
    web: httpx.AsyncClient,
) -> None:
    for path in ("/schema", "/schema/openapi.json", "/schema/swagger", "/docs", "/openapi.json", "/.git/config",
                 "/.env", "/static/../pyproject.toml", "/static/fonts/", "/metrics", "/admin"):  # fmt: skip
        reply = await web.get(path)
        assert reply.status_code == 404, path
        assert reply.headers["x-content-type-options"] == "nosniff"


async def test_a_post_without_its_token_or_from_elsewhere_is_refused_everywhere(
    studio: Studio, web: httpx.AsyncClient, phone: Phone, census: Census
) -> None:
    token = await with_token(phone)
    before, let_in = await census.digests(), []
    own = studio.context.settings.public_base
    stranger = studio.phone()
    others = await with_token(stranger)
    wrong: list[tuple[str, dict[str, str], dict[str, str]]] = [
        ("no token", {}, {}),
        ("empty token", {"csrf_token": ""}, {}),
        ("another browser's token", {"csrf_token": others}, {}),
        ("another origin", {"csrf_token": token}, {"Origin": "https://evil.example"}),
        ("no origin at all", {"csrf_token": token}, {"Origin": "null"}),
        ("a look-alike origin", {"csrf_token": token}, {"Origin": own + ".evil.example"}),
        ("another site", {"csrf_token": token}, {"Sec-Fetch-Site": "cross-site"}),
        ("a sister site", {"csrf_token": token}, {"Sec-Fetch-Site": "same-site"}),
    ]
    for route in routes_of(studio.app):
        if route.method == "GET":
            continue
        for name, form, headers in wrong:
            reply = await phone.http.request(route.method, route.at(), data=form, headers=headers)
            expected = {403} if from_people(route) else {400, 401, 403, 422}
            if reply.status_code not in expected:
                let_in.append(f"{route} {name}: {reply.status_code}")
    assert let_in == []
    assert await census.changed(before) == set()


async def test_with_its_token_the_same_post_gets_past_the_door(studio: Studio, phone: Phone) -> None:
    """So that the refusals above mean something."""
    token = await with_token(phone)
    for headers in ({}, {"Origin": studio.context.settings.public_base}, {"Sec-Fetch-Site": "same-origin"}):
        reply = await phone.http.post("/display", data={"csrf_token": token}, headers=headers)
        assert reply.status_code == 303
    reply = await phone.http.post("/display", headers={"X-CSRF-Token": token})
    assert reply.status_code == 303


MAY_WRITE = {
    "/wechat/oauth/start": {"channels.oauth_states"},  # the state of the redirect that begins
    "/apply/liveness/back": {
        "applications.applications",
        "applications.events",
        "audit.entries",
        "audit.heads",
    },
}
"""The GETs that record something, each for a reason: a browser comes back from another system."""


async def test_a_get_writes_nothing(studio: Studio, phone: Phone, zhang: object, census: Census) -> None:
    number = await phone.to_result(zhang)  # type: ignore[arg-type]
    await studio.drain()
    await studio.world.idle(5)
    await studio.drain()
    codes = list((await studio.tokens()).values())
    before, wrote = await census.digests(), []
    for route in routes_of(studio.app):
        if route.method != "GET":
            continue
        filled = {"number": number, "institution_id": "4101", "product_code": "SXD", "code": codes[0],
                  "key": "bureau_query", "version": "1", "token": "x"}  # fmt: skip
        for who in (phone, studio.phone("Mozilla/5.0 MicroMessenger/8.0")):
            await who.http.get(route.at(**filled))
            changed = await census.changed(before)
            if changed - MAY_WRITE.get(route.path, set()):
                wrote.append(f"{route}: {sorted(changed)}")
            before = await census.digests()
    assert wrote == []


async def test_a_made_up_forwarded_address_is_not_believed(studio: Studio) -> None:
    from backend.web import addresses

    class Said:
        def __init__(self, peer: str, forwarded: str) -> None:
            self.client = type("Peer", (), {"host": peer})()
            self.headers = {"x-forwarded-for": forwarded} if forwarded else {}

    settings = msgspec.structs.replace(studio.context.settings, trusted_proxies="10.0.0.1, 10.0.0.2")
    for peer, forwarded, believed in (
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "", "10.0.0.1"),
    ):
        assert addresses.client(Said(peer, forwarded), settings) == believed  # type: ignore[arg-type]


async def test_cookies_over_https_are_host_bound_and_unreadable_to_scripts(studio: Studio) -> None:
    settings = msgspec.structs.replace(studio.context.settings, public_base="https://loan.union.example")
    made = studio_app.create_app(settings)
    made.state.context = msgspec.structs.replace(studio.context, settings=settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(made), base_url="https://loan.union.example"
    ) as browser:
        landing = await browser.get("/p/4101/SXD")
        assert "max-age=63072000" in landing.headers["strict-transport-security"]
        from backend.sandbox.forms import PageReader

        form = PageReader(landing.text).form("/apply/start")
        started = await browser.post("/apply/start", data=form.filled())
        assert started.status_code == 303
        display = await browser.post("/display", data={"csrf_token": form.values["csrf_token"]})
        set_cookies = [
            line for reply in (landing, started, display) for line in reply.headers.get_list("set-cookie")
        ]
    names = {line.split("=")[0] for line in set_cookies}
    assert {"__Host-visit", "__Host-customer"} <= names
    for line in set_cookies:
        flags = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "samesite=lax", "path=/"} <= flags, line
        assert not any(flag.startswith("domain=") for flag in flags), line
        if not line.startswith(
            "display="
        ):  # large type: read by the page's own script, says nothing of anybody
            assert line.startswith("__Host-"), line
            assert "httponly" in flags, line


async def test_a_session_cookie_holds_at_least_128_random_bits(studio: Studio, phone: Phone) -> None:
    await phone.start()
    token = phone.http.cookies["customer"].split(".", 1)[1]
    assert len(base64.b16decode(token.upper())) >= 16


async def test_a_union_without_institutions_yet_has_no_page_that_breaks(
    studio: Studio, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./xiaodai up --empty`, before anybody is entered."""

    async def nobody(_: object) -> dict[str, object]:
        return {}

    monkeypatch.setattr(customer, "live_institutions", nobody)
    routes = [route for route in routes_of(studio.app) if route.method == "GET" and from_people(route)]
    broken = [route.path for route in routes if (await web.get(route.at())).status_code >= 500]
    assert broken == []
