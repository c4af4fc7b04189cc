"""Every page of officers and staff, found by the route table, at 360 px in normal, large and dark: nothing axe calls
moderate or worse, no error on the console under the real CSP, no sideways scrolling, targets one can hit. At 1280 px
nothing sticks out of its card and no field hides the end of what stands in it.

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
from tests.h5.console.test_strategies import HOME, act, draft, named
from tests.h5.console.test_strategy_inside import MINE, open_inside
from tests.h5.console.test_strategy_sub_flows import made_and_filled
from tests.h5.scene import Scene, scene
from tests.house.test_staff_roles import STAFF_NO, example, handlers, seen_by

__all__ = ["desks", "road"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
LARGER = """() => new Promise((done, failed) => {
  const link = Object.assign(document.createElement('link'), {rel: 'stylesheet', href: '/large.css'});
  link.onload = done; link.onerror = failed; document.head.append(link);
})"""


STICKS_OUT = """() => [...document.querySelectorAll('.panel :is(table, form, input, select, .btn, p, ul, dl, svg)')]
  .filter(e => e.offsetParent && !e.closest('.graph, .sway, .chips.long'))
  .filter(e => e.getBoundingClientRect().right > e.closest('.panel').getBoundingClientRect().right + 1)
  .map(e => `sticks out of its card: ${e.outerHTML.slice(0, 90)}`)"""
SMALL_LETTERS = """() => [...document.querySelectorAll('.graph svg, svg.web')]
  .filter(e => e.getClientRects().length)
  .map(e => [e, e.getBoundingClientRect().width / e.viewBox.baseVal.width])
  .flatMap(([e, scale]) => [...e.querySelectorAll('text')].map(t => scale * parseFloat(getComputedStyle(t).fontSize)))
  .filter(size => size < 8.6)
  .map(size => `letters of ${size.toFixed(1)} px in a drawing`)"""
CUT_OFF = """() => [...document.querySelectorAll('main input:not([type])')]
  .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1)
  .map(e => `its end is not seen: ${e.outerHTML.slice(0, 90)}`)"""


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


async def of_a_county_inside(road: Road, desks: Desks) -> dict[str, str]:
    """A county's draft with a row and a number of its own in a sub-flow."""
    await open_inside(road, await desks.of("SL0001"), await desks.of("SL0002"))
    county = await desks.of("JX0101")
    base = await draft(county)
    await county.get(f"{base}/row?table=flow-1/table-1&row=new")
    await county.send(county.page.form(f"{base}/row"), act="save", **named(county, MINE))
    await act(county, "check")
    found = {"console-strategies-county-inside": county.reply.text}
    for name in ("openings", "compare"):
        desk = await desks.of("SL0001")
        await desk.get(HOME + "/compare" if name == "compare" else f"{await draft(desk)}/{name}")
        found[f"console-strategies-union-{name}"] = desk.reply.text
    return found


async def at_the_desk(page: Page) -> list[str]:
    """What is wrong at 1280 px, and with the letters of drawings also on the phone."""
    found = await page.evaluate(SMALL_LETTERS)
    await page.set_viewport_size({"width": 1280, "height": 800})
    for wrong in (STICKS_OUT, CUT_OFF, SMALL_LETTERS):
        found += await page.evaluate(wrong)
    await page.set_viewport_size(look.SCREEN)
    return list(found)


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
    assert await faults(wanted) == []


async def test_rows_of_a_county_in_a_sub_flow_stay_in_their_card(road: Road, desks: Desks) -> None:
    Pages.html = await of_a_county_inside(road, desks)
    assert await faults(list(Pages.html)) == []


async def faults(wanted: list[str]) -> list[str]:
    """What is wrong with these pages, for any reader; their pictures are kept."""
    look.OUT.mkdir(parents=True, exist_ok=True)
    found: list[str] = []
    with look.serving(Pages) as server:
        async with async_playwright() as tools:
            browser = await tools.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--hide-scrollbars"]
            )
            async with look.phone(browser) as (page, told):
                for name in wanted:
                    await page.goto(f"http://127.0.0.1:{server.server_port}/page/{name}")
                    found += [f"{name} desk: {wrong}" for wrong in await at_the_desk(page)]
                    await look.shoot(page, look.OUT, f"{name}.normal")
                    async for mode in modes(page):
                        wrong = [*told, *await look.seen(page, least=44)]
                        found += [f"{name} {mode}: {each}" for each in wrong]
                        told.clear()
            await browser.close()
    return found
