"""The gate before every page's POST: from our own page, with the fields its route declares and no others.

A route declares what its form may hold: `@post("/report", fields=("kind", "said"), files=("image",))`. What is
not declared is refused with 400 (ASVS 15.3), so that no field reaches code that was not written for it.
"""

from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import ClientException

from backend.core.plain_text import plain
from backend.settings import Settings
from backend.web import cookies
from backend.web.http import Request

LONGEST_FIELD = 1000
ALWAYS = frozenset({"csrf_token", "form_key"})
SMALL_BODY = 64 * 1024
"""Bytes of any request but a photograph's."""
PHOTOGRAPH_BODY = 9 * 1024 * 1024
"""8 MB of photograph and the form around it."""
MOST_PARTS = 20


class FieldRefused(ClientException):
    """A field nobody asked for, one given twice with two values, or a file where text belongs: always 400."""

    status_code = 400


async def guard(request: Request) -> None:
    """For `before_request` of a router or handler. Raises `ForeignRequest` (403) and `FieldRefused` (400)."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    settings: Settings = request.app.state.settings
    form = await _parsed(request)
    await cookies.require_csrf(request, settings)
    _check_fields(request, form)


async def _parsed(request: Request) -> FormMultiDict:
    try:
        return await request.form()
    except (LookupError, ValueError) as cause:  # a part in an unknown or untrue character set
        raise FieldRefused() from cause


def _check_fields(request: Request, form: FormMultiDict) -> None:
    declared = request.route_handler.opt
    texts, files = ALWAYS | set(declared.get("fields", ())), set(declared.get("files", ()))
    for name in form:
        values = form.getall(name)
        if name not in texts | files or len(set(map(str, values))) > 1:
            raise FieldRefused()
        if any(isinstance(value, UploadFile) != (name in files) for value in values if value != ""):
            raise FieldRefused()


async def texts(request: Request) -> dict[str, str]:
    """The text fields, cleaned (`plain`) and trimmed; files are left out."""
    form = await request.form()
    return {
        name: plain(value).strip()[:LONGEST_FIELD] for name, value in form.items() if isinstance(value, str)
    }
