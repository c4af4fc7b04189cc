"""Whatever somebody puts where: an answer below 500, nothing executed, nothing kept that was not asked for.

The places are found in the app's route table: path parameters, declared form fields, JSON fields, the query keys
and cookies our pages read. A new route is swept without being added here (ASVS 1.2.4, 1.5, 8.2.3).
"""

import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import msgspec
import pytest

from backend.api import mobile_bank, sms_receipts
from backend.core import clock, ids, webhooks
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio
from tests.security.conftest import Census, Route, routes_of, with_token

ROOT = Path(__file__).resolve().parents[2]

HOSTILE = (
    "'", "\"", "';--", "' or 1=1--", "1; drop table xd.quota;--", "') union select null--", "\\", "%", "%27",
    "\x00", "a\x00b", "\x1a", "\r\nSet-Cookie: a=b", "\u202e", "\ufeff", "\ud7ff", "\U0010ffff", "𠮷" * 40,
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{0.__class__}", "%s%s%n", "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd", "http://169.254.169.254/", "-1", "0", "1e309", "NaN", "9" * 30, "٣٤", "１２３",
    "null", "true", "[]", "{}", "<!--", "]]>", "x" * 5000, " ", "\t\n", "$(id)", "`id`", "|id", "a\nb", "=1+1",
)  # fmt: skip

STAFF = ("/console", "/studio", "/staff")
"""Doors that ask who knocks before they look at what is brought: 403 comes first."""

QUERY = ("back", "code", "state", "next", "liveness_session", "signature", "msg_signature", "timestamp", "nonce",
         "echostr", "encrypt_type", "from", "isappinstalled")  # fmt: skip
COOKIES = ("visit", "customer", "staff", "wechat", "display")
BODIES: dict[str, type[msgspec.Struct]] = {
    "/api/mobile-bank/redeem": mobile_bank.Redeem,
    "/api/mobile-bank/package": mobile_bank.Package,
    "/api/mobile-bank/document": mobile_bank.Document,
    "/api/mobile-bank/drawdown": mobile_bank.Drawdown,
    "/api/mobile-bank/events": mobile_bank.StrictEvent,
    "/api/sms/receipts": sms_receipts.StrictReceipt,
}
"""Signed JSON doors and what their bodies hold."""


def fields_of(studio: Studio, route: Route) -> tuple[str, ...]:
    """What the route declares its form may hold."""
    for each in studio.app.routes:
        if each.path == route.path and route.method in each.methods:
            handler = next(h for h in each.route_handlers if route.method in h.http_methods)
            return tuple(handler.opt.get("fields", ()))
    raise AssertionError(route)


def signed(studio: Studio, path: str, body: bytes) -> dict[str, str]:
    settings = studio.context.settings
    secret = settings.sms_callback_secret if "/sms/" in path else settings.mobile_bank_callback_secret
    return webhooks.headers(secret, ids.new(), clock.now(), body)


@pytest.fixture
async def somebody(studio: Studio, phone: Phone, zhang: Person) -> tuple[Phone, str]:
    """A phone with an approved application, so that the sweeps get deep into every handler."""
    await studio.control.put(
        f"/control/people/{zhang.id_number}", json={"name": zhang.name, "preset": "good", "phone": "match"}
    )
    await phone.to_details(zhang)
    await phone.hand_in(income="120k_200k", amount="30000")
    number = phone.path.split("/")[2]
    await studio.drain()
    return phone, number


class Nowhere:
    """Collects what came back wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def look(self, what: str, reply: httpx.Response) -> None:
        if reply.status_code >= 500:
            self.wrong.append(f"{what}: {reply.status_code}")
        text = reply.text
        if "Traceback" in text or "asyncpg" in text or "/site-packages/" in text:
            self.wrong.append(f"{what}: tells its insides")
        if any("\n" in value or "\r" in value for value in reply.headers.values()):
            self.wrong.append(f"{what}: a header of theirs")


def lenient(studio: Studio, who: Phone) -> httpx.AsyncClient:
    """The phone's browser, but an error of ours is its answer 500 rather than an exception here."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(studio.app, raise_app_exceptions=False),
        base_url=studio.context.settings.public_base,
        cookies=who.http.cookies,
        headers={"Accept": "text/html"},
    )


async def test_no_address_breaks_anything(studio: Studio, somebody: tuple[Phone, str]) -> None:
    phone, number = somebody
    found, code = Nowhere(), next(iter((await studio.tokens()).values()))
    filled = {"number": number, "institution_id": "4101", "product_code": "SXD", "code": code,
              "key": "bureau_query", "version": "1", "token": "x"}  # fmt: skip
    async with lenient(studio, phone) as client:
        for route in routes_of(studio.app):
            if route.method != "GET":
                continue
            holes = re.findall(r"{(\w+):", route.path)
            for hostile in HOSTILE:
                for hole in holes:
                    path = route.at(**(filled | {hole: _quoted(hostile)}))
                    found.look(f"{route} {hole}={hostile[:20]!r}", await client.get(path))
                query = dict.fromkeys(QUERY, hostile)
                found.look(f"{route} ?{hostile[:20]!r}", await client.get(route.at(**filled), params=query))
    assert found.wrong == []


async def test_no_field_of_any_form_breaks_anything(studio: Studio, somebody: tuple[Phone, str]) -> None:
    phone, number = somebody
    token, found = await with_token(phone), Nowhere()
    async with lenient(studio, phone) as client:
        for route in routes_of(studio.app):
            if route.method == "GET" or route.path.startswith("/api/") or route.path == "/wechat":
                continue
            names = fields_of(studio, route)
            for hostile in HOSTILE:
                form = dict.fromkeys(names, hostile) | {"csrf_token": token, "form_key": ids.new()}
                reply = await client.post(route.at(number=number, key="marketing", token="x"), data=form)
                found.look(f"{route} {hostile[:20]!r}", reply)
                reply = await client.post(
                    route.at(number=_quoted(hostile), key=_quoted(hostile), token=_quoted(hostile)),
                    data={"csrf_token": token, "form_key": hostile},
                )
                found.look(f"{route} path {hostile[:20]!r}", reply)
    assert found.wrong == []


async def test_no_step_of_the_road_breaks_on_one_wrong_field(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """Everything else on the form is right, so that each field is read as deep as it ever is."""
    found, depth = Nowhere(), {}

    async def sweep(action: str, shown_as: str = "", **right: str) -> None:
        form = phone.page.form(shown_as or action)
        chosen = {n: form.values.get(n) or form.first_choice(n) for n in form.choices} | right
        async with lenient(studio, phone) as client:
            for name in fields_of(studio, Route("POST", action)):
                for hostile in HOSTILE:
                    sent = form.filled(**(chosen | {name: hostile, "form_key": ids.new()}))
                    reply = await client.post(action, data=sent)
                    found.look(f"{action} {name}={hostile[:20]!r}", reply)
                    depth.setdefault(action, set()).add(reply.status_code)

    await phone.get("/p/4101/SXD")
    await sweep("/apply/start")
    await phone.start()
    await phone.photograph(zhang)
    await sweep("/apply/identity/confirm")
    await phone.confirm(zhang)
    await sweep("/apply/consents", phone=zhang.phone, code="123456", **phone.ticks())
    await phone.prove(zhang)
    await phone.get("/apply/liveness")
    await sweep("/apply/liveness")
    await phone.face()
    await sweep("/apply/details", "/apply/submit")
    await phone.get("/apply/details")
    await sweep("/apply/submit")
    assert found.wrong == []
    assert all(statuses & {200, 204, 303, 422} for statuses in depth.values()), depth


async def test_no_cookie_breaks_anything(studio: Studio) -> None:
    found = Nowhere()
    transport = httpx.ASGITransport(studio.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=studio.context.settings.public_base) as client:
        for hostile in (*HOSTILE, "4101." + "x" * 43, "4101." + "\x00" * 43, "*." + "x" * 43, "." * 80,
                        "MTIzLm8=.x", "99999999999999." + "x" * 30, "²¹³¹." + "x" * 43):  # fmt: skip
            value = hostile.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")
            line = b"; ".join(name.encode() + b"=" + value for name in COOKIES)
            latin = line if hostile.isascii() else b"staff=" + hostile.encode("latin-1", "replace")
            for path in ("/", "/apply/identity", "/my/1", "/resume", "/q/x", "/wechat/bind/x", "/console",
                         "/studio", "/staff/sign-in"):  # fmt: skip
                for sent in (line, latin):
                    reply = await client.get(
                        path, headers={b"Cookie": sent, b"User-Agent": b"MicroMessenger"}
                    )
                    found.look(f"{path} {hostile[:20]!r}", reply)
    assert found.wrong == []


async def test_no_signed_body_breaks_anything(studio: Studio, web: httpx.AsyncClient) -> None:
    """Even the bank's own systems may send rubbish."""
    found = Nowhere()
    doors = {r.path for r in routes_of(studio.app) if r.path.startswith("/api/") and r.method == "POST"}
    assert doors == set(BODIES)
    for hostile in HOSTILE:
        path = f"/api/mobile-bank/standing/4101/{quote(hostile, safe='')}"
        signature = webhooks.headers(
            studio.context.settings.mobile_bank_callback_secret,
            ids.new(),
            clock.now(),
            unquote(path).encode(),
        )
        found.look(path, await web.get(path, headers=signature))
    for path, kind in BODIES.items():
        good = _sample(kind)
        bodies: list[Any] = [
            {**good, name: hostile}
            for name in good
            for hostile in (*HOSTILE, 1, -1, 1e300, 2**70, None, [], {})
        ]
        raw = [msgspec.json.encode(body) for body in bodies]
        raw += [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"a":' * 2000, b"null", b"1", b'{"a":1,"a":2}']
        for body in raw:
            reply = await web.post(path, content=body, headers=signed(studio, path, body))
            found.look(f"{path} {body[:60]!r}", reply)
    assert found.wrong == []


async def test_an_unknown_field_is_refused_and_nothing_written(
    studio: Studio, somebody: tuple[Phone, str], census: Census
) -> None:
    phone, number = somebody
    await studio.world.idle(5)
    await studio.drain()
    token = await with_token(phone)
    before, let_in = await census.digests(), []
    for route in routes_of(studio.app):
        if route.method == "GET" or route.path.startswith("/api/") or route.path == "/wechat":
            continue
        known = {"csrf_token": token, "form_key": ids.new()}
        for name in (
            "role",
            "status",
            "customer_id",
            "amount_fen",
            "institution",
            "__proto__",
            "csrf_token[]",
        ):
            if name in fields_of(studio, route):
                continue
            reply = await phone.http.post(
                route.at(number=number, key="marketing"), data={**known, name: "approved"}
            )
            # What staff forms may hold is swept with sessions by tests/house/test_staff_roles.
            if reply.status_code not in ({400, 403} if route.path.startswith(STAFF) else {400}):
                let_in.append(f"{route} {name}: {reply.status_code}")
    for path, kind in BODIES.items():
        body = msgspec.json.encode({**_sample(kind), "role": "admin"})
        reply = await phone.http.post(path, content=body, headers=signed(studio, path, body))
        if reply.status_code != 400:
            let_in.append(f"{path}: {reply.status_code}")
    assert let_in == []
    assert await census.changed(before) == set()


async def test_a_field_given_twice_with_two_values_or_as_a_file_is_refused(phone: Phone) -> None:
    token = await with_token(phone)
    twice = f"csrf_token={token}&display=care&display=normal"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await phone.http.post("/display", content=twice, headers=form)).status_code == 400
    same = f"csrf_token={token}&display=care&display=care"
    assert (await phone.http.post("/display", content=same, headers=form)).status_code == 303
    reply = await phone.http.post(
        "/display", data={"csrf_token": token}, files={"display": ("a.txt", b"care", "text/plain")}
    )
    assert reply.status_code == 400


# Multipart and sizes


def _multipart(parts: list[tuple[str, bytes]], boundary: str = "b") -> tuple[bytes, dict[str, str]]:
    body = b"".join(
        b"--" + boundary.encode() + b"\r\n" + head.encode("latin-1") + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return body + b"--" + boundary.encode() + b"--\r\n", {
        "Content-Type": f"multipart/form-data; boundary={boundary}"
    }


async def test_multipart_bombs_are_refused_quickly_and_nothing_is_kept(
    studio: Studio, phone: Phone, web: httpx.AsyncClient
) -> None:
    await phone.start()
    form = phone.page.form("/apply/identity/front")
    token = form.values["csrf_token"]
    part = 'Content-Disposition: form-data; name="{}"'
    held = [(part.format("csrf_token"), token.encode()), (part.format("form_key"), ids.new().encode())]
    photo = part.format("image") + '; filename="a.jpg"\r\nContent-Type: image/jpeg'
    bombs = {
        "many parts": _multipart([*held, *[(part.format("image"), b"x")] * 5000]),
        "a giant header": _multipart([*held, (photo + "\r\nX: " + "y" * 100_000, b"x")]),
        "many headers": _multipart([*held, (photo + "\r\nX: y" * 5000, b"x")]),
        "an unknown character set": _multipart(
            [*held, (part.format("image") + "\r\nContent-Type: text/plain; charset=nonsense", b"x")]
        ),
        "untrue utf-8": _multipart([*held, (part.format("image"), b"\xff\xfe")]),
        "no end": (_multipart(held)[0][:-6], {"Content-Type": "multipart/form-data; boundary=b"}),
        "no boundary": (b"x", {"Content-Type": "multipart/form-data"}),
        "a boundary too long": _multipart(held, "b" * 4000),
        "empty": (b"", {"Content-Type": "multipart/form-data; boundary=b"}),
        "a part without a name": _multipart([*held, ("Content-Disposition: form-data", b"x")]),
        "a path for a name": _multipart([*held, (photo.replace("a.jpg", "../../x.jpg"), b"\xff\xd8\xffx")]),
        "over 9 MB": _multipart([*held, (photo, b"\xff\xd8\xff" + b"0" * (9 * 1024 * 1024))]),
    }
    wrong = {}
    client = lenient(studio, phone)
    async with client:
        for name, (body, headers) in bombs.items():
            reply = await client.post("/apply/identity/front", content=body, headers=headers)
            if not 400 <= reply.status_code < 500:
                wrong[name] = reply.status_code
    assert wrong == {}
    assert studio.images() == []


PHOTOGRAPHED = ("/apply/identity/", "/guarantee/identity/")


async def test_every_other_body_is_small(studio: Studio, web: httpx.AsyncClient) -> None:
    for route in routes_of(studio.app):
        if route.method == "GET" or route.path.startswith(PHOTOGRAPHED):
            continue
        reply = await web.request(
            route.method, route.at(), content=b"a=" + b"x" * 70_000,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert reply.status_code in ({413, 403} if route.path.startswith(STAFF) else {413}), route
        assert "照片" not in reply.text, route


async def test_every_door_refuses_in_its_own_shape(studio: Studio, web: httpx.AsyncClient) -> None:
    """What the framework refuses before a handler runs: too large, not this way, no such address, our mistake."""
    big = b"a" * 70_000
    doors = {r.at() for r in routes_of(studio.app) if r.path.startswith("/api/") and r.method == "POST"}
    assert len(doors) == len(BODIES)
    for method, path in [*(("POST", p) for p in doors), *(("PUT", p) for p in doors), ("POST", "/api/none")]:
        reply = await web.request(method, path, content=big, headers={"Accept": "text/html"})
        assert reply.status_code in {404, 405, 413}, path
        told = reply.json()
        assert set(told) == {"code", "message", "request_id"}, path
        assert told["code"] == f"http_{reply.status_code}"
        assert not set(told["message"]) & set("照页"), path
    for method in ("POST", "PUT"):
        reply = await web.request(method, "/wechat", content=big, headers={"Accept": "application/json"})
        assert reply.status_code in {405, 413}
        assert reply.headers["content-type"].startswith("text/plain")
        assert not set(reply.text) & set("<照"), reply.text


async def test_photographs_that_are_none_are_refused_in_words(studio: Studio, phone: Phone) -> None:
    from PIL import Image

    def png(size: tuple[int, int]) -> bytes:
        written = io.BytesIO()
        Image.new("1", size).save(written, "PNG")
        return written.getvalue()

    jpeg = io.BytesIO()
    Image.new("RGB", (900, 600), "white").save(jpeg, "JPEG")
    await phone.start()
    files = {
        "a page": b"<html><script>alert(1)</script>",
        "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "a PDF": b"%PDF-1.7\n",
        "a GIF": b"GIF89a" + b"\x00" * 64,
        "a WebP": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        "a truncated JPEG": jpeg.getvalue()[:200],
        "magic bytes and nothing else": b"\xff\xd8\xff",
        "26 megapixels in 4 kB": png((6500, 4000)),
        "over 8 MB": jpeg.getvalue() + b"\x00" * (8 * 1024 * 1024),
        "nothing": b"",
    }
    for name, content in files.items():
        reply = await phone.send(phone.page.form("/apply/identity/front"), image=content)
        assert reply.status_code in {413, 422}, name
        if reply.status_code == 413:
            await phone.get("/apply/identity")
    assert studio.images() == []


# Nothing that runs what it reads


def test_nothing_evaluates_unpickles_or_builds_templates_from_text() -> None:
    """ASVS 1.3.2, 1.3.7, 1.5.2: rules and templates are data."""
    forbidden = re.compile(
        r"\b(eval|exec)\(|\bpickle\b|\bmarshal\b|\bshelve\b|\bdill\b|joblib\.load|yaml\.load\(|from_string\("
        r"|jinja2\.Template\(|Markup\(|\|\s*safe\b|autoescape\s+false|shell=True|os\.system|verify=False"
    )
    strays = []
    for folder, kinds in (
        ("backend", ("*.py",)),
        ("h5", ("*.py",)),
        ("bot", ("*.py",)),
        ("templates", ("*.html",)),
    ):
        for kind in kinds:
            for path in sorted((ROOT / folder).rglob(kind)):
                if "sandbox" in path.parts or path.name == "qr.py":  # draws its own SVG, no text in it
                    continue
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if forbidden.search(line.split("#")[0] if kind == "*.py" else line):
                        strays.append(f"{path.relative_to(ROOT)}:{number} {line.strip()[:80]}")
    assert strays == []


def test_every_model_that_is_loaded_is_pinned_by_its_hash() -> None:
    from backend.ocr import models

    pinned = [
        text
        for name, text in vars(models).items()
        if isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text)
    ]
    sources = (ROOT / "backend/ocr/models.py").read_text()
    assert pinned or len(re.findall(r"\b[0-9a-f]{64}\b", sources)) >= 2


def _quoted(hostile: str) -> str:
    from urllib.parse import quote

    return quote(hostile.encode("utf-8", "replace"), safe="") or "x"


def _sample(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """A body of the right shape."""
    given: dict[str, Any] = {
        "customer_hash": "0" * 64, "token": "x", "short_code": "", "application_id": ids.new(),
        "document_id": ids.new(), "message_id": "m1", "status": "delivered", "reason": "",
        "at": clock.now().isoformat(), "event_id": ids.new(), "sequence": 1, "type": "signed",
        "institution_id": "4101", "contract_no": "x",
    }  # fmt: skip
    return {f.encode_name: given[f.name] for f in msgspec.structs.fields(kind) if f.name in given}
