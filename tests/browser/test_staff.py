"""Staff in a real browser against a real `up`: a reviewer answers a referred case and its customer reads the answer;
an officer comes in, and has a poster in under a minute of taps (A5-01, A7-05, A3-01, A11-05)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from backend.sandbox import specimens
from backend.sandbox.specimens.people import Person
from tests.browser.conftest import Town, seriously_wrong, shoot
from tests.browser.test_road import enter, mend, photograph

pytestmark = [pytest.mark.browser, pytest.mark.slow]

REASON = "到家里看过，收入属实，先给两万"


def look(page: Page, name: str) -> None:
    shoot(page, name)
    assert seriously_wrong(page) == [], name
    scripts = page.locator("script:not([src*='js/answered.'])")
    assert scripts.count() == 0, "staff pages work without any"
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), (
        name
    )


@contextmanager
def desk(town: Town, staff_no: str, *, width: int = 1280) -> Iterator[Page]:
    """A member of staff signed in."""
    with town.phone("oNobody") as page:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{town.web}/staff/sign-in")
        page.locator("button", has_text="用统一身份认证登录").click()
        page.locator(f"button[value={staff_no}]").click()
        page.wait_for_url(f"{town.web}/**")
        yield page


def apply(town: Town, page: Page, person: Person) -> str:
    """The whole road without a script, up to the case that waits for a person; its number."""
    enter(town, page)
    page.locator("button", has_text="看看我能借多少").click()
    for side in ("front", "back"):
        form = page.locator(f"form[action$={side}]")
        form.locator("input[name=image]").set_input_files([photograph(page, person, side)])  # type: ignore[list-item]
        form.locator("button", has_text="上传").click()
    mend(page, person)
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
    expect(page.locator("h1", has_text="正在由人工来看")).to_be_visible(timeout=60_000)
    return page.url.rsplit("/", 1)[1]


def test_back_after_a_refused_form_is_its_page_and_does_not_ask_to_send_it_again(town: Town) -> None:
    with desk(town, "SL0001") as page:
        page.goto(f"{town.web}/console/calendar?year=2026")
        page.locator("main form[method=post]").last.evaluate(
            "form => { form.querySelector('textarea').value = ''; form.submit(); }"
        )
        expect(page.locator("main .error, main [role=alert]").first).to_be_visible()
        assert page.url.endswith("/console/calendar?year=2026"), "where the form stood, not where it was sent"
        page.goto(f"{town.web}/console")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.go_back()
        page.reload()
        assert "POST" not in asked
        assert page.url.endswith("/console/calendar?year=2026")


def test_a_reviewer_answers_a_referred_case_and_its_customer_reads_it(town: Town) -> None:
    person = specimens.person(92_001, county="411701")
    town.known(person, preset="no_income")
    with town.phone("oBrowserStaff01", javascript=False) as customer:
        number = apply(town, customer, person)
        with desk(town, "JX0201") as page:
            look(page, "40-console")
            page.locator(f"a[href='/console/cases/{number}']").click()
            expect(page.locator(".path .end", has_text="转人工")).to_be_visible()
            assert person.name not in page.content()
            assert person.id_number not in page.content()
            look(page, "41-case")
            page.locator(".chip", has_text="同意").first.click()
            page.fill("#amount", "20000")
            page.fill("#rate", "6.00")
            page.fill("#reason", REASON)
            page.locator("button", has_text="提交意见").click()
            expect(page.locator("#why-more-error", has_text="“收入对应的额度”（0 元）")).to_be_visible()
            look(page, "42-above-the-caps")
            page.fill("#why-more", "看过粮款汇款记录，一年四万多")
            page.locator("button", has_text="提交意见").click()
            expect(page.locator(".tell", has_text="您的意见超过了上限")).to_be_visible()
            look(page, "42-waits-for-the-second")
            with desk(town, "JX0202", width=360) as second:
                second.goto(f"{town.web}/console/cases/{number}")
                second.locator(".chip", has_text="同意超上限").click()
                look(second, "42-second-person")
                second.fill("#found", "记录核对过，同意")
                second.locator("button", has_text="提交").last.click()
                expect(second.locator(".title .tag", has_text="已通过")).to_be_visible()
            page.reload()
            expect(page.locator(".title .tag", has_text="已通过")).to_be_visible()
            look(page, "42-answered")
            page.locator("button", has_text="退出").click()
            expect(page.locator("h1", has_text="您已经退出")).to_be_visible()
            page.goto(f"{town.web}/console/cases/{number}")
            expect(page.locator("button", has_text="用统一身份认证登录")).to_be_visible()
        customer.reload()
        expect(customer.locator("h1", has_text="额度批下来了")).to_be_visible()
        expect(customer.locator(".price", has_text="20,000")).to_be_visible()


def test_an_officer_has_a_poster_in_a_few_taps(town: Town) -> None:
    with desk(town, "JX0427", width=360) as page:
        expect(page.locator("h1", has_text="李四的工作室")).to_be_visible()
        look(page, "43-studio")
        taps = 0
        page.locator(".tabs a", has_text="做海报").click()
        taps += 1
        look(page, "44-choose")
        page.locator(".todo a", has_text="柳林花木群").click()
        taps += 1
        expect(page.locator("img.poster")).to_be_visible()
        page.wait_for_function("() => document.querySelector('img.poster').naturalWidth === 1080")
        look(page, "45-poster")
        page.fill("#greeting", "乡亲们好")
        with page.expect_download() as saving:
            page.locator("button", has_text="存到手机").click()
        taps += 1
        assert Image.open(io.BytesIO(saving.value.path().read_bytes())).size == (1080, 1920)
        assert taps <= 3
        page.locator(".tabs a", has_text="我的码").click()
        page.locator(".todo a").first.click()
        expect(page.locator("svg.qr")).to_be_visible()
        look(page, "46-code")
        page.locator(".tabs a", has_text="客户").click()
        look(page, "47-leads")


def test_the_console_on_a_phone(town: Town) -> None:
    with desk(town, "JX0101", width=360) as page:
        look(page, "48-console-phone")
        out = page.locator(".top button", has_text="退出").bounding_box()
        assert out is not None
        assert min(out["width"], out["height"]) >= 44
        page.locator(".drawer summary").click()
        look(page, "49-menu")
        for label in ("查客户和申请", "客户经理和责任码", "没送到的通知"):
            page.locator(".drawer a", has_text=label).click()
            look(page, f"50-{label}")
            page.locator(".drawer summary").click()
