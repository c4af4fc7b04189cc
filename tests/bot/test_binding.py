"""The one-time link of the chat binds one account to one person, and nothing else does (A5-01, A11-02)."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from backend.core import clock, ids
from backend.core.actor import everywhere, system
from backend.domains.customers import service as customers
from backend.flows import forget_people
from backend.jobs import worker
from tests.bot import people
from tests.bot.conftest import World

OPENID = "oZhangSan0001"
AGENT = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50"


class Browser:
    """WeChat's browser: follows redirects between us and the platform, keeps each side's cookies."""

    def __init__(self, world: World, openid: str, *, snapshot: bool = False) -> None:
        self.world, self.web = world, world.web
        self.phone_cookies = {"phone_openid": openid} | ({"phone_snapshot": "1"} if snapshot else {})
        self.hops: list[str] = []

    async def get(self, url: str) -> httpx.Response:
        for _ in range(8):
            self.hops.append(url)
            ours = url.startswith("/") or url.startswith(self.world.settings.public_base)
            if ours:
                answer = await self.web.get(url, headers={"User-Agent": AGENT})
            else:
                plain = url.partition("#")[0]
                answer = await self.world.sandbox.get(plain, cookies=self.phone_cookies)
            if answer.status_code not in {302, 303}:
                return answer
            url = answer.headers["location"]
        raise AssertionError(f"round and round: {self.hops}")

    async def post(self, url: str, page: httpx.Response, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token, page.text
        return await self.web.post(
            url, data={"csrf_token": token[1], "form_key": ids.new(), **fields}, headers={"User-Agent": AGENT}
        )


async def link(world: World) -> str:
    phone = world.phone(OPENID)
    await phone.say("甲县")
    found = re.search(r'href="([^"]+/wechat/bind/[^"]+)"', await phone.say("进度"))
    assert found
    return urlsplit(found[1]).path


async def bound(world: World) -> list[tuple[str, str]]:
    async with world.db.read(everywhere("test")) as tx:
        return await customers.bindings_everywhere(tx, OPENID)


async def code_for(world: World, phone: str = people.PHONE) -> str:
    await worker.drain(world.context)
    answer = await world.sandbox.get(f"/control/sms/{phone}/code")
    return str(answer.json().get("code", "")) if answer.status_code == 200 else ""


async def test_a_person_proves_phone_and_card_and_is_answered_from_then_on(
    world: World, id_number: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "approved")
    address, browser = await link(world), Browser(world, OPENID)
    page = await browser.get(address)
    assert (page.status_code, "确认是您本人" in page.text) == (200, True)
    page = await browser.post(f"{address}/code", page, phone=people.PHONE)
    assert "138****5678" in page.text
    code = await code_for(world)
    done = await browser.post(address, page, phone=people.PHONE, code=code, id_tail=id_number[-6:])
    assert (done.status_code, "确认好了" in done.text) == (200, True)
    assert await bound(world) == [("4101", customer_id)]
    assert made.application_no in await world.phone(OPENID).say("进度")
    assert (await browser.get(address)).status_code == 404  # one use


async def test_an_account_whose_person_was_forgotten_speaks_for_nobody(world: World, id_number: str) -> None:
    """D7: after the promised time the chat knows neither the person nor the case, and greets a stranger."""
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "declined")
    phone = world.phone(OPENID)
    await phone.say("甲县")
    async with world.db.begin(system("4101", "test")) as tx:
        await customers.bind_openid(tx, OPENID, customer_id)
    assert made.application_no in await phone.say("进度")
    later = clock.now() + timedelta(days=92)
    with clock.at(later):
        await worker.drain(world.context)
        assert await forget_people.forget_people(world.context) == {"4101": 1}
        await worker.drain(world.context)
        assert await bound(world) == []
    for minute, words in enumerate(("进度", "甲县", "进度"), 1):
        with clock.at(later + timedelta(minutes=minute)):
            answer = await phone.say(words)
            assert made.application_no not in answer
    assert "/wechat/bind/" in answer, "as anybody who is not known yet"


async def test_a_forwarded_link_does_not_open_for_another_account(world: World, id_number: str) -> None:
    await people.customer(world.db, id_number)
    address = await link(world)
    page = await Browser(world, "oSomebodyElse").get(address)
    assert (page.status_code, "在收到这条消息的微信里打开" in page.text) == (403, True)


async def test_a_snapshot_visitor_cannot_bind(world: World) -> None:
    address = await link(world)
    assert (await Browser(world, OPENID, snapshot=True).get(address)).status_code == 403


async def test_a_link_ends_after_half_an_hour(world: World) -> None:
    address = await link(world)
    with clock.at(clock.now() + timedelta(minutes=31)):
        assert (await Browser(world, OPENID).get(address)).status_code == 404


@pytest.mark.parametrize("wrong", ["code", "id_tail", "phone"])
async def test_anything_wrong_binds_nothing_and_is_not_told_apart(
    world: World, id_number: str, wrong: str
) -> None:
    await people.customer(world.db, id_number)
    address, browser = await link(world), Browser(world, OPENID)
    page = await browser.post(f"{address}/code", await browser.get(address), phone=people.PHONE)
    given = {"phone": people.PHONE, "code": await code_for(world), "id_tail": id_number[-6:]}
    given[wrong] = {"phone": "13900000000", "id_tail": "000000", "code": "000000"}[wrong]
    answer = await browser.post(address, page, **given)
    assert (answer.status_code, "对不上" in answer.text) == (422, True)
    assert await bound(world) == []


async def test_whether_a_phone_is_known_is_not_told(world: World) -> None:
    address, browser = await link(world), Browser(world, OPENID)
    page = await browser.post(f"{address}/code", await browser.get(address), phone="13900000000")
    assert "139****0000" in page.text
    assert await code_for(world, "13900000000") == ""


async def test_a_second_code_within_the_minute_is_refused(world: World, id_number: str) -> None:
    await people.customer(world.db, id_number)
    address, browser = await link(world), Browser(world, OPENID)
    page = await browser.get(address)
    moment = clock.now().replace(second=10)
    with clock.at(moment):
        page = await browser.post(f"{address}/code", page, phone=people.PHONE)
    with clock.at(moment + timedelta(seconds=20)):
        page = await browser.post(f"{address}/code", page, phone=people.PHONE)
    assert (page.status_code, "这次没有再发" in page.text) == (429, True)


async def test_a_post_from_elsewhere_is_refused(world: World) -> None:
    address, browser = await link(world), Browser(world, OPENID)
    await browser.get(address)
    answer = await world.web.post(address, data={"phone": people.PHONE})
    assert answer.status_code == 403


async def test_the_authorisation_comes_back_with_the_account_and_never_goes_round(world: World) -> None:
    browser = Browser(world, OPENID)
    page = await browser.get("/wechat/oauth/start?next=/wechat/bind/nothing-here-at-all-really")
    assert page.status_code == 404
    assert len(browser.hops) == 4


async def test_a_used_code_begins_again_once_and_then_goes_on_as_nobody(world: World) -> None:
    fault = {"system": "wechat", "operation": "sns/oauth2/access_token", "fault": "errcode", "times": 2}
    await world.sandbox.post("/control/faults", json={**fault, "args": {"errcode": 40163}})
    browser = Browser(world, OPENID)
    await browser.get("/wechat/oauth/start?next=/healthz")
    assert sum("/connect/oauth2/authorize" in hop for hop in browser.hops) == 2
    assert browser.hops[-1] == "/healthz"


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil"])
async def test_nobody_is_sent_away_from_our_pages(world: World, target: str) -> None:
    browser = Browser(world, OPENID)
    start = await world.web.get("/wechat/oauth/start", params={"next": target})
    await browser.get(start.headers["location"])
    assert browser.hops[-1] == "/"


async def test_a_state_works_once_and_in_one_browser_only(world: World) -> None:
    start = await world.web.get("/wechat/oauth/start?next=/healthz")
    there = await world.sandbox.get(
        start.headers["location"].partition("#")[0], cookies={"phone_openid": OPENID}
    )
    back = there.headers["location"]
    world.web.cookies.set("visit", "x" * 30)
    assert (await world.web.get(back)).headers["location"] == "/"
    start = await world.web.get("/wechat/oauth/start?next=/healthz")
    there = await world.sandbox.get(
        start.headers["location"].partition("#")[0], cookies={"phone_openid": OPENID}
    )
    back = there.headers["location"]
    known = await world.web.get(back)
    assert known.headers["location"] == "/healthz"
    repeated = await world.web.get(back)  # its answer was lost: on to where it was going, as nobody
    assert repeated.headers["location"] == "/healthz"
    assert "wechat=" in known.headers["set-cookie"]
    assert "wechat=" not in repeated.headers.get("set-cookie", ""), "who was known stays known"
