"""Cookies and the cross-site token.

Four cookies that say who: `visit` (random, no meaning, the anchor of the cross-site token), `customer`, `guarantor` and
`staff` (`institution.token`; the token is kept only as a hash). Over https they carry the prefix `__Host-` (3.3).
The cross-site token is an HMAC of the visit cookie; a form or the `X-CSRF-Token` header returns it. It looks
different on every page (a fresh mask), because pages are packed and packing must not betray it (BREACH).
"""

import base64
import binascii
import hmac
import os

from litestar.datastructures import Cookie

from backend.core import ids
from backend.core.errors import NotPermitted
from backend.settings import Settings
from backend.web.http import Request, Response

VISIT, CUSTOMER, GUARANTOR, STAFF = "visit", "customer", "guarantor", "staff"
_YEAR = 365 * 24 * 3600
_TOKEN_BYTES = 16
_LONGEST_ID = 12  # digits of an institution's id, as the database takes them


class _Cookie(Cookie):
    """Written without the standard library's detour: names and values are ours and need no quoting."""

    def to_encoded_header(self) -> tuple[bytes, bytes]:
        age = f"; Max-Age={self.max_age}" if self.max_age is not None else ""
        secure = "; Secure" if self.secure else ""
        text = f"{self.key}={self.value}; HttpOnly; Path=/; SameSite=Lax{age}{secure}"
        return b"set-cookie", text.encode("ascii")


class ForeignRequest(NotPermitted):
    code = "foreign_request"
    message = "这个页面开得太久了，请退回上一页刷新再试"


def name(settings: Settings, cookie: str) -> str:
    return f"__Host-{cookie}" if settings.secure_cookies else cookie


def make(settings: Settings, cookie: str, value: str, seconds: int | None = None) -> Cookie:
    """A cookie that scripts cannot read; `seconds` 0 deletes it."""
    return _Cookie(
        key=name(settings, cookie),
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )


def read(request: Request, settings: Settings, cookie: str) -> str:
    return request.cookies.get(name(settings, cookie), "")


def session(request: Request, settings: Settings, cookie: str) -> tuple[str, str] | None:
    """(institution, token) of a session cookie, or None when there is none of the right shape."""
    institution_id, _, token = read(request, settings, cookie).partition(".")
    number = institution_id.isascii() and institution_id.isdigit() and len(institution_id) <= _LONGEST_ID
    return (institution_id, token) if number and len(token) >= 22 else None


def visit(request: Request, settings: Settings) -> tuple[str, bool]:
    """The visit value and whether it is new and must be set with `keep_visit`."""
    value = str(request.scope.get("visit") or read(request, settings, VISIT))
    if len(value) >= 22:
        return value, False
    value = ids.token(16)
    request.scope["visit"] = value  # type: ignore[typeddict-unknown-key]
    return value, True


def keep_visit(request: Request, settings: Settings, response: Response) -> None:
    """Set the visit cookie on a response when this request had none."""
    if not read(request, settings, VISIT) and (value := request.scope.get("visit")):
        response.cookies.append(make(settings, VISIT, str(value), _YEAR))


def csrf_token(request: Request, settings: Settings) -> str:
    mask = os.urandom(_TOKEN_BYTES)
    hidden = _xor(mask, _token(settings, visit(request, settings)[0]))
    return base64.urlsafe_b64encode(mask + hidden).decode()


async def require_csrf(request: Request, settings: Settings) -> None:
    """Raises `ForeignRequest` for a changing request from another site or without the token (ASVS 3.5)."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    origin = request.headers.get("origin")
    if origin and origin not in {settings.public_base.rstrip("/"), _own_origin(request)}:
        raise ForeignRequest()
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignRequest()
    given = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf_token", ""))
    value = read(request, settings, VISIT)
    if not value or not hmac.compare_digest(_unmasked(given), _token(settings, value)):
        raise ForeignRequest()


def _own_origin(request: Request) -> str:
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def _unmasked(given: str) -> bytes:
    """What stands behind the mask; nothing for anything that is not a token."""
    try:
        both = base64.urlsafe_b64decode(given.encode())
    except (ValueError, binascii.Error):
        return b""
    return _xor(both[:_TOKEN_BYTES], both[_TOKEN_BYTES:]) if len(both) == 2 * _TOKEN_BYTES else b""


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(_TOKEN_BYTES, "big")


def _token(settings: Settings, value: str) -> bytes:
    return hmac.digest(settings.session_secret.encode(), value.encode(), "sha256")[:_TOKEN_BYTES]
