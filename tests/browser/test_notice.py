"""A subscription notice from the question to its arrival: on the practice phone, with WeChat's own script (N17)."""

import asyncio
import threading

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from backend.sandbox.travellers import WHO_ALLOWS, Journey, Traveller
from tests.browser.conftest import AXE, Town, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BUTTON = "wx-open-subscribe button"


class Walker(Traveller):
    """Comes by the poster's plain address, follows nothing, and goes as far as handing in."""

    async def _road(self) -> None:
        page = await self._get("/")
        self._entry = next(link for link in page.links if "/q/" in link)
        await self._open_landing()
        await self._photograph_card()
        await self._confirm_card()
        await self._prove_phone()
        await self._pass_liveness()
        await self._submit()


class Allower(Walker):
    """As the travellers of `journey` do: allows the notice where the page asks."""

    async def _road(self) -> None:
        await super()._road()
        await self._allow_notice()


def handed_in(town: Town, seed: int, openid: str, preset: str) -> str:
    """The number of an application this WeChat account has just handed in."""
    return walked(town, Walker(seed, web=town.web, sandbox=town.sandbox), openid, preset).application_no


def walked(town: Town, walker: Walker, openid: str, preset: str) -> Journey:
    walker.openid = openid
    town.known(walker.person, preset)
    # Playwright's loop runs in this thread; the walker's has one of its own.
    thread = threading.Thread(target=lambda: asyncio.run(walker.travel()))
    thread.start()
    thread.join(180)
    assert walker.journey.error == ""
    return walker.journey


def open_on_phone(town: Town, page: Page, openid: str, number: str) -> FrameLocator:
    page.goto(f"{town.sandbox}/phone/{openid}/browser?url={town.web}/my/{number}")
    inside = page.frame_locator("iframe.frame")
    expect(inside.locator("h1")).to_be_visible()
    return inside


def look(page: Page, name: str) -> None:
    """Keep the picture; axe reads the page in the frame."""
    shoot(page, name)
    frame = page.frames[1]
    frame.evaluate(AXE.read_text())
    found = frame.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [v["id"] for v in found["violations"] if v["impact"] in {"serious", "critical"}] == [], name
    assert frame.evaluate("document.documentElement.scrollWidth") <= 360, f"{name} scrolls sideways"


def weather(town: Town, bureau: bool) -> None:
    assert town.control.delete("/control/faults").status_code < 300
    if not bureau:
        fault = {"system": "credit_bureau", "operation": "*", "fault": "status", "times": 10_000}
        assert town.control.post("/control/faults", json=fault).status_code < 300


def test_who_allows_it_gets_the_result_as_a_notice(town: Town) -> None:
    openid, errors = "oPhone_910101", []
    weather(town, bureau=False)
    try:
        number = handed_in(town, 910_101, openid, "good")
        with town.phone(openid) as page:
            page.on("pageerror", lambda error: errors.append(str(error)))
            inside = open_on_phone(town, page, openid, number)
            expect(inside.locator("h1", has_text="申请已经收好")).to_be_visible(timeout=60_000)
            expect(inside.locator(BUTTON)).to_have_text("审批有结果时，微信告诉我一声")
            look(page, "80-notice-asked")
            box = inside.locator(BUTTON).bounding_box()
            assert box is not None
            assert box["height"] >= 44
            inside.locator(BUTTON).click()
            expect(inside.locator("[role=dialog]")).to_contain_text("申请进度通知")
            look(page, "81-notice-sheet")
            with page.expect_response(lambda reply: reply.url.endswith(f"/my/{number}/notice")) as told:
                inside.locator("[role=dialog] button", has_text="允许").click()
            assert (told.value.request.method, told.value.status) == ("POST", 204)
            expect(inside.locator("#notice")).to_contain_text("好了，审批有结果时，微信会告诉您。")
            expect(inside.locator(BUTTON)).to_have_count(0)
            look(page, "82-notice-allowed")
            page.reload()
            expect(inside.locator("h1")).to_be_visible()
            page.wait_for_timeout(1500)
            expect(inside.locator("#notice")).to_have_count(0)
            weather(town, bureau=True)
            page.goto(f"{town.sandbox}/phone/{openid}")
            notice = page.locator(".notice", has_text="订阅通知")
            expect(notice).to_contain_text("已通过", timeout=90_000)
            expect(notice).to_contain_text(number)
            shoot(page, "83-notice-arrived")
    finally:
        weather(town, bureau=True)
    assert errors == []


@pytest.fixture(scope="module")
def referred(town: Town) -> tuple[str, str]:
    openid = "oPhone_910102"
    return openid, handed_in(town, 910_102, openid, "no_income")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_question_can_be_read_in_the_dark_and_in_large_type(
    town: Town, referred: tuple[str, str], scheme: str
) -> None:
    openid, number = referred
    with town.phone(openid, color_scheme=scheme) as page:
        inside = open_on_phone(town, page, openid, number)
        expect(inside.locator("h1", has_text="正在由人工来看")).to_be_visible(timeout=60_000)
        expect(inside.locator(BUTTON)).to_be_visible()
        inside.locator(BUTTON).scroll_into_view_if_needed()
        look(page, f"84-notice-{scheme}")
        inside.locator("header .display button").click()
        expect(inside.locator(BUTTON)).to_be_visible()
        inside.locator(BUTTON).scroll_into_view_if_needed()
        look(page, f"85-notice-{scheme}-large")
        box = inside.locator(BUTTON).bounding_box()
        assert box is not None
        assert box["height"] >= 60


def test_who_refuses_is_not_asked_again(town: Town, referred: tuple[str, str]) -> None:
    openid, number = referred
    with town.phone(openid) as page:
        inside = open_on_phone(town, page, openid, number)
        expect(inside.locator("h1", has_text="正在由人工来看")).to_be_visible(timeout=60_000)
        inside.locator(BUTTON).click()
        with page.expect_response(lambda reply: reply.url.endswith(f"/my/{number}/notice")):
            inside.locator("[role=dialog] button", has_text="拒绝").click()
        expect(inside.locator("#notice")).to_have_count(0)
        inside = open_on_phone(town, page, openid, number)
        page.wait_for_timeout(1500)
        assert page.frames[1].evaluate("document.querySelectorAll('script[src*=weixin]').length") == 0
        expect(inside.locator("#notice")).to_have_count(0)


def test_a_signature_wechat_refuses_shows_nothing_and_is_reported(town: Town) -> None:
    openid = "oPhone_910106"
    number = handed_in(town, 910_106, openid, "no_income")
    with town.phone(openid) as page:
        refusal = {"problem": "fail_invalid signature", "tags": []}
        page.route("**/open-tag/verify", lambda route: route.fulfill(json=refusal))
        with page.expect_request(
            lambda asked: asked.method == "POST" and asked.url.endswith(f"/my/{number}/notice")
        ) as told:
            inside = open_on_phone(town, page, openid, number)
        assert "outcome=unsigned" in (told.value.post_data or "")
        expect(inside.locator("h1", has_text="正在由人工来看")).to_be_visible(timeout=60_000)
        page.wait_for_timeout(500)
        expect(inside.locator("#notice")).to_be_hidden()
        expect(inside.locator("wx-open-subscribe")).to_have_count(0)


def test_wechats_name_without_wechats_bridge_shows_nothing(town: Town) -> None:
    """As in a browser that only calls itself WeChat: the script is there, its bridge is not."""
    openid = "oPhone_910103"
    number = handed_in(town, 910_103, openid, "no_income")
    with town.phone(openid) as page:
        page.goto(f"{town.web}/my/{number}")
        expect(page.locator("h1", has_text="正在由人工来看")).to_be_visible(timeout=60_000)
        page.locator("#notice").wait_for(state="attached")
        page.wait_for_timeout(1500)
        assert page.evaluate("typeof wx.config") == "function"
        expect(page.locator("#notice")).to_be_hidden()


def test_one_traveller_in_three_allows_a_notice(town: Town) -> None:
    weather(town, bureau=False)  # or a quick decision might be there first
    try:
        for seed in (910_104, 910_105):
            walker = Allower(seed, web=town.web, sandbox=town.sandbox)
            journey = walked(town, walker, f"oJourney_{seed}", "good")
            assert journey.notices_allowed == (seed % WHO_ALLOWS == 0)
            left = town.control.get(f"/phone/oJourney_{seed}/inbox").json()
            assert left == [], "nothing comes before there is a result"
    finally:
        weather(town, bureau=True)
