"""The official account's credentials: app secret, access token, jsapi ticket."""

from datetime import datetime, timedelta
from typing import Any

from litestar import get, post

from backend.core import clock, ids
from backend.sandbox import world
from backend.sandbox.systems.wechat.errors import WeChatError
from backend.sandbox.world import AnyRequest, World

SECONDS = 7200
OVERLAP = timedelta(minutes=5)
ACCOUNT = "gh_sandbox_union1"


@get("/cgi-bin/token")
async def token(request: AnyRequest) -> dict[str, Any]:
    """The old way: every call makes a new token, and the one before lives five minutes more."""
    here = world.of(request)
    _check_secret(here, request.query_params.get("appid", ""), request.query_params.get("secret", ""))
    return _fresh(here)


@post("/cgi-bin/stable_token", status_code=200)
async def stable_token(request: AnyRequest) -> dict[str, Any]:
    """The same token for everybody until it ends, unless `force_refresh`."""
    here, asked = world.of(request), await world.body_of(request, dict[str, Any])
    _check_secret(here, str(asked.get("appid", "")), str(asked.get("secret", "")))
    if asked.get("grant_type") != "client_credential":
        raise WeChatError(40002)
    current = here.store.get("wechat_token", "current")
    if current and not asked.get("force_refresh"):
        left = (datetime.fromisoformat(current["expires_at"]) - clock.now()).total_seconds()
        if left > 60:
            return {"access_token": current["token"], "expires_in": int(left)}
    return _fresh(here)


@get("/cgi-bin/ticket/getticket")
async def ticket(request: AnyRequest) -> dict[str, Any]:
    """The same ticket for everybody until it ends; only the kind `jsapi` is asked for."""
    here, now = authorised(request), clock.now()
    if request.query_params.get("type") != "jsapi":
        raise WeChatError(40097)
    body = here.store.get("wechat_ticket", "jsapi")
    if body is None or datetime.fromisoformat(body["expires_at"]) - now < timedelta(seconds=60):
        body = {"ticket": ids.token(), "expires_at": (now + timedelta(seconds=SECONDS)).isoformat()}
        here.store.put("wechat_ticket", "jsapi", body)
    left = int((datetime.fromisoformat(body["expires_at"]) - now).total_seconds())
    return {"errcode": 0, "errmsg": "ok", "ticket": body["ticket"], "expires_in": left}


def authorised(request: AnyRequest) -> World:
    """The world, for a call with a live access token; 40001 or 42001 otherwise."""
    here, given = world.of(request), request.query_params.get("access_token", "")
    for which in ("current", "previous"):
        known = here.store.get("wechat_token", which)
        if known and known["token"] == given:
            if clock.now() < datetime.fromisoformat(known["expires_at"]):
                return here
            raise WeChatError(42001)
    raise WeChatError(40001)


def expire(here: World) -> None:
    """As when another program of the bank fetched a token of its own: ours is worth nothing now."""
    for which in ("current", "previous"):
        here.store.delete("wechat_token", which)


def _check_secret(here: World, app_id: str, secret: str) -> None:
    if app_id != here.settings.wechat_app_id:
        raise WeChatError(40013)
    if secret != here.settings.wechat_app_secret:
        raise WeChatError(40125)


def _fresh(here: World) -> dict[str, Any]:
    now, old = clock.now(), here.store.get("wechat_token", "current")
    if old:
        here.store.put("wechat_token", "previous", {**old, "expires_at": (now + OVERLAP).isoformat()})
    made = {"token": ids.token(48), "expires_at": (now + timedelta(seconds=SECONDS)).isoformat()}
    here.store.put("wechat_token", "current", made)
    return {"access_token": made["token"], "expires_in": SECONDS}


HANDLERS = [token, stable_token, ticket]
