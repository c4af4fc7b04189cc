"""How the pages write amounts, times and links."""

import re
from datetime import datetime
from urllib.parse import quote, urlsplit

from litestar.plugins.jinja import JinjaTemplateEngine
from markupsafe import Markup, escape

from backend.core import clock
from backend.sandbox.store import encoded
from backend.sandbox.world import World

ANCHOR = re.compile(
    r'<a\s+href="([^"<>]{1,500})"[^<>]*>([^<>]{1,200})</a>|(https?://[^\s<>"，。；）]{1,500})'
)

LABELS = {"character_string1": "申请编号", "phrase2": "办理进度", "time3": "更新时间", "thing4": "温馨提示"}
"""The words of 申请进度通知, which the bank chose on the platform; a notice carries the names only."""


def prepare(engine: JinjaTemplateEngine) -> None:
    engine.engine.filters.update(
        yuan=yuan,
        when=when,
        rich=rich,
        json=encoded,
        masked=masked,
        percent=percent,
        day=day,
        inside=browser,
        noticed=noticed,
    )


def yuan(fen: int) -> str:
    """1234500 → 12,345.00"""
    return f"{fen // 100:,}.{fen % 100:02d}"


def percent(rate: str) -> str:
    """0.0720 → 7.20%"""
    return f"{float(rate) * 100:.2f}%"


def when(text: str) -> str:
    return f"{clock.local(datetime.fromisoformat(text)):%m-%d %H:%M:%S}" if text else ""


def day(text: str) -> str:
    return f"{clock.local(datetime.fromisoformat(text)):%Y-%m-%d %H:%M}"


def masked(id_number: str) -> str:
    return f"{id_number[:6]}********{id_number[-4:]}"


def rich(text: str, openid: str) -> Markup:
    """Text of a chat message: only links come alive, and they open in the phone's browser."""
    parts, end = [], 0
    for found in ANCHOR.finditer(text):
        url, words = found[1] or found[3], found[2] or found[3]
        parts += [escape(text[end : found.start()]), _link(url, words, openid)]
        end = found.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def _link(url: str, words: str, openid: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(browser(url, openid), words)


def noticed(fields: dict[str, str]) -> list[tuple[str, str]]:
    """A notice's fields as its template labels them, in the template's order."""
    ordered = sorted(fields.items(), key=lambda one: int(re.sub(r"\D", "", one[0]) or 0))
    return [(LABELS.get(name, name), value) for name, value in ordered]


def browser(url: str, openid: str) -> str:
    """Where a link in the chat leads: the phone's own browser."""
    return f"/phone/{openid}/browser?url={quote(url, safe='')}"


def path_here(here: World, url: str) -> str | None:
    """Our pages and the bank's as seen through the phone's browser; None for any other address."""
    parts = urlsplit(url)
    ours = {urlsplit(here.settings.public_base).netloc, urlsplit(here.settings.sandbox_base).netloc}
    if parts.scheme not in {"http", "https"} or parts.netloc not in ours:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return (parts.path or "/") + query
