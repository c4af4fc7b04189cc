"""Photographs of every customer page in every state, for looking at: `python -m tests.browser.look [NAME…]`.

Renders with the real templates and static files, serves them on a free loopback port, takes 360 × 740
pictures (whole page as well as first view) in normal, large and dark, and runs axe over each.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from msgspec.structs import replace
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from backend.core import clock
from backend.web import templates
from tests.h5.customer import contexts

HERE = Path(__file__).resolve().parent
AXE = HERE / "vendor/axe-4.14.1.min.js"
OUT = HERE.parents[1] / "artefacts/look"
SCREEN: ViewportSize = {"width": 360, "height": 740}
MODES = {"normal": ("normal", "light"), "dark": ("normal", "dark"), "care": ("care", "light")}


class Handler(BaseHTTPRequestHandler):
    """`/<mode>/<name>` is a page, `/static/…` a file; nothing else."""

    def do_GET(self) -> None:
        if self.path.startswith("/static/"):
            asset = templates.files().find(self.path.removeprefix("/static/"))
            return self._answer(asset.body, asset.content_type.decode()) if asset else self.send_error(404)
        if self.path.endswith(("/status", "/notice")):
            return self._answer(b"", "text/html", 204)
        if self.path.count("/") != 2 or self.path.split("/")[2] not in contexts.PAGES:
            return self.send_error(404)
        _, mode, name = self.path.split("/")
        template, view = contexts.PAGES[name]
        page = replace(contexts.PAGE, display=MODES[mode][0])
        with clock.at(contexts.NOW):
            return self._answer(
                templates.render(template, page=page, view=view).encode(), "text/html; charset=utf-8"
            )

    def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header(
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
            " connect-src 'self'; media-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'",
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(handler: type[Handler] = Handler) -> Iterator[ThreadingHTTPServer]:
    """A server on a free loopback port while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


async def faults(browser: Browser, base: str, name: str, shots: Path | None = None) -> dict[str, list[str]]:
    """What is wrong with one page in each mode: errors on the console, and all that `seen` finds. The dark page is
    the normal one in another light, and not loaded again."""
    found, there = dict[str, list[str]](), ""
    async with phone(browser, scale=2 if shots is None else 1.5) as (page, told):
        for mode, (display, scheme) in MODES.items():
            await page.set_viewport_size(SCREEN)
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            if display != there:
                await page.goto(f"{base}/{mode}/{name}")
                there = display
            if shots:
                await shoot(page, shots, f"{name}.{mode}")
            found[mode] = [*told, *await seen(page, least=60 if display == "care" else 44)]
            told.clear()
    return found


@asynccontextmanager
async def phone(browser: Browser, *, scale: float = 1.5) -> AsyncIterator[tuple[Page, list[str]]]:
    """An empty page 360 px wide, and what its console complains of."""
    context = await browser.new_context(viewport=SCREEN, device_scale_factor=scale, bypass_csp=False)
    page = await context.new_page()
    told: list[str] = []
    page.on("console", lambda m: told.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda e: told.append(f"script: {e}"))
    yield page, told
    await context.close()


async def shoot(page: Page, folder: Path, name: str) -> None:
    """The first view, then the whole page; it stays open as a whole."""
    await page.screenshot(path=folder / f"{name}.png")
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({**SCREEN, "height": max(SCREEN["height"], height)})
    await page.screenshot(path=folder / f"{name}.full.png")


async def seen(page: Page, least: int) -> list[str]:
    """What is wrong with the page as it stands: axe findings, sideways scrolling, targets below `least`."""
    found = ["scrolls sideways"] if await page.evaluate("document.documentElement.scrollWidth > 360") else []
    found += await page.evaluate(SMALL_TARGETS, least)
    found += await page.evaluate(TIGHT_LINES)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    report = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return found + [
        f"axe {v['impact']} {v['id']}: {v['nodes'][0]['html'][:110]} {v['nodes'][0].get('failureSummary', '')[:220]}"
        for v in report["violations"]
        if v["impact"] in ("serious", "critical", "moderate")
    ]


# Links inside a sentence are exempt (WCAG 2.5.8); everything else one taps must be large enough.
SMALL_TARGETS = """least => [...document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')]
  .filter(e => e.offsetParent && !e.matches('.skip:not(:focus)'))
  .filter(e => !(e.tagName === 'A' && getComputedStyle(e).display === 'inline'))
  .map(e => { const label = e.matches('input[type=checkbox]') ? e.closest('label') : e;
              return [e, label.getBoundingClientRect()]; })
  .filter(([e, r]) => r.height > 0 && (r.height < least - 0.6 || r.width < least - 0.6))
  .map(([e, r]) => `small target ${Math.round(r.width)}x${Math.round(r.height)}: ${e.outerHTML.slice(0, 90)}`)"""


# Running text needs 1.3 times its size from line to line.
TIGHT_LINES = """() => [...document.querySelectorAll('p, li, dd, dt, h1, h2, label, small, td, th, a, button')]
  .filter(e => e.offsetParent && e.textContent.trim())
  .map(e => [e, getComputedStyle(e)])
  .filter(([e, s]) => s.lineHeight !== 'normal' && parseFloat(s.lineHeight) < 1.295 * parseFloat(s.fontSize))
  .map(([e, s]) => `tight lines ${s.lineHeight} of ${s.fontSize}: ${e.outerHTML.slice(0, 90)}`)"""


async def main(names: list[str]) -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with serving() as server:
        base = f"http://127.0.0.1:{server.server_port}"
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--hide-scrollbars"]
            )
            for name in names or contexts.PAGES:
                for mode, found in (await faults(browser, base, name, OUT)).items():
                    for fault in found:
                        wrong += 1
                        print(f"{name} {mode}: {fault}")
            await browser.close()
    print(f"{wrong} faults; pictures in {OUT}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
