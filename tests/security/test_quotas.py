"""Caps that hold exactly, however many knock at once and wherever the clock stands (ASVS 2.3.3, 2.4.1, 6.6.3)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import asyncpg
import httpx
import pytest

from backend import app as studio_app
from backend.core import clock, ids
from backend.flows import capture_identity, start_application
from backend.sandbox.forms import Form, PageReader
from backend.sandbox.specimens.people import Person
from backend.settings import Settings
from backend.web import addresses, bodies
from h5.customer import report
from tests.h5.customer.conftest import Phone, Studio

ONE, OTHER = "203.0.113.9", "198.51.100.7"


async def _codes(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("select count(*) from identity.one_time_codes"))


async def test_fifty_requests_at_once_send_one_code(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    values = phone.page.form("/apply/consents").values

    async def ask() -> int:
        form = Form("/apply/phone", "post", {**values, "form_key": ids.new()})
        return (await phone.http.post(form.action, data=form.filled(phone=zhang.phone))).status_code

    await asyncio.gather(*(ask() for _ in range(50)))
    assert await _codes(owner) == 1
    await studio.drain()
    assert len(await studio.ledger("sms")) == 1


async def test_a_minute_lies_between_two_codes_also_where_the_clocks_minute_ends(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    form = phone.page.form("/apply/consents")
    last_second = (clock.now() + timedelta(hours=2)).replace(minute=10, second=59, microsecond=0)
    for seconds, sent in ((0, 1), (2, 1), (59, 1), (60, 2), (119, 2), (121, 3)):
        with clock.at(last_second + timedelta(seconds=seconds)):
            await phone.send(
                Form("/apply/phone", "post", form.values | {"form_key": ids.new()}), phone=zhang.phone
            )
        assert await _codes(owner) == sent, seconds


async def test_fifty_guesses_at_once_are_five_tries(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    code = await phone.code(zhang.phone)
    form, ticks = phone.page.form("/apply/consents"), phone.ticks()

    async def guess(number: int) -> int:
        given = {"phone": zhang.phone, "code": f"{number:06d}", "form_key": ids.new(), **ticks}
        return (await phone.http.post(form.action, data=form.filled(**given))).status_code

    wrong = [n for n in range(60) if f"{n:06d}" != code][:50]
    assert set(await asyncio.gather(*map(guess, wrong))) == {422}
    assert await owner.fetchval("select max(tries) from identity.one_time_codes") == 5
    assert await guess(int(code)) == 422, "the right one comes too late"


@pytest.fixture
async def abroad(studio: Studio) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """Browsers at a network address."""
    opened: list[httpx.AsyncClient] = []

    def at(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(studio.app, client=(address, 4321))
        opened.append(httpx.AsyncClient(transport=transport, base_url=studio.context.settings.public_base))
        return opened[-1]

    yield at
    for each in opened:
        await each.aclose()


async def _tap(client: httpx.AsyncClient, path: str, action: str, **given: str) -> int:
    form = PageReader((await client.get(path)).text).form(action)
    return (await client.post(action, data=form.filled(**given))).status_code


async def test_new_browsers_of_one_address_begin_only_so_many_drafts(
    abroad: Callable[[str], httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_application.STARTS, "most", 3)

    async def start(address: str) -> int:
        return await _tap(abroad(address), "/p/4101/SXD", "/apply/start")

    answers = await asyncio.gather(*(start(ONE) for _ in range(20)))
    assert sorted(answers) == [303] * 3 + [429] * 17
    assert await start(OTHER) == 303


async def test_new_browsers_of_one_address_file_only_so_many_reports(
    abroad: Callable[[str], httpx.AsyncClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report.FROM_ADDRESS, "most", 3)

    async def tell(address: str) -> int:
        return await _tap(abroad(address), "/report", "/report", kind="fee_asked", said="有人收钱")

    answers = await asyncio.gather(*(tell(ONE) for _ in range(20)))
    assert sorted(answers) == [200] * 3 + [429] * 17
    assert await tell(OTHER) == 200


async def test_new_browsers_of_one_address_do_not_keep_the_reader_busy(
    abroad: Callable[[str], httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each browser has its own quota of photographs, and browsers cost nothing."""
    monkeypatch.setattr(capture_identity.FROM_ADDRESS, "most", 3)

    async def photograph(address: str) -> str:
        client = abroad(address)
        await _tap(client, "/p/4101/SXD", "/apply/start")
        form = PageReader((await client.get("/apply/identity")).text).form("/apply/identity/front")
        files = {"image": ("a.jpg", b"\xff\xd8\xff no picture", "image/jpeg")}
        return (await client.post(form.action, data=form.filled(), files=files)).text

    answers = await asyncio.gather(*(photograph(ONE) for _ in range(12)))
    assert sum("拍的次数有点多" in text for text in answers) == 9
    assert "拍的次数有点多" not in await photograph(OTHER)


@pytest.mark.parametrize(
    "address, counted",
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", ""),
        ("unix", "unix"),
    ],
)
def test_one_line_of_ipv6_is_one_address(settings: Settings, address: str, counted: str) -> None:
    assert addresses.countable(address, settings) == counted


TO_PEOPLE, TO_MACHINES = "这次没有传完，什么都没有改动", "请求没有在时限内传完"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/report", TO_PEOPLE),
        ("/apply/identity/front", TO_PEOPLE),
        ("/wechat", TO_MACHINES),
        ("/api/mobile-bank/events", TO_MACHINES),
    ],
)
async def test_a_body_that_does_not_come_is_answered_in_words(
    studio: Studio, phone: Phone, path: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """trust §4. Our own door answers, not the server's 500."""
    impatient = bodies.Patience(unnoticed=0.01, form=0.05, silence=0.05)
    monkeypatch.setattr(bodies, "Patience", lambda: impatient)
    made = studio_app.create_app(studio.context.settings)
    made.state.context = studio.context
    await phone.start()

    async def trickle() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(60)

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(made),
        base_url=studio.context.settings.public_base,
        cookies=phone.http.cookies,
    ) as client:
        reply = await client.post(path, content=trickle(), headers=headers)
    assert (reply.status_code, words in reply.text) == (408, True)
