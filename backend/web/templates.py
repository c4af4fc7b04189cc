"""The one Jinja environment: strict about missing names, escaping by default, no template from a string.

`render` takes the page (what every page of a door shares) and a view (what this one shows). The view's
fields become the template's top-level names.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import jinja2
from markupsafe import escape
from msgspec import Struct
from msgspec.structs import replace

from backend.core import clock
from backend.web import formats, packing, qr, static_files

ROOT = Path(__file__).resolve().parents[2] / "templates"
_ESCAPED = (".html", ".svg")
# A line break between two Chinese characters would be shown as a blank; sources may be wrapped freely.
_CHINESE_BREAK = re.compile(
    r"(?<=[\u2018-\u201d\u3000-\u9fff\uff00-\uffef])\n\s*(?=[\u2018-\u201d\u3000-\u9fff\uff00-\uffef])"
)


class Page(Struct, frozen=True):
    """What every page shares.

    `form_key` is the idempotency key of the forms of this rendering: a double tap sends it twice.
    `display` 'care' is the large-type mode. `path` is where to come back to after changing it.
    `answers_form`: the browser holds this page under the address of a form; going back there must not fail.
    """

    csrf_token: str
    form_key: str
    institution_name: str
    service_phone: str
    path: str
    display: Literal["normal", "care"] = "normal"
    answers_form: bool = False


class ErrorView(Struct, frozen=True):
    """An error as a person reads it: what happened, what stays, what to do next.

    `request_id` lets the service desk find the event; empty for errors a person can mend alone.
    """

    status: int
    title: str
    message: str
    action_label: str = ""
    action_url: str = ""
    request_id: str = ""


class _LeanLoader(jinja2.FileSystemLoader):
    """Drops indentation when a template is compiled, not each time it is rendered: pages stay ≤5 kB."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, filename, uptodate = super().get_source(environment, template)
        if template.endswith(_ESCAPED):
            source = _CHINESE_BREAK.sub("", source)
            source = re.sub(r"\n\s+", "\n", source)
        return source, filename, uptodate


@cache
def files() -> static_files.StaticFiles:
    """Static files of this process, read at first use."""
    return static_files.StaticFiles()


@cache
def environment() -> jinja2.Environment:
    """The environment, built once per process."""
    made = jinja2.Environment(
        loader=_LeanLoader(ROOT),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html", "svg"), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(static_url=files().url, percent_range=formats.percent_range, qr=qr.svg)
    made.filters.update(
        yuan=formats.yuan,
        yuan_exact=formats.yuan_exact,
        wan=formats.wan,
        percent=formats.percent,
        date_cn=formats.date_cn,
        day_cn=lambda at: formats.day_cn(at, clock.now()),
        moment_cn=lambda at: formats.moment_cn(at, clock.now()),
        grouped=formats.grouped,
        marked=formats.marked,
    )
    return made


def render(name: str, *, page: Page | None = None, view: Struct | None = None, **more: object) -> str:
    """Template `name` with the view's fields as names. Raises `jinja2.UndefinedError` on a missing one."""
    names = {field: getattr(view, field) for field in view.__struct_fields__} if view is not None else {}
    return environment().get_template(name).render({**names, **more, "page": page})


# Stand where the two values that differ from visitor to visitor will be put in.
_CSRF, _KEY = "xd-csrf-token-here", "xd-form-key-here"


def render_kept(name: str, *, page: Page, view: Struct, packed: bool = False) -> bytes:
    """As `render`, for pages that many see alike (the landing): drawn once, then only tokens are put in.

    `packed` gives the gzip body. The view must be hashable and the template must not tell times relative to now.
    """
    kept = _kept(name, replace(page, csrf_token=_CSRF, form_key=_KEY), view)
    put_in = kept.packed if packed else kept.plain
    return put_in(escape(page.csrf_token).encode(), escape(page.form_key).encode())


@lru_cache(maxsize=1024)
def _kept(name: str, page: Page, view: Struct) -> packing.Kept:
    return packing.Kept(render(name, page=page, view=view), (_CSRF, _KEY))
