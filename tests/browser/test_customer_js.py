"""What the pages do on a phone with JavaScript, and that they still work on one without."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes
from email.message import Message
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest
import pytest_asyncio
from msgspec.structs import replace
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

from backend.web import templates
from tests.browser import look
from tests.h5.customer import contexts

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


class Phones(look.Handler):
    """The look server, answering also what the pages send. `fail` answers that many uploads with 503, `at_work`
    that many forms with "the tap before is still at work"."""

    uploads: list[tuple[dict[str, str], Image.Image, int]]
    posts: list[tuple[str, dict[str, list[str]]]]
    fail = at_work = 0

    def do_POST(self) -> None:
        kind = type(self)
        body = self.rfile.read(int(self.headers["content-length"]))
        if kind.at_work:
            kind.at_work -= 1
            form_key = re.search(rb'form_key(=|"\r\n\r\n)([\w-]+)', body)
            kind.posts.append((self.path, {"form_key": [form_key[2].decode() if form_key else ""]}))
            self.send_response(409)
            self.send_header("retry-after", "1")
            self.send_header("content-length", "0")
            return self.end_headers()
        if self.headers["content-type"].startswith("multipart/"):
            if kind.fail:
                kind.fail -= 1
                return self._answer(b"", "text/plain", 503)
            kind.uploads.append(_parts(self.headers["content-type"], body))
            assert self.headers["HX-Request"] == "true"
            return self._answer(_part("capture"), "text/html; charset=utf-8")
        kind.posts.append((self.path, parse_qs(body.decode())))
        if self.headers["HX-Request"]:
            return self._answer(_part("code"), "text/html; charset=utf-8")
        if self.path == "/report":
            error = templates.ErrorView(409, "刚才已经有了新进展", "请看一看")
            page = replace(contexts.PAGE, path="/", answers_form=True)
            return self._answer(
                templates.render("shared/error.html", page=page, view=error).encode(), "text/html", 409
            )
        if self.path == "/apply/consents":
            template, view = contexts.PAGES["phone"]
            page = replace(contexts.PAGE, path="/normal/phone", answers_form=True)
            again = templates.render(template, page=page, view=view).encode()
            return self._answer(again, "text/html; charset=utf-8", 422)
        return self._answer("<title>好</title>".encode(), "text/html; charset=utf-8")

    def do_GET(self) -> None:
        if self.path == "/my/26112300081/disclosure":
            return self._answer(_part("sheet"), "text/html; charset=utf-8")
        if self.path == "/apply/liveness/other-way":
            template, view = contexts.PAGES["other-way-unconsented"]
            other = templates.render(template, page=contexts.PAGE, view=view).encode()
            return self._answer(other, "text/html; charset=utf-8")
        if self.path.startswith("/consents/"):
            return self._answer(_part("consent-text"), "text/html; charset=utf-8")
        return super().do_GET()


def _part(name: str) -> bytes:
    template, view, more = contexts.PARTS[name]
    return templates.render(template, page=contexts.PAGE, view=view, **more).encode()


def _parts(kind: str, body: bytes) -> tuple[dict[str, str], Image.Image, int]:
    message = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    picture = b""
    for part in message.get_payload():
        assert isinstance(part, Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            picture = content
        else:
            fields[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return fields, Image.open(io.BytesIO(picture)), len(picture)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Fresh", (Phones,), {"uploads": [], "posts": [], "fail": 0})
    with look.serving(handler) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def phone(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 360, "height": 740})
    yield page
    await page.close()


def address(server: ThreadingHTTPServer, name: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/normal/{name}"


def photograph(grain: int = 12, size: tuple[int, int] = (4000, 3000)) -> bytes:
    """A soft ramp with grain; much grain is the hardest picture to make small."""
    ramp = np.linspace(0, 255 - grain, size[0], dtype=np.uint8)
    noise = np.random.default_rng(1).integers(0, grain, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(ramp[None, :, None] + noise).save(out, "JPEG", quality=92)
    return out.getvalue()


async def send_photograph(phone: Page, picture: bytes) -> None:
    await phone.set_input_files(
        "form[data-side=front] input[name=image]",
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": picture},
    )
    await phone.wait_for_selector("#confirm", timeout=20_000)


async def until(phone: Page, condition: str) -> None:
    """Waits for a condition in the page; `wait_for_function` needs eval, which our CSP forbids."""
    for _ in range(100):
        if await phone.evaluate(condition):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(condition)


async def test_what_is_missing_is_said_in_place_in_our_words_and_nothing_is_sent(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "phone"))
    await phone.fill("#phone", "1390000")
    await phone.click("text=同意并下一步")
    told = await phone.locator(".error").all_text_contents()
    assert told[:2] == ["手机号是 11 位数字，1 开头", "请填“短信验证码”"]
    assert set(told[2:]) == {"看过同意的话，请勾上这一项"}
    await until(phone, "document.activeElement.id === 'phone'")
    assert server.RequestHandlerClass.posts == []  # type: ignore[attr-defined]
    await phone.fill("#phone", "13900001111")
    assert "手机号是 11 位数字，1 开头" not in await phone.locator(".error").all_text_contents()
    await phone.fill("#code", "123456")
    for box in await phone.locator(".consent input[required]").all():
        await box.check()
    assert await phone.locator(".error").count() == 0
    await phone.click("text=同意并下一步")
    await until(phone, "document.readyState === 'complete'")
    assert [path for path, _ in server.RequestHandlerClass.posts] == ["/apply/consents"]  # type: ignore[attr-defined]


async def test_an_amount_of_ones_own_stands_instead_of_a_chip(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "details"))
    await phone.fill("#amount_other", "45000")
    assert await phone.locator("input[name=amount]:checked").get_attribute("value") == "other"
    await phone.check("input[name=amount][value='30000']", force=True)
    assert await phone.input_value("#amount_other") == ""
    await phone.check("input[name=amount][value=other]", force=True)
    await until(phone, "document.activeElement.id === 'amount_other'")
    await phone.click("text=交上去，看结果")
    assert "请填想借多少元，例如 45000" in await phone.locator(".error").all_text_contents()


async def test_the_branch_is_shown_beside_what_was_typed(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "phone"))
    await phone.fill("#phone", "13900001111")
    await phone.click("text=可以到网点办")
    await phone.wait_for_selector("#branch .card")
    assert await phone.input_value("#phone") == "13900001111"
    assert await phone.locator("#branch form[action='/apply/liveness/other-way']").count() >= 1


async def test_a_photograph_is_made_small_before_it_travels(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "identity"))
    await send_photograph(phone, photograph())
    ((fields, picture, size),) = server.RequestHandlerClass.uploads  # type: ignore[attr-defined]
    assert picture.size == (1600, 1200)
    assert picture.format == "JPEG"
    assert size <= 350 * 1024
    assert fields == {"csrf_token": contexts.PAGE.csrf_token, "form_key": contexts.PAGE.form_key}


async def test_a_photograph_too_large_to_open_whole_is_decoded_small(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    """48 and 108 megapixels are more than some phones can open as a picture."""
    await phone.add_init_script(
        "window.Image = function () {"
        " Object.defineProperty(this, 'src', { set() { setTimeout(() => this.onerror()) } }) }"
    )
    await phone.goto(address(server, "identity"))
    await send_photograph(phone, photograph(size=(8000, 6000)))
    ((_, picture, size),) = server.RequestHandlerClass.uploads  # type: ignore[attr-defined]
    assert picture.size == (1600, 1200)
    assert size <= 350 * 1024


async def test_even_noise_gets_under_350_kb(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "identity"))
    await send_photograph(phone, photograph(grain=255, size=(1800, 1350)))
    ((_, _, size),) = server.RequestHandlerClass.uploads  # type: ignore[attr-defined]
    assert size <= 350 * 1024


async def test_an_upload_is_tried_again_by_itself(server: ThreadingHTTPServer, phone: Page) -> None:
    server.RequestHandlerClass.fail = 1  # type: ignore[attr-defined]
    await phone.goto(address(server, "identity"))
    await send_photograph(phone, photograph())
    assert len(server.RequestHandlerClass.uploads) == 1  # type: ignore[attr-defined]


async def test_a_photograph_chosen_in_a_dead_spot_says_it_is_kept_and_goes_by_itself(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "identity"))
    await phone.context.set_offline(True)
    picture = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": photograph(size=(1200, 900))}
    await phone.set_input_files("form[data-side=front] input[name=image]", picture)  # type: ignore[arg-type]
    told = "document.querySelector('form[data-side=front] .told').textContent"
    await until(phone, f"{told} === '照片留好了，连上网自动传'")
    assert server.RequestHandlerClass.uploads == []  # type: ignore[attr-defined]
    await phone.context.set_offline(False)
    await phone.wait_for_selector("#confirm")
    assert len(server.RequestHandlerClass.uploads) == 1  # type: ignore[attr-defined]


async def test_swapped_in_parts_can_be_photographed_again(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "identity"))
    await send_photograph(phone, photograph())
    await phone.evaluate("document.querySelector('#confirm').remove()")
    await send_photograph(phone, photograph())
    assert len(server.RequestHandlerClass.uploads) == 2  # type: ignore[attr-defined]


async def test_the_camera_with_a_frame_takes_a_picture(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "identity"))
    await phone.click("form[data-side=front] [data-camera]")
    await until(phone, "document.querySelector('.camera video')?.videoWidth > 0")
    await phone.click(".camera .shutter")
    await phone.wait_for_selector("#confirm")
    assert await phone.query_selector(".camera") is None
    ((_, picture, _),) = server.RequestHandlerClass.uploads  # type: ignore[attr-defined]
    assert min(picture.size) > 100


async def test_large_type_keeps_what_was_typed(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "phone"))
    await phone.fill("#phone", "13800000001")
    await phone.click(".display button")
    assert await phone.get_attribute("html", "data-display") == "care"
    assert await phone.input_value("#phone") == "13800000001"
    assert await phone.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 23.9
    assert "display=care" in await phone.evaluate("document.cookie")


async def test_the_code_is_asked_for_in_place(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "phone"))
    await phone.fill("#phone", "13800000001")
    await phone.click("[data-send]")
    await phone.wait_for_selector("#code-hint")
    ((path, fields),) = server.RequestHandlerClass.posts  # type: ignore[attr-defined]
    assert path == "/apply/phone"
    assert fields["phone"] == ["13800000001"]
    assert not [name for name in fields if name.startswith("consent_")]
    assert await phone.is_disabled("[data-send]")
    assert re.fullmatch(r"5[78] 秒后可重发", await phone.inner_text("[data-send]"))


async def test_back_after_a_wrong_code_is_the_page_again_not_the_browsers_error(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "phone"))
    await phone.evaluate("document.querySelector('#phone-form').submit()")
    await phone.wait_for_selector("[data-stands-at]")
    await expect(phone).to_have_url(
        address(server, "phone")
    )  # by a script, which runs after the page is parsed
    await phone.goto(address(server, "report"))
    await phone.go_back()
    await expect(phone).to_have_url(address(server, "phone"))
    await expect(phone.locator("#phone-form")).to_be_visible()


async def test_back_after_an_error_that_names_no_page_leads_to_the_form_it_answered(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    """Pages with an id of the person in their address are not named in an error; their form is the way back."""
    await phone.goto(address(server, "report"))
    await phone.evaluate("document.querySelector('main form').submit()")
    await phone.wait_for_selector("text=刚才已经有了新进展")
    await expect(phone).to_have_url(address(server, "report"))
    await phone.goto(address(server, "phone"))
    await phone.go_back()
    await expect(phone).to_have_url(address(server, "report"))  # by the script of the page that Back leads to
    await expect(phone.locator("main form").first).to_be_visible()


async def test_a_code_asked_for_while_the_first_tap_is_at_work_comes_by_itself(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    server.RequestHandlerClass.at_work = 2  # type: ignore[attr-defined]
    await phone.goto(address(server, "phone"))
    await phone.fill("#phone", "13800000001")
    await phone.click("[data-send]")
    await phone.wait_for_selector("#offline:not([hidden])")
    assert "不用再点" in await phone.inner_text("#offline")
    await phone.wait_for_selector("#code-hint")
    keys = [fields["form_key"] for _, fields in server.RequestHandlerClass.posts]  # type: ignore[attr-defined]
    assert len(keys) == 3
    assert keys[0] == keys[1] == keys[2], "the same tap again: it gets the answer to the first"
    assert await phone.is_hidden("#offline")


async def test_a_photograph_sent_while_the_first_is_at_work_comes_by_itself(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    server.RequestHandlerClass.at_work = 1  # type: ignore[attr-defined]
    await phone.goto(address(server, "identity"))
    await send_photograph(phone, photograph(size=(800, 600)))
    (_, refused), ((fields, _, _),) = server.RequestHandlerClass.posts[0], server.RequestHandlerClass.uploads  # type: ignore[attr-defined]
    assert refused["form_key"] == [fields["form_key"]]


async def test_the_words_for_a_guarantor_are_copied_by_one_tap(
    server: ThreadingHTTPServer, browser: Browser
) -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    phone = await context.new_page()
    await phone.goto(address(server, "guarantors-waiting"))
    await phone.click("text=复制上面的字")
    await phone.wait_for_selector("text=复制好了")
    copied = await phone.evaluate("navigator.clipboard.readText()")
    assert copied == await phone.input_value("#share-1")
    assert "/g/" in copied
    await context.close()


async def test_the_full_text_of_a_consent_opens_under_it(server: ThreadingHTTPServer, phone: Page) -> None:
    await phone.goto(address(server, "phone"))
    await phone.click(".consent:nth-of-type(2) .more, .consent .more >> nth=1")
    await phone.wait_for_selector(".fulltext .text")
    assert await phone.locator(".consent").nth(1).locator(".text").count() == 1


async def test_a_form_waits_for_the_network_and_is_sent_once(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "details"))
    await phone.check("input[value=planting]", force=True)
    await phone.check("input[name=income] >> nth=1", force=True)
    await phone.wait_for_timeout(300)
    server.RequestHandlerClass.posts.clear()  # type: ignore[attr-defined]
    await phone.context.set_offline(True)
    await phone.click("text=交上去，看结果")
    assert "连上网自动交上去" in await phone.inner_text("#offline")
    assert server.RequestHandlerClass.posts == []  # type: ignore[attr-defined]
    await phone.context.set_offline(False)
    await phone.wait_for_url("**/apply/submit")
    ((path, fields),) = server.RequestHandlerClass.posts  # type: ignore[attr-defined]
    assert path == "/apply/submit"
    assert fields["purpose"] == ["planting"]


async def test_choices_survive_a_reload_but_a_phone_number_is_never_kept(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "report"))
    await phone.check("input[value=paid]", force=True)
    await phone.fill("#said", "在集上要了 500 元")
    await phone.fill("#phone", "13800000001")
    await phone.press("#phone", "Tab")
    await phone.reload()
    assert await phone.is_checked("input[value=paid]")
    assert await phone.input_value("#said") == "在集上要了 500 元"
    assert await phone.input_value("#phone") == ""
    assert "13800000001" not in await phone.evaluate("JSON.stringify(sessionStorage)")


async def test_the_disclosure_opens_over_the_page_waits_and_closes_with_one_tap(
    server: ThreadingHTTPServer, phone: Page
) -> None:
    await phone.goto(address(server, "approved"))
    await phone.click("text=看明示表，去签约")
    await phone.wait_for_selector("#sheet .sheet")
    button = phone.locator("#sheet .foot button")
    assert await button.is_disabled()
    assert re.fullmatch(r"请看完，还有 (9|10) 秒", await button.inner_text())
    await phone.click("#sheet [data-close]")
    assert await phone.query_selector(".sheet") is None
    assert phone.url.endswith("/approved")


async def test_without_javascript_there_is_a_button_for_each_photograph(
    server: ThreadingHTTPServer, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await page.goto(address(server, "identity"))
    assert await page.locator("text=上传").count() == 2
    assert await page.locator("text=上传").first.is_visible()
    assert not await page.locator("text=对着框拍").first.is_visible()
    await page.goto(address(server, "disclosure"))
    assert await page.locator(".foot button").is_enabled()  # the server measures the reading time


@pytest.mark.parametrize("name", contexts.PAGES)
async def test_a_page_is_without_fault_for_every_reader(
    server: ThreadingHTTPServer, browser: Browser, name: str
) -> None:
    """axe serious and moderate, contrast, targets, line spacing, sideways scrolling, console errors under the
    real CSP; in normal, dark and large type."""
    found = await look.faults(browser, f"http://127.0.0.1:{server.server_port}", name)
    assert found == {mode: [] for mode in look.MODES}
