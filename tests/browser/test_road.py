"""The whole road on a phone, in WeChat's browser, against a real `up`; and the same without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from backend.sandbox import specimens
from backend.sandbox.specimens.people import Person
from tests.browser.conftest import Town, seriously_wrong, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def photograph(page: Page, person: Person, side: str) -> dict[str, object]:
    draw = specimens.draw_front if side == "front" else specimens.draw_back
    return {"name": f"IMG_{side}.jpg", "mimeType": "image/jpeg", "buffer": draw(person, person.seed, "easy")}


def look(page: Page, name: str) -> None:
    shoot(page, name)
    assert seriously_wrong(page) == [], name


def enter(town: Town, page: Page) -> None:
    page.goto(f"{town.web}/")
    page.locator("a[href^='/q/']").first.click()
    expect(page.locator("button", has_text="看看我能借多少")).to_be_visible()


def mend(page: Page, person: Person) -> None:
    """Doubtful rows stand open; the person sets right what was misread."""
    until = person.valid_until.isoformat() if person.valid_until else "长期"
    truth = {"name": person.name, "id_number": person.id_number, "address": person.address,
             "issuer": person.authority, "valid_from": person.valid_from.isoformat(), "valid_until": until}  # fmt: skip
    for field, value in truth.items():
        entry = page.locator(f"#confirm input[name={field}]")
        if entry.input_value() != value:
            if not entry.is_visible():
                page.locator(f"details:has(input[name={field}]) summary").click()
            entry.fill(value)


def test_the_whole_road_with_album_photographs_on_a_slow_net(town: Town) -> None:
    person = specimens.person(91_001, county="411701")
    town.known(person)
    with town.phone("oBrowserRoad01", slow=True) as page:
        enter(town, page)
        look(page, "01-landing")
        page.locator("button", has_text="看看我能借多少").click()
        page.wait_for_url("**/apply/identity")
        look(page, "02-identity")
        for side in ("front", "back"):
            form = page.locator(f"form[data-side={side}]")
            form.locator("input[data-album]").set_input_files([photograph(page, person, side)])  # type: ignore[list-item]
            expect(page.locator(f"form[data-side={side}].read")).to_be_visible()
        expect(page.locator("#confirm")).to_be_visible()
        mend(page, person)
        look(page, "03-fields")
        page.locator("#confirm button").click()
        page.wait_for_url("**/apply/phone")
        page.fill("#phone", person.phone)
        page.locator("[data-send]").click()
        expect(page.locator("#code-hint")).to_be_visible()
        page.fill("#code", town.sms_code(page, person.phone))
        for box in page.locator("input[type=checkbox][required]").all():
            box.check()
        page.locator(".consent .more").first.click()
        expect(page.locator(".fulltext .text").first).to_be_visible()
        look(page, "04-phone")
        page.locator("button", has_text="同意并下一步").click()
        page.wait_for_url("**/apply/liveness")
        look(page, "05-liveness")
        page.locator("input[type=checkbox]").check()
        page.locator("button", has_text="开始核对").click()
        page.wait_for_url(f"{town.sandbox}/**")
        page.locator("button[value=passed]").click()
        page.wait_for_url("**/apply/details")
        page.locator(".chip", has_text="农村日常生活").click()
        page.locator(".chip", has_text="8 万–12 万元").click()
        page.locator(".chip", has_text="3 万元").click()
        look(page, "06-details")
        page.locator("button", has_text="交上去").click()
        page.wait_for_url("**/my/*")
        shoot(page, "07-deciding")
        expect(page.locator("h1", has_text="额度批下来了")).to_be_visible(timeout=60_000)
        look(page, "08-approved")
        page.locator("a", has_text="看明示表").click()
        sheet = page.locator(".sheet")
        expect(sheet).to_be_visible()
        shoot(page, "09-disclosure")
        confirm = sheet.locator("form button")
        expect(confirm).to_be_disabled()
        expect(confirm).to_be_enabled(timeout=25_000)
        confirm.click()
        page.wait_for_url("**/hand-off")
        page.locator("button", has_text="取二维码和短码").click()
        expect(page.locator(".short")).to_be_visible()
        look(page, "10-hand-off")
        page.locator("button", has_text="打开手机银行").click()
        page.wait_for_url(f"{town.sandbox}/**")


def test_the_road_without_javascript(town: Town) -> None:
    person = specimens.person(91_002, county="411701")
    town.known(person)
    with town.phone("oBrowserRoad02", javascript=False) as page:
        enter(town, page)
        page.locator("button", has_text="看看我能借多少").click()
        for side in ("front", "back"):
            form = page.locator(f"form[action$={side}]")
            form.locator("input[name=image]").set_input_files([photograph(page, person, side)])  # type: ignore[list-item]
            form.locator("button", has_text="上传").click()
        mend(page, person)
        shoot(page, "20-nojs-fields")
        page.locator("#confirm button").click()
        page.fill("#phone", person.phone)
        page.locator("[data-send]").click()
        page.fill("#code", town.sms_code(page, person.phone))
        for box in page.locator("input[type=checkbox][required]").all():
            box.check()
        page.locator("button", has_text="同意并下一步").click()
        page.locator("input[type=checkbox]").check()
        page.locator("button", has_text="开始核对").click()
        page.locator("button[value=passed]").click()
        page.wait_for_url("**/apply/details")
        page.locator(".chip", has_text="农村日常生活").click()
        page.locator(".chip", has_text="8 万–12 万元").click()
        page.locator(".chip", has_text="3 万元").click()
        page.locator("button", has_text="交上去").click()
        page.wait_for_url("**/my/*")
        expect(page.locator("h1", has_text="额度批下来了")).to_be_visible(timeout=60_000)
        shoot(page, "21-nojs-approved")


def test_the_camera_with_a_frame(town: Town) -> None:
    """Chromium's pretend camera shows no card: the picture is taken, and the page says what to do better."""
    with town.phone("oBrowserRoad03", permissions=["camera"]) as page:
        enter(town, page)
        page.locator("button", has_text="看看我能借多少").click()
        page.locator("form[data-side=front] [data-camera]").click()
        expect(page.locator("dialog.camera video")).to_have_js_property("readyState", 4)
        shoot(page, "30-camera")
        page.locator("dialog.camera .shutter").click()
        expect(page.locator("form[data-side=front].retake .told")).not_to_be_empty()
        look(page, "31-retake")


def test_a_minor_is_stopped_at_the_photograph(town: Town) -> None:
    child = specimens.person(91_004, county="411701", under_age=True)
    with town.phone("oBrowserRoad04") as page:
        enter(town, page)
        page.locator("button", has_text="看看我能借多少").click()
        page.locator("form[data-side=front] input[data-album]").set_input_files(
            [photograph(page, child, "front")]
        )  # type: ignore[list-item]
        expect(page.locator("h1", has_text="满 18 周岁才能借")).to_be_visible()
        assert page.locator("header.top").count() == 1, (
            "the stop takes the place of the step, not of a part of it"
        )
        look(page, "32-under-age")


def test_the_back_button_leads_to_where_the_person_is(town: Town) -> None:
    person = specimens.person(91_005, county="411701")
    with town.phone("oBrowserRoad05") as page:
        enter(town, page)
        page.locator("button", has_text="看看我能借多少").click()
        for side in ("front", "back"):
            page.locator(f"form[data-side={side}] input[data-album]").set_input_files(
                [photograph(page, person, side)]
            )  # type: ignore[list-item]
            expect(page.locator(f"form[data-side={side}].read")).to_be_visible()
        mend(page, person)
        page.locator("#confirm button").click()
        page.wait_for_url("**/apply/phone")
        page.go_back()
        page.wait_for_url("**/apply/phone")
        page.goto(f"{town.web}/")
        page.locator("a[href^='/q/']").first.click()
        page.locator("a", has_text="接着上次的填").click()
        page.wait_for_url("**/apply/phone")
