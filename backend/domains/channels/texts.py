"""Approved sentences for pushed notices: templates/bot/notice/<status>.txt (D3-17: no free text goes out)."""

from functools import cache
from pathlib import Path

import jinja2

ROOT = Path(__file__).resolve().parents[3] / "templates" / "bot" / "notice"


@cache
def _environment() -> jinja2.Environment:
    # Plain text for WeChat, not HTML; every value is ours (amounts, dates, numbers) or the
    # words a member of staff wrote to this one person; none is what a customer typed.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def notice(status: str, **values: object) -> str:
    """The sentence for a status; raises `jinja2.UndefinedError` when a value is missing."""
    return _environment().get_template(f"{status}.txt").render(values).strip()
