"""Every page of officers and staff, found by the route table, at 360 px in normal, large and dark: nothing axe calls
moderate or worse, no error on the console under the real CSP, no sideways scrolling, targets one can hit.

`python -m pytest tests/browser/test_staff_look.py` says what is wrong, `LOOK_AT=batches …` of the pages with that in
their name; pictures lie in `artefacts/look`.
"""

import os
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from playwright.async_api import Page, async_playwright

from backend.core.actor import system
from backend.flows import run_trial
from backend.web import staff
from tests.browser import look
from tests.flows.conftest import Road
from tests.h5.conftest import Desks, desks, road
from tests.h5.console.test_strategy_sub_flows import made_and_filled
from tests.h5.scene import Scene, scene
from tests.house.test_staff_roles import STAFF_NO, example, handlers, seen_by

__all__ = ["desks", "road"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
LARGER = """() => new Promise((done, failed) => {
  const link = Object.assign(document.createElement('link'), {rel: 'stylesheet', href: '/large.css'});
  link.onload = done; link.onerror = failed; document.head.append(link);
})"""


class Pages(look.Handler):
    """`/page/<name>` is a page as it was answered, `/large.css` the letters of a person who set them larger."""

    html: dict[str, str] = {}

    def do_GET(self) -> None:
        _, kind, *name = self.path.split("/")
        if self.path == "/large.css":
            return self._answer(b"html { font-size: 125% }", "text/css")
        if kind == "page" and name[0] in self.html:
            return self._answer(self.html[name[0]].encode(), "text/html; charset=utf-8")
        if self.path.startswith("/static/"):
            return super().do_GET()
        return self._answer(b"", "text/plain", 204)  # what a page asks for by itself


async def pages(road: Road, desks: Desks, made: Scene) -> dict[str, str]:
    """Name → HTML of each page, as the first role sees it that may."""
    found: dict[str, str] = {}
    for role, staff_no in STAFF_NO.items():
        desk = await desks.of(staff_no)
        for method, path, handler in handlers(road):
            name = re.sub(r"\W+", "-", path.replace(":str", "").replace(":int", "")).strip("-")
            if method != "GET" or name in found:
                continue
            if role in handler.opt["roles"] or handler.opt["roles"] == staff.ANYONE:
                reply = await desk.http.get(example(path, seen_by(role, made)))
                file = "attachment" in reply.headers.get("content-disposition", "")
                if reply.text.lstrip().startswith("<!doctype html") and not file:
                    found[name] = reply.text
    return found


async def inside(desks: Desks) -> dict[str, str]:
    """The same pages of a sub-flow, whose address is another."""
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    found = {}
    for name, path in {
        "sub-flow": "",
        "sub-flow-arrange": "/arrange",
        "sub-flow-row": "/row?table=table-1&row=new",
        "sub-flow-columns": "/columns?table=table-1",
        "sub-flow-files": "/files",
    }.items():
        await desk.get(f"{base}~flow-1{path}")
        found[f"console-strategies-{name}"] = desk.reply.text
    return found


async def modes(page: Page) -> AsyncIterator[str]:
    """The open page as each reader has it. It is loaded once: officers' and staff's pages are the same for all, only
    the reader's own settings differ."""
    yield "normal"
    await page.set_viewport_size(look.SCREEN)
    await page.emulate_media(color_scheme="dark")
    yield "dark"
    await page.emulate_media(color_scheme="light")
    await page.evaluate(LARGER)
    yield "large"


async def test_no_page_of_staff_has_a_fault_for_any_reader(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    await road.drain()  # the batch of scores
    await run_trial.run_trial(road.context, system("4101", "trial"), made.trial, workers=1)
    Pages.html = await pages(road, desks, made) | await inside(desks)
    assert len(Pages.html) > 40
    wanted = [name for name in sorted(Pages.html) if os.environ.get("LOOK_AT", "") in name]
    look.OUT.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[str]] = {}
    with look.serving(Pages) as server:
        async with async_playwright() as tools:
            browser = await tools.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--hide-scrollbars"]
            )
            async with look.phone(browser) as (page, told):
                for name in wanted:
                    await page.goto(f"http://127.0.0.1:{server.server_port}/page/{name}")
                    await look.shoot(page, look.OUT, f"{name}.normal")
                    async for mode in modes(page):
                        if wrong := [*told, *await look.seen(page, least=44)]:
                            found[f"{name} {mode}"] = wrong
                        told.clear()
            await browser.close()
    said = "\n".join(f"{page}: {fault}" for page, faults in found.items() for fault in faults)
    assert found == {}, said
