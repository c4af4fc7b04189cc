"""Planted numbers, names and codes travel the whole road, and are found in no log, no error page, no address and
nowhere in clear in the database (ASVS 14.x, 16.2.5; D3-14)."""

import io
import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import asyncpg
import httpx
import msgspec
import pytest
import structlog

from backend.core import clock, failpoints, ids, webhooks
from backend.core.check_digits import id_number_check
from backend.db.classes import CLASSES
from backend.flows import resume_held, save_details
from backend.ocr.client import OcrClient
from backend.sandbox import specimens
from backend.sandbox.forms import Form
from backend.sandbox.specimens.people import Person
from backend.web import logs
from tests.h5.customer.conftest import Phone, Studio, photograph
from tests.security.conftest import Census

OPENID = "oCanaryOpenid000000000000042"
CARD = "6222020409990001234"
OTHER_ID = "41170119770707777" + id_number_check("41170119770707777")
OTHER_PHONE = "19900007777"
SAID = "蓝孔雀在屋顶上唱歌"
"""Words nobody else writes: what a customer said must lie sealed wherever it lies."""


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """Our real log configuration, at the level that says most, written to this file."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    path = tmp_path / "everything.log"
    with path.open("wb") as log:
        logs.configure("debug")
        root.handlers[0].setStream(io.TextIOWrapper(log, write_through=True))  # type: ignore[attr-defined]
        # A logger kept from here would write to a file that is closed when the next test logs.
        structlog.configure(cache_logger_on_first_use=False, logger_factory=structlog.BytesLoggerFactory(log))
        logs._requests = logs._Lines(log)  # request lines go the short way
        yield path
        logs._requests = None
    failpoints.configure("")
    root.handlers[:], root.level = before[0], before[1]
    structlog.configure(**before[2])


class Traffic:
    """Every answer our app gave and every address anybody asked for."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.addresses: list[str] = []
        self.errors: list[tuple[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, body, where = 0, b"", f"{scope.get('method')} {scope.get('path')}"
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.addresses.append(scope["path"] + "?" + scope["query_string"].decode("latin-1"))

        async def watch(message: Any) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
                self.addresses += [
                    v.decode() for n, v in message["headers"] if n in (b"location", b"hx-redirect")
                ]
            else:
                body += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, watch)
        # A 422 shows people what they typed themselves; every other error must say nothing of anybody.
        if status >= 400 and status != 422:
            self.errors.append((f"{where} {status}", body.decode("utf-8", "replace")))


@pytest.fixture
def traffic(studio: Studio) -> Traffic:
    watched = Traffic(studio.app.asgi_handler)
    studio.app.asgi_handler = watched  # type: ignore[method-assign]
    return watched


async def travel(studio: Studio, phone: Phone, person: Person, known: set[str]) -> str:
    """The whole road with every stumble on it; adds the codes that came by SMS to `known`."""
    await studio.control.put(
        f"/control/people/{person.id_number}", json={"name": person.name, "preset": "good", "phone": "match"}
    )
    await phone.start()
    await phone.send(phone.page.form("/apply/identity/front"), image=b"%PDF-1.7 " + person.name.encode())
    await phone.photograph(person)
    form = phone.page.form("/apply/identity/confirm")
    await phone.send(form, id_number=person.id_number[:-1] + "?", name=person.name)
    await phone.confirm(person)
    await studio.fault("sms", "send", "status", status=500)
    await phone.send(phone.page.form("/apply/consents"), phone=person.phone, code=person.id_number[:6])
    await phone.send(
        Form("/apply/phone", "post", phone.page.form("/apply/consents").values), phone=person.phone
    )
    await studio.drain()  # the platform is down
    with clock.at(clock.now() + timedelta(seconds=5)):
        await studio.drain()
        code = await studio.sms_code(person.phone)
    known.add(code)
    await phone.send(phone.page.form("/apply/consents"), phone=person.phone, code="000000", **phone.ticks())
    await phone.send(phone.page.form("/apply/consents"), phone=person.phone, code=code, **phone.ticks())
    assert phone.path == "/apply/liveness", phone.words
    await studio.fault("liveness", "sessions", "status", status=503)
    await phone.send(phone.page.form("/apply/liveness"), **phone.ticks("/apply/liveness"))
    await phone.get("/apply/liveness")
    await phone.face()
    await phone.hand_in(income="120k_200k", amount="30000")
    number = phone.path.split("/")[2]
    for system, operation in (
        ("credit_bureau", "reports"),
        ("data_platform", "features"),
        ("mobile_bank", "offers"),
    ):
        await studio.fault(system, operation, "status", status=500)
    await studio.drain()
    with clock.at(clock.now() + timedelta(minutes=10)):
        await resume_held.resume_held(studio.context)
        await studio.drain()
    return number


async def at_the_bank(studio: Studio, phone: Phone, person: Person, number: str) -> None:
    """明示表, hand-off, and what the bank tells us, some of it wrong."""
    await phone.get(f"/my/{number}")
    await phone.get(f"/my/{number}/disclosure")
    with clock.at(clock.now() + timedelta(seconds=30)):
        await phone.send(phone.page.form("/disclosure"))
        await phone.send(phone.page.form("/hand-off"))
        await studio.drain()
    [application] = await studio.all_applications()
    for act in ("open", "sign"):
        await studio.control.post(f"/bank/api/{application.id}/{act}", json={"id_number": person.id_number})
    await studio.control.post(
        f"/bank/api/{application.id}/draw",
        json={"id_number": person.id_number, "amount_fen": 1_000_000, "card": CARD},
    )
    await studio.world.idle(5)
    await studio.drain()
    for body in (
        {"customer_hash": "0" * 64, "token": person.id_number},
        {"application_id": person.id_number, "customer_hash": "0" * 64},
        {"name": person.name, "card": CARD},
    ):
        content = msgspec.json.encode(body)
        headers = webhooks.headers(
            studio.context.settings.mobile_bank_callback_secret, ids.new(), clock.now(), content
        )
        for path in ("redeem", "package", "events"):
            await phone.http.post(f"/api/mobile-bank/{path}", content=content, headers=headers)
            await phone.http.post(f"/api/mobile-bank/{path}", content=content)


async def talk(studio: Studio, person: Person) -> None:
    """What people write to the account: numbers, cards, complaints with names."""
    for words in (
        f"我叫{person.name}，身份证{person.id_number}，手机{person.phone}，卡号{CARD}，{SAID}",
        f"我要投诉，{OTHER_ID} 的 {OTHER_PHONE} 收我的钱，{SAID}", "甲县", "进度", "人工",
    ):  # fmt: skip
        reply = await studio.control.post(
            f"/phone/{OPENID}/send", json={"kind": "text", "content": words}, timeout=30
        )
        assert reply.status_code == 200, reply.text
    await studio.control.post(f"/phone/{OPENID}/send", json={"kind": "subscribe"})
    await studio.drain()


async def complain(phone: Phone, person: Person) -> None:
    await phone.get("/report")
    form = phone.page.form("/report")
    await phone.send(form, kind="fee_asked", said=f"{person.name} {CARD} {SAID}", phone=OTHER_PHONE)
    await phone.get("/report")
    await phone.send(phone.page.form("/report"), kind=SAID, said=person.id_number, phone=person.phone)


async def go_wrong(studio: Studio, phone: Phone, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistakes of ours whose words hold a person: in a page, in a job, in the bot."""
    words = f"{person.name} {person.id_number} {person.phone} {CARD} {OPENID}"

    async def broken(*_: object, **__: object) -> None:
        raise ValueError(words)

    lenient = httpx.AsyncClient(
        transport=httpx.ASGITransport(studio.app, raise_app_exceptions=False),
        base_url=studio.context.settings.public_base, cookies=phone.http.cookies,
    )  # fmt: skip
    from backend.domains.campaigns import service as campaigns
    from backend.jobs import worker
    from bot import dispatch

    with monkeypatch.context() as patched:
        patched.setattr(campaigns, "verify", broken)
        patched.setattr(dispatch, "answer", broken)
        patched.setattr(save_details, "save_details", broken)
        async with lenient as client:
            for headers in ({"Accept": "text/html"}, {"Accept": "application/json"}, {"HX-Request": "true"}):
                reply = await client.get("/report", headers=headers)
                assert reply.status_code == 500
        await studio.control.post(
            f"/phone/{OPENID}/send", json={"kind": "text", "content": words}, timeout=30
        )
        for kind in worker.HANDLERS:
            patched.setitem(worker.HANDLERS, kind, broken)
        fresh = studio.phone()
        await fresh.get("/resume")
        await fresh.http.post(
            "/resume/code",
            data={"csrf_token": fresh.page.form("/resume").values["csrf_token"], "form_key": ids.new(),
                  "phone": OTHER_PHONE},
        )  # fmt: skip
        with clock.at(clock.now() + timedelta(minutes=5)):
            await studio.drain()
    failpoints.configure("*=error:1")
    await studio.control.post(f"/phone/{OPENID}/send", json={"kind": "text", "content": words}, timeout=30)
    failpoints.configure("")


async def in_clear(owner: asyncpg.Connection, census: Census, secrets: set[str]) -> list[str]:
    """Where the database holds a secret as it is: in text, JSON, arrays or bytes."""
    columns = await owner.fetch(
        "select n.nspname || '.' || c.relname as t, quote_ident(a.attname) as c, a.atttypid = 'bytea'::regtype as raw "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped "
        "and n.nspname not in ('pg_catalog', 'information_schema')"
    )
    found = []
    for column in columns:
        kind = "" if column["raw"] else "::text"
        rows = await owner.fetch(f"select distinct {column['c']}{kind} as v from {column['t']}")
        for row in rows:
            if row["v"] is None:
                continue
            held = row["v"] if column["raw"] else row["v"].encode()
            found += [f"{column['t']}.{column['c']}: {s}" for s in secrets if _holds(held, s)]
    return sorted(set(found))


def _holds(held: bytes, secret: str) -> bool:
    """Digits count as found only where the number is whole: six of them occur in any timestamp."""
    pattern = re.escape(secret.encode())
    if secret.isdigit():
        pattern = rb"(?<!\d)" + pattern + rb"(?!\d)"
    return re.search(pattern, held) is not None


async def test_nothing_of_a_person_is_in_logs_error_pages_addresses_or_in_clear(
    studio: Studio, phone: Phone, traffic: Traffic, owner: asyncpg.Connection, census: Census,
    listening: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    person, codes = specimens.person(777, county="411701"), set[str]()
    number = await travel(studio, phone, person, codes)
    await at_the_bank(studio, phone, person, number)
    await talk(studio, person)
    await complain(phone, person)
    await go_wrong(studio, phone, person, monkeypatch)
    assert codes

    written = listening.read_text()
    assert written.count('"event":"request"') > 40, "the log was listened to"
    assert '"event":"unexpected"' in written
    assert '"event":"handler failed"' in written
    who = {person.name, person.id_number, person.phone, person.address, CARD, OTHER_ID, OTHER_PHONE, SAID}
    secrets = who | codes
    in_log = {s for s in who | {OPENID} if s in written}
    in_log |= {c for c in codes if re.search(rf"(?<![\d.]){c}(?![\d.])", _without_ids(written))}
    assert in_log == set()

    errors = [(where, s) for where, body in traffic.errors for s in secrets | {OPENID} if s in body]
    assert len(traffic.errors) > 10
    assert errors == []
    addresses = [(a, s) for a in map(unquote, traffic.addresses) for s in who | {OPENID} if s in a]
    # The platform itself names the account when it calls; no address of ours does.
    assert [found for found in addresses if not found[0].startswith("/wechat?signature=")] == []

    assert await in_clear(owner, census, secrets) == []
    await owner.execute("insert into xd.quota values ($1, now(), 1)", f"so-{person.phone}-here")
    await owner.execute(
        "update channels.messages set text = $1 where text is not null", SAID.encode() + person.name.encode()
    )
    planted = await in_clear(owner, census, secrets)
    assert len(planted) == 3, "the search finds what lies open"

    with_openid = {line.split(":")[0] for line in await in_clear(owner, census, {OPENID})}
    plain = {f"{table}.{c}" for table, columns in CLASSES.items() for c in columns.plain.split()}
    assert with_openid, "the account is known by its id"
    assert with_openid <= {name for name in plain if name.endswith(".openid")}


def _without_ids(text: str) -> str:
    """The log without what holds digits of its own: request ids, moments, durations."""
    return re.sub(r'"(request_id|timestamp|ms)": ("[^"]*"|[\d.]+)', "", text)


async def test_a_code_is_forgotten_once_it_was_sent(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    """C3 is never stored after use (D3-14): not even sealed."""
    await phone.to_phone(zhang)
    await phone.code(zhang.phone)
    rows = await owner.fetch("select id::text, payload from outbox.effects where kind = 'sms.send'")
    assert len(rows) == 1
    vault = studio.context.db.vault
    assert [vault.open("outbox.effects", "payload", r["id"], r["payload"]) for r in rows] == [b"{}"]


async def test_a_code_that_could_not_be_sent_in_time_is_forgotten_and_not_sent_late(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await phone.to_phone(zhang)
    form = phone.page.form("/apply/consents")
    await phone.http.post("/apply/phone", data={**form.values, "phone": zhang.phone})
    with clock.at(clock.now() + timedelta(minutes=6)):
        await studio.drain()
    assert await studio.ledger("sms") == []
    row = await owner.fetchrow("select id::text, payload, status from outbox.effects where kind = 'sms.send'")
    opened = studio.context.db.vault.open("outbox.effects", "payload", row["id"], row["payload"])
    assert (opened, row["status"]) == (b"{}", "delivered")


async def test_the_reading_service_says_nothing_of_what_it_reads(tmp_path: Path) -> None:
    person = specimens.person(778, county="411701")
    socket, told = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp")) / "ocr.sock", tmp_path / "ocr.log"
    data = Path(tempfile.gettempdir()) / "xiaodai-test-reader"
    code = (
        "import asyncio, pathlib; from backend.ocr import service; from backend.web import logs;"
        "logs.configure('debug');"
        f"asyncio.run(service.serve(pathlib.Path({str(socket)!r}), pathlib.Path({str(data)!r})))"
    )
    with told.open("w") as log:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=log, stderr=log)
        try:
            import asyncio

            for _ in range(600):
                if socket.exists():
                    break
                await asyncio.sleep(0.2)
            client = OcrClient(socket)
            read = await client.read(photograph(person, "front"), "id_front")
            assert read.fields["公民身份号码"] == person.id_number
            for broken in (photograph(person, "front")[:3000], b"\xff\xd8\xff" + person.name.encode() * 99):
                with pytest.raises(Exception):  # noqa: B017 - whatever it says, it must not be written down
                    await client.read(broken, "id_front")
        finally:
            process.terminate()
            process.wait(30)
    written = told.read_text()
    for secret in (person.name, person.id_number, person.address):
        assert secret not in written
