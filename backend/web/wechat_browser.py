"""Who holds the phone when a page opens inside WeChat: asked silently, once, kept in a signed cookie.

`ask` sends the browser to the silent authorisation; its callback (bot door) keeps the answer, also when the
answer is "nobody" (a snapshot visitor, or WeChat did not answer), so that no page ever goes round in circles.
"""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import quote

from backend.core import clock
from backend.settings import Settings
from backend.web import cookies
from backend.web.http import Request, Response

COOKIE = "wechat"
START = "/wechat/oauth/start"
KNOWN_SECONDS, NOBODY_SECONDS = 24 * 3600, 600


def inside(request: Request) -> bool:
    """Whether the page is open in WeChat's own browser."""
    return "MicroMessenger" in request.headers.get("user-agent", "")


def start_url(next_path: str) -> str:
    return f"{START}?next={quote(next_path, safe='/')}"


def ask(request: Request, settings: Settings) -> str | None:
    """Where to send this GET first, or None when the answer is known or cannot be had."""
    if not inside(request) or _answer(request, settings) is not None:
        return None
    query = request.scope.get("query_string", b"").decode("ascii", "ignore")
    return start_url(request.scope["path"] + (f"?{query}" if query else ""))


def openid(request: Request, settings: Settings) -> str | None:
    """The WeChat account of this browser, or None."""
    return _answer(request, settings) or None


def keep(settings: Settings, response: Response, found: str) -> None:
    """Keep the answer; an empty text means nobody."""
    seconds = KNOWN_SECONDS if found else NOBODY_SECONDS
    until = int(clock.now().timestamp()) + seconds
    text = base64.urlsafe_b64encode(f"{until}.{found}".encode()).decode()
    response.cookies.append(cookies.make(settings, COOKIE, f"{text}.{_sign(settings, text)}", seconds))


def _answer(request: Request, settings: Settings) -> str | None:
    """What was kept and still counts; None when nothing was."""
    text, _, signature = cookies.read(request, settings, COOKIE).rpartition(".")
    if not text or not hmac.compare_digest(signature.encode(), _sign(settings, text).encode()):
        return None
    try:
        until, _, found = base64.urlsafe_b64decode(text).decode().partition(".")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return found if clock.now().timestamp() < int(until) else None


def _sign(settings: Settings, text: str) -> str:
    return hmac.new(settings.session_secret.encode(), f"wechat {text}".encode(), hashlib.sha256).hexdigest()
