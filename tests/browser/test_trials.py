"""A version tried in a real browser: started, watched to its end by itself, drawn, compared, taken along (A3-33)."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Town
from tests.browser.test_staff import desk
from tests.browser.test_strategies import look
from tests.chaos.arena import Arena

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


def start(page: Page, town: Town, what: str) -> None:
    page.goto(f"{town.web}/console/trials")
    page.select_option("#strategy", what)
    page.select_option("#cases", "county:试算县")
    page.select_option("#size", "1000")
    page.locator("button", has_text="开始试算").click()
    expect(page.locator("#progress")).to_be_visible()


def done(page: Page) -> None:
    """The page shows the result by itself."""
    expect(page.locator(".title .tag", has_text="完成")).to_be_visible(timeout=180_000)
    expect(page.locator(".chart-box canvas").first).to_be_visible()


def test_trials_are_watched_drawn_and_compared(arena: Arena, town: Town) -> None:
    seed = ["seed", "--county", "试算县", "--households", "2000", "--data", str(arena.data)]
    subprocess.run([sys.executable, "-m", "backend", *seed], cwd=ROOT, check=True, capture_output=True)
    with desk(town, "JX0101") as page:
        page.goto(f"{town.web}/console/trials")
        look(page, "70-trials")
        start(page, town, "live")
        done(page)
        page.locator("#groups a", has_text="职业").click()
        expect(page.locator("h2", has_text="按职业：通过率")).to_be_visible()
        expect(page.locator(".chart-box canvas").first).to_be_visible()
        look(page, "71-trial")
        with page.expect_download() as taken:
            page.locator("a", has_text="下载报告").click()
        assert "预期损失" in Path(taken.value.path()).read_text()
        start(page, town, "early_warning")
        done(page)
        expect(page.locator("h2", has_text="误报率").first).to_be_visible()
        look(page, "72-warning")
        start(page, town, "live")
        done(page)
        page.locator("a", has_text="和另一次比").click()
        page.select_option("#b", index=3)
        page.locator("button", has_text="放在一起比").click()
        expect(page.locator(".chart-box canvas").first).to_be_visible()
        look(page, "73-compared")
