"""The sandbox's own pages on a phone: nothing scrolls sideways, what is tapped can be reached, axe is content."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Town, seriously_wrong, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOLDER = "oPhone_000003"


def look(page: Page, name: str) -> None:
    shoot(page, name)
    assert seriously_wrong(page) == [], name
    # A phone grows its viewport with what sticks out, so the measure is the screen, not `clientWidth`.
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, f"{name} scrolls sideways"


def test_a_fault_is_set_and_taken_away_on_a_phone(town: Town) -> None:
    with town.phone("oNobody") as page:
        page.goto(f"{town.sandbox}/office?system=sms")
        page.select_option("#f-fault", "half_open")
        page.fill("#f-operation", "callback/of/a/long/path/without/any/blank/in/it")
        page.fill("#f-times", "两次")
        page.locator("button", has_text="设上").click()
        look(page, "60-office-asks-again")
        assert page.input_value("#f-times") == "两次"
        page.fill("#f-times", "2")
        page.locator("button", has_text="设上").click()
        page.locator("button", has_text="撤掉").wait_for()
        page.wait_for_load_state()
        look(page, "61-office-fault")
        away = page.locator("button", has_text="撤掉")
        box = away.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 360
        away.click()
        page.get_by_text("现在没有故障。").wait_for()
        assert page.url.endswith("/office?system=sms")


def test_the_phone_and_its_scanner_on_a_phone(town: Town) -> None:
    town.control.post("/phone", data={"seed": "3"})
    with town.phone("oNobody") as page:
        page.goto(f"{town.sandbox}/phone/{HOLDER}")
        look(page, "62-phone")
        back = page.locator("header a").first
        assert (back.inner_text(), back.get_attribute("aria-label")) == ("‹ 换人", None)
        page.goto(f"{town.sandbox}/phone/{HOLDER}/scanner")
        assert page.locator(".kinds button").count() > 0, "the demo union has posters"
        look(page, "63-scanner")
