"""What WeChat's browser does for a page that uses the JS-SDK: the check of its signature, and <wx-open-subscribe>.

The browser's script (`static/wechat_browser.js`) and the travellers of `journey` ask here; the person's answer
reaches the account as a signed and encrypted event, like every other.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Router, post
from litestar.params import FromPath

from backend.core import clock
from backend.sandbox import world
from backend.sandbox.systems.wechat import phone
from backend.sandbox.world import AnyRequest, World

TAGS = {"wx-open-subscribe"}
MOST_TEMPLATES = 3


class Check(msgspec.Struct, forbid_unknown_fields=True):
    """What the JS-SDK hands to the browser; `url` is the address of the page that is open."""

    app_id: str
    timestamp: str
    nonce: str
    signature: str
    url: str
    tags: list[str] = []


class Templates(msgspec.Struct, forbid_unknown_fields=True):
    template_ids: list[str]


@post("/verify", status_code=200)
async def verify(request: AnyRequest) -> dict[str, Any]:
    """`problem` is empty for a page that may use `tags`; else what the JS-SDK tells the page."""
    here, check = world.of(request), await world.body_of(request, Check)
    problem = _problem(here, check)
    return {"problem": problem, "tags": [] if problem else [tag for tag in check.tags if tag in TAGS]}


@post("/templates", status_code=200)
async def templates(request: AnyRequest) -> dict[str, Any]:
    """What the sheet shows; `error` is the code the element reports when it cannot be shown."""
    here, asked = world.of(request), await world.body_of(request, Templates)
    titles = {here.settings.wechat_progress_template: "申请进度通知"}
    known = [{"id": one, "title": titles[one]} for one in asked.template_ids if one in titles]
    wrong = len(known) != len(asked.template_ids) or not 0 < len(known) <= MOST_TEMPLATES
    return {"error": 10001 if wrong else 0, "templates": [] if wrong else known}


@post("/answer", status_code=200)
async def answer(request: AnyRequest, openid: FromPath[str]) -> dict[str, Any]:
    """允许 or 拒绝 on the sheet: the account hears of it by an event, the page by its element."""
    here, popup = world.of(request), await world.body_of(request, phone.Popup)
    phone.answered(here, openid, popup)
    details = dict.fromkeys(popup.template_ids, popup.outcome)
    return {"errMsg": "subscribe:ok", "subscribeDetails": msgspec.json.encode(details).decode()}


def _problem(here: World, check: Check) -> str:
    ticket = here.store.get("wechat_ticket", "jsapi")
    if check.app_id != here.settings.wechat_app_id:
        return "fail_invalid appid"
    if ticket is None or datetime.fromisoformat(ticket["expires_at"]) < clock.now():
        return "fail_invalid signature"
    signed = f"jsapi_ticket={ticket['ticket']}&noncestr={check.nonce}&timestamp={check.timestamp}"
    signed += f"&url={_seen(here, check.url)}"
    expected = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
    return "" if hmac.compare_digest(expected, check.signature) else "fail_invalid signature"


def _seen(here: World, url: str) -> str:
    """The page's own address, which the phone's browser reaches through the sandbox's."""
    parts, base = urlsplit(url), here.settings.public_base.rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    same = (parts.scheme, parts.netloc) in {_origin(base), _origin(here.settings.sandbox_base)}
    return f"{base}{parts.path}{query}" if same else url.partition("#")[0]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


router = Router("/phone/{openid:str}/open-tag", route_handlers=[verify, templates, answer])
