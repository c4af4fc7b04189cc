"""A running `up` with phones at it: Chromium as WeChat's browser, a camera that shows nothing, a slow net."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from backend.sandbox.specimens.people import Person
from backend.sandbox.travellers import USER_AGENT
from tests.chaos.arena import Arena

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts" / "road"
expect.set_options(timeout=30_000)  # a slow net on a busy machine; a page that never comes fails all the same
AXE = Path(__file__).resolve().parent / "vendor" / "axe-4.14.1.min.js"


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    made = Arena()
    try:
        made.start()
        yield made
    finally:
        made.remove()


class Town:
    """The running product, its outside, and phones for the people of the town."""

    def __init__(self, arena: Arena, browser: Browser) -> None:
        self.web, self.sandbox, self._browser = arena.web, arena.sandbox, browser
        self.control = httpx.Client(base_url=arena.sandbox, timeout=30, trust_env=False)

    @contextmanager
    def phone(
        self, openid: str, *, javascript: bool = True, slow: bool = False, **options: object
    ) -> Iterator[Page]:
        context: BrowserContext = self._browser.new_context(
            user_agent=USER_AGENT,
            viewport={"width": 360, "height": 740},
            device_scale_factor=2,
            has_touch=True,
            is_mobile=True,
            locale="zh-CN",
            java_script_enabled=javascript,
            **options,  # type: ignore[arg-type]
        )
        context.add_cookies([{"name": "phone_openid", "value": openid, "url": self.sandbox}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        if slow:
            devtools = context.new_cdp_session(page)
            devtools.send("Network.enable")
            devtools.send(
                "Network.emulateNetworkConditions",
                {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 30_000},
            )
        try:
            yield page
        finally:
            context.close()

    def known(self, person: Person, preset: str = "good") -> None:
        body = {"name": person.name, "preset": preset, "phone": "match"}
        assert self.control.put(f"/control/people/{person.id_number}", json=body).status_code < 300

    def sms_code(self, page: Page, phone: str) -> str:
        for _ in range(100):
            reply = self.control.get(f"/control/sms/{phone}/code")
            if reply.status_code == 200:
                return str(reply.json()["code"])
            page.wait_for_timeout(100)
        raise AssertionError("no SMS within ten seconds")


@pytest.fixture(scope="module")
def town(arena: Arena) -> Iterator[Town]:
    """Phones for one module: Playwright's loop must be gone before an asynchronous test of another runs."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        try:
            made = Town(arena, browser)
            yield made
            made.control.close()
        finally:
            browser.close()


def shoot(page: Page, name: str) -> None:
    """Keep what the person saw."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True)


def seriously_wrong(page: Page) -> list[str]:
    """What axe calls serious or worse."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:160]}"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]
