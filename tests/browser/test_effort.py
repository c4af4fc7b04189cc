"""What the road costs a person and a phone, counted in a real Chromium: taps, keys, screens, bytes (issue §3)."""

import gzip
from collections import Counter
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from backend.sandbox import specimens
from backend.sandbox.specimens.people import Person
from tests.browser.conftest import Town
from tests.browser.test_road import mend, photograph

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Only what a finger does counts; a script's own clicks are not trusted. A tap on a label clicks its box once more.
COUNT = """
const tell = what => window.counted(what);
addEventListener('click', e => { if (e.isTrusted && e.detail) tell('tap') }, true);
addEventListener('keydown', e => { if (e.isTrusted && /^[0-9]$/.test(e.key)) tell('digit') }, true);
"""


class Effort:
    """Counts what happens on a phone's pages, ours and those of the provider in between."""

    def __init__(self, page: Page, web: str) -> None:
        self.counted: Counter[str] = Counter()
        self.screens: list[str] = []
        self.html: dict[str, bytes] = {}
        self.packed: set[str] = set()
        page.context.expose_function("counted", lambda what: self.counted.update([what]))
        page.context.add_init_script(COUNT)
        page.on("response", lambda response: self._arrived(response, web))

    def _arrived(self, response: Response, web: str) -> None:
        if response.request.resource_type != "document" or not response.url.startswith(web):
            return
        if response.status != 200:
            return
        path = response.url.removeprefix(web).split("?")[0]
        if path not in self.screens:
            self.screens.append(path)
        self.html[path] = response.body()
        if response.headers.get("content-encoding") == "gzip":
            self.packed.add(path)


def take(page: Page, person: Person, side: str, effort: Effort) -> None:
    """From the album: one tap opens it, one more picks the picture in the phone's own chooser."""
    with page.expect_file_chooser() as chooser:
        page.locator(f"form[data-side={side}] .ways label").tap()
    effort.counted["tap"] += 1
    chooser.value.set_files([photograph(page, person, side)])  # type: ignore[list-item]
    expect(page.locator(f"form[data-side={side}].read")).to_be_visible()


def test_the_main_road_asks_for_few_taps_few_digits_and_few_screens(town: Town) -> None:
    person = specimens.person(91_006, county="411701")
    town.known(person)
    with town.phone("oBrowserEffort01") as page:
        page.goto(f"{town.web}/")
        code = page.locator("a[href^='/q/']").first.get_attribute("href")
        effort = Effort(page, town.web)
        page.goto(f"{town.web}{code}")
        page.locator("button", has_text="看看我能借多少").tap()
        page.wait_for_url("**/apply/identity")
        for side in ("front", "back"):
            take(page, person, side, effort)
        mend(page, person)
        page.locator("#confirm button").tap()
        page.wait_for_url("**/apply/phone")
        page.locator("#phone").tap()
        page.keyboard.type(person.phone)
        page.locator("[data-send]").tap()
        expect(page.locator("#code")).to_be_focused()
        page.keyboard.type(town.sms_code(page, person.phone))
        for box in page.locator("input[type=checkbox][required]").all():
            box.tap()
        page.locator("button", has_text="同意并下一步").tap()
        page.wait_for_url("**/apply/liveness")
        page.locator("input[type=checkbox]").tap()
        page.locator("button", has_text="开始核对").tap()
        page.locator("button[value=passed]").tap()
        page.wait_for_url("**/apply/details")
        page.locator(".chip", has_text="农村日常生活").tap()
        page.locator(".chip", has_text="8 万–12 万元").tap()
        page.locator(".chip", has_text="3 万元").tap()
        page.locator("button", has_text="交上去").tap()
        page.wait_for_url("**/my/*")
    ours = [path for path in effort.screens if not path.startswith("/my/")]
    sizes = {path: len(gzip.compress(body, 6)) for path, body in effort.html.items()}
    print(f"{len(ours)} screens, {effort.counted['tap']} taps, {effort.counted['digit']} digits, {sizes}")
    assert len(ours) <= 6, ours
    assert 10 < effort.counted["tap"] <= 20
    assert effort.counted["digit"] == len(person.phone) + 6 <= 17
    assert max(sizes.values()) <= 5_000, sizes
    assert effort.packed >= set(ours), "every step comes packed"


def test_the_landing_weighs_at_most_60_kb_on_the_wire(town: Town) -> None:
    """Headers, bodies and what is fetched ahead, on a phone that was never here."""
    with town.phone("oBrowserEffort02") as page:
        page.goto(f"{town.web}/")
        code = page.locator("a[href^='/q/']").first.get_attribute("href")
    with town.phone("oBrowserEffort03") as page:
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        arrived: dict[str, int] = {}
        names: dict[str, str] = {}

        def told(event: dict[str, Any]) -> None:
            names[event["requestId"]] = event["response"]["url"].removeprefix(town.web)

        def over(event: dict[str, Any]) -> None:
            arrived[event["requestId"]] = event["encodedDataLength"]

        devtools.on("Network.responseReceived", told)
        devtools.on("Network.loadingFinished", over)
        page.goto(f"{town.web}{code}", wait_until="networkidle")
        page.wait_for_timeout(1000)
    weights = {names[number]: size for number, size in arrived.items()}
    print(sum(weights.values()), weights)
    assert any("customer." in name and name.endswith(".css") for name in weights)
    assert any("htmx" in name for name in weights), "what the next pages need is fetched ahead"
    assert sum(weights.values()) <= 60_000, weights
