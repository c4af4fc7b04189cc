"""Names and remarks with a script in them, in a real browser whose content policy is switched off: what keeps them
words is the escaping alone, and `window.__xss` is never set (ASVS 1.2.1, 1.2.3)."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from playwright.sync_api import Page, expect

from backend.db.embedded import Embedded
from backend.demo import staff_id
from tests.browser.conftest import Town
from tests.chaos.arena import Arena

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETS = "window.__xss=(window.__xss||0)+1"
HOSTILE = (
    f"<script>{SETS}</script>",
    f'"><img src=x onerror="{SETS}">',
    f"'><svg onload='{SETS}'></svg>",
    f'" autofocus onfocus="{SETS}" x="',
    f"</textarea></title><details open ontoggle='{SETS}'>",
    f"javascript:{SETS}",
)
REMARK = "".join(HOSTILE)


def quiet(page: Page, path: str) -> None:
    """Nothing ran, also after what loads late and after the fields were walked through."""
    for _ in range(6):
        page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    assert page.evaluate("window.__xss") is None, path


def visit(page: Page, town: Town, path: str, shown: bool = True) -> None:
    page.goto(town.web + path)
    if shown:
        expect(page.locator("body")).to_contain_text("__xss", timeout=30_000)
    quiet(page, path)


@pytest.fixture
def names(arena: Arena) -> None:
    """People and places whose names somebody wrote a script into, by the owner: no door of today changes these."""

    async def write() -> None:
        owner = await asyncpg.connect(Embedded(arena.data).dsn())
        try:
            for table, column, where in (
                ("identity.staff", "name", f"id = '{staff_id('4103', 1)}'"),
                ("institutions.branches", "name", "institution_id = '4103'"),
                ("campaigns.campaigns", "name", "institution_id = '4103'"),
                ("campaigns.codes", "placement_label", "institution_id = '4103' and placement = 'group'"),
            ):
                await owner.execute(f"update {table} set {column} = $1 where {where}", HOSTILE[1])
        finally:
            await owner.close()

    with ThreadPoolExecutor(1) as beside:  # Playwright's own loop runs in this thread
        beside.submit(asyncio.run, write()).result()


def sign_in(page: Page, town: Town, staff_no: str) -> None:
    page.goto(f"{town.web}/staff/sign-in")
    page.locator("button", has_text="用统一身份认证登录").click()
    page.locator(f"button[value={staff_no}]").click()
    page.wait_for_url(f"{town.web}/**")


def test_a_browser_would_run_them_if_nobody_escaped(town: Town) -> None:
    with town.phone("oXss00000001", bypass_csp=True) as page:
        page.goto(f"{town.web}/report")
        page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", REMARK)
        page.wait_for_function("window.__xss > 0", timeout=30_000)


def test_what_people_write_and_how_they_are_called_stays_words(town: Town, names: None) -> None:
    with town.phone("oXss00000002", bypass_csp=True) as page:
        page.goto(f"{town.web}/report")
        page.locator(".chip, label", has_text="有人向我收费").first.click()
        page.fill("#said", REMARK)
        page.locator("button", has_text="告诉我们").click()
        expect(page.locator("body")).to_contain_text("JB", timeout=30_000)
        quiet(page, "/report sent")
        said = town.control.post(
            "/phone/oXss00000002/send", json={"kind": "text", "content": f"投诉 {REMARK}"}
        )
        assert said.status_code == 200

    with town.phone("oNobody", bypass_csp=True) as page:
        page.set_viewport_size({"width": 1280, "height": 800})
        sign_in(page, town, "SL0001")
        visit(page, town, "/console/counties/0000")
        links = [str(each.get_attribute("href")) for each in page.locator("main a").all()]
        opened = [each for each in links if re.match(r"/console/(tickets|reports)/0000/", each)]
        assert opened
        for path in opened:
            visit(page, town, path)
        visit(page, town, "/console/officers?in=4103")
        visit(page, town, f"/console/officers/4103/{staff_id('4103', 1)}")
        page.goto(f"{town.web}/console/support")
        page.fill("#what", HOSTILE[0])
        page.locator("main button", has_text="查").click()
        quiet(page, "/console/support")
    with town.phone("oNobody", bypass_csp=True) as page:
        page.goto(f"{town.web}/staff/sign-in")
        sign_in(page, town, "BX0427")
        for path in ("/studio", "/studio/codes"):
            visit(page, town, path)
