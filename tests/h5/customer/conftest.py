"""A phone that walks the pages of our whole application, with the whole sandbox at the other end."""

import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import msgspec
import pytest

from backend import wiring
from backend.core import ids
from backend.core.actor import system
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.campaigns import service as campaigns
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card
from backend.domains.identity import service as identity
from backend.flows.context import Context
from backend.jobs import worker
from backend.ocr.client import OcrClient
from backend.sandbox import specimens
from backend.sandbox.forms import Form, PageReader
from backend.sandbox.specimens.people import Person
from backend.settings import Settings
from backend.web import cookies
from tests import ends

PLAIN_AGENT = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/116.0 Mobile Safari/537.36"


@cache
def photograph(person: Person, side: str) -> bytes:
    draw = specimens.draw_front if side == "front" else specimens.draw_back
    return draw(person, person.seed, "easy")


@pytest.fixture(scope="session")
def reader() -> Iterator[OcrClient]:
    """The real reading service, once for all tests of this process."""
    data = Path(tempfile.gettempdir()) / "xiaodai-test-reader"
    socket = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp")) / "ocr.sock"
    code = (
        "import asyncio, pathlib; from backend.ocr import service;"
        f"asyncio.run(service.serve(pathlib.Path({str(socket)!r}), pathlib.Path({str(data)!r})))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        end = time.monotonic() + 120
        while not socket.exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.2)
        yield OcrClient(socket)
    finally:
        process.terminate()
        process.wait(30)


class Phone:
    """One browser: cookies, the page that is open, and how much was tapped and typed."""

    def __init__(self, studio: "Studio", agent: str = PLAIN_AGENT) -> None:
        self.studio = studio
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(studio.app),
            base_url=studio.context.settings.public_base,
            headers={"User-Agent": agent, "Accept": "text/html"},
        )
        self.reply: httpx.Response = httpx.Response(200)
        self.page = PageReader("")

    @property
    def path(self) -> str:
        return self.reply.url.path

    @property
    def words(self) -> str:
        return self.page.words

    async def get(self, path: str) -> httpx.Response:
        return await self._arrive(await self.http.get(path))

    async def send(
        self, form: Form, *, follow: bool = True, part: bool = False, **given: Any
    ) -> httpx.Response:
        """Post a form of the open page; `image` goes as a file. Redirects are followed as a browser does."""
        image = given.pop("image", None)
        files = {"image": ("photo.jpg", image, "image/jpeg")} if image is not None else None
        headers = {"HX-Request": "true"} if part else {}
        reply = await self.http.post(form.action, data=form.filled(**given), files=files, headers=headers)
        return await self._arrive(reply) if follow else reply

    async def _arrive(self, reply: httpx.Response) -> httpx.Response:
        while reply.status_code in {302, 303}:
            target = reply.headers["location"]
            if target.startswith(("http://127.0.0.1:9000", self.studio.context.settings.sandbox_base)):
                self.reply = reply
                return reply
            reply = await self.http.get(target)
        self.reply, self.page = reply, PageReader(reply.text)
        return reply

    async def start(self, product: str = "SXD", institution: str = "4101") -> None:
        await self.get(f"/p/{institution}/{product}")
        await self.send(self.page.form("/apply/start"))

    async def photograph(self, person: Person) -> None:
        for side in ("front", "back"):
            await self.send(self.page.form(f"/apply/identity/{side}"), image=photograph(person, side))

    async def confirm(self, person: Person, **mended: str) -> httpx.Response:
        form = self.page.form("/apply/identity/confirm")
        until = person.valid_until.isoformat() if person.valid_until else "长期"
        truth = {"name": person.name, "id_number": person.id_number, "address": person.address,
                 "issuer": person.authority, "valid_from": person.valid_from.isoformat(),
                 "valid_until": until}  # fmt: skip
        return await self.send(form, **(truth | mended))

    async def code(self, phone: str, action: str = "/apply/consents") -> str:
        """Ask for a code, as the page's script does, with a key of its own; and read the SMS."""
        form = self.page.form(action)
        path = "/apply/phone" if action == "/apply/consents" else "/resume/code"
        await self.send(Form(path, "post", form.values | {"form_key": ids.new()}), phone=phone)
        return await self.studio.sms_code(phone)

    async def prove(self, person: Person, phone: str = "") -> httpx.Response:
        phone = phone or person.phone
        code = await self.code(phone)
        return await self.send(self.page.form("/apply/consents"), phone=phone, code=code, **self.ticks())

    def ticks(self, action: str = "/apply/consents", *, without: str = "-") -> dict[str, str]:
        choices = self.page.form(action).choices
        return {n: c[0] for n, c in choices.items() if n.startswith("consent_") and without not in n}

    async def face(self, outcome: str = "passed") -> httpx.Response:
        await self.send(self.page.form("/apply/liveness"), **self.ticks("/apply/liveness"))
        session = urlparse(self.reply.headers["location"]).path.rsplit("/", 1)[-1]
        done = await self.studio.control.post(f"/control/liveness/{session}", json={"outcome": outcome})
        back = urlparse(done.json()["return_url"])
        assert parse_qs(back.query)["liveness_session"] == [session]
        return await self.get(f"{back.path}?{back.query}")

    async def to_phone(self, person: Person) -> None:
        await self.start()
        await self.photograph(person)
        await self.confirm(person)
        assert self.path == "/apply/phone", self.words

    async def to_liveness(self, person: Person) -> None:
        await self.to_phone(person)
        await self.prove(person)
        assert self.path == "/apply/liveness", self.words

    async def to_details(self, person: Person) -> None:
        await self.to_liveness(person)
        await self.face()
        assert self.path == "/apply/details", self.words

    async def hand_in(self, **given: str) -> httpx.Response:
        form = self.page.form("/apply/submit")
        chosen = {n: form.values.get(n) or form.first_choice(n) for n in form.choices}
        return await self.send(form, **(chosen | given))

    async def to_result(self, person: Person) -> str:
        await self.to_details(person)
        await self.hand_in()
        return self.path.split("/")[2]


def _card(person: Person) -> Card:
    return Card(
        name=person.name,
        id_number=person.id_number,
        sex=person.sex,
        nation=person.ethnicity,
        birth_on=person.born_on,
        address=person.address,
        issuer=person.authority,
        valid_from=person.valid_from,
        valid_until=person.valid_until,
    )


class Studio:
    """Our side, the outside, and ways to look behind both."""

    def __init__(self, app: Any, context: Context, control: httpx.AsyncClient, world: Any) -> None:
        self.app, self.context, self.control, self.world = app, context, control, world
        self.phones: list[Phone] = []

    def phone(self, agent: str = PLAIN_AGENT) -> Phone:
        self.phones.append(Phone(self, agent))
        return self.phones[-1]

    async def drain(self) -> None:
        await worker.drain(self.context)

    async def sms_code(self, phone: str) -> str:
        await self.drain()
        reply = await self.control.get(f"/control/sms/{phone}/code")
        assert reply.status_code == 200, reply.text
        return str(reply.json()["code"])

    async def ledger(self, name: str) -> list[dict[str, Any]]:
        return list((await self.control.get("/control/ledger", params={"system": name})).json())

    async def fault(self, system_name: str, operation: str, fault: str, times: int = 1, **args: Any) -> None:
        body = {"system": system_name, "operation": operation, "fault": fault, "times": times, "args": args}
        assert (await self.control.post("/control/faults", json=body)).status_code < 300

    async def draft_at(
        self, phone: Phone, step: str, person: Person, *, institution: str = "4101", product: str = "SXD"
    ) -> str:
        """A draft of this person that has come to `step` on this phone; returns its number."""
        token = ids.token()
        async with self.context.db.begin(system(institution, "test")) as tx:
            session, _ = await identity.new_customer_session(tx, token=token)
            draft = await applications.begin(
                tx, product_code=product, product_version=f"{product}@1", channel="web", session_id=session.id
            )
            customer_id = await customers.create_or_update_from_card(tx, _card(person))
            await applications.belongs_to(tx, draft, customer_id, "随享贷")
            proved = None if step == "phone" else customer_id
            await identity.set_session_application(tx, session.id, draft.id, proved)
            if proved:
                await customers.set_phone(tx, customer_id, person.phone)
                for text in await consents.road(tx):
                    if text.required:
                        await consents.give(
                            tx, customer_id, text.purpose, text_sha256=text.sha256, channel="h5"
                        )
            if step == "details":
                await applications.set_liveness(tx, draft, "passed")
            await applications.reach(tx, draft, step)
        name = cookies.name(self.context.settings, cookies.CUSTOMER)
        phone.http.cookies.set(name, f"{institution}.{token}")
        return draft.application_no

    async def all_applications(self, institution: str = "4101") -> list[Application]:
        async with self.context.db.read(system(institution, "test")) as tx:
            rows = await tx.connection.fetch("select id from applications.applications order by created_at")
            return [await applications.get(tx, row["id"]) for row in rows]

    async def tokens(self, institution: str = "4101") -> dict[str, str]:
        """Demo codes by placement."""
        async with self.context.db.read(system(institution, "test")) as tx:
            return {code.placement_label: code.token for code in await campaigns.list_codes(tx)}

    def images(self) -> list[Path]:
        return [p for p in (self.context.settings.data / "images").rglob("*") if p.is_file()]


@pytest.fixture
async def studio(settings: Settings, db: Database, reader: OcrClient) -> AsyncIterator[Studio]:
    # Not the app's lifespan: a fixture may not leave its cancel scope in another task than it entered.
    async with (
        ends.both(settings) as (made, sandbox_app),
        wiring.opened(settings, db=db, transport=httpx.ASGITransport(sandbox_app)) as context,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox_app), base_url=settings.sandbox_base
        ) as control,
    ):
        made.state.context = msgspec.structs.replace(context, ocr=reader)
        found = Studio(made, made.state.context, control, sandbox_app.state.world)
        yield found
        for each in found.phones:
            await each.http.aclose()
        await sandbox_app.state.world.close()


@pytest.fixture
def phone(studio: Studio) -> Phone:
    return studio.phone()


@pytest.fixture
def zhang() -> Person:
    """A grown-up of 甲县 with a card that holds."""
    return specimens.person(4242, county="411701")
