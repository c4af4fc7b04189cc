"""网页授权: the silent redirect with a code, and what the code is worth."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from litestar import Response, get
from litestar.response import Redirect

from backend.core import clock, ids
from backend.sandbox import world
from backend.sandbox.systems.wechat import followers
from backend.sandbox.systems.wechat.errors import WeChatError
from backend.sandbox.world import AnyRequest, World

COOKIE = "phone_openid"
SNAPSHOT_COOKIE = "phone_snapshot"
CODE_LIFE = timedelta(minutes=5)
SCOPES = {"snsapi_base", "snsapi_userinfo"}


@get("/connect/oauth2/authorize")
async def authorize(request: AnyRequest) -> Response[Any]:
    """The cookie says whose phone this is; the real platform knows it from the app."""
    here, asked = world.of(request), request.query_params
    target, state = asked.get("redirect_uri", ""), asked.get("state", "")
    if asked.get("appid") != here.settings.wechat_app_id or asked.get("response_type") != "code":
        return _page("参数错误：AppID 或 response_type 不对")
    if _origin(target) != _origin(here.settings.public_base):
        return _page("redirect_uri 域名与后台配置不一致，错误码：10003")
    if asked.get("scope") not in SCOPES or not (state == "" or state.isalnum()) or len(state) > 128:
        return _page("Scope 参数错误或没有 Scope 权限，错误码：10005")
    openid = request.cookies.get(COOKIE, "")
    if not followers.OPENID.fullmatch(openid):
        return _page("请在微信客户端打开链接")
    code = _issue(here, openid, str(asked["scope"]), request.cookies.get(SNAPSHOT_COOKIE) == "1")
    joined = target + ("&" if "?" in target else "?") + urlencode({"code": code, "state": state})
    return Redirect(joined, status_code=302)


@get("/sns/oauth2/access_token")
async def access_token(request: AnyRequest) -> dict[str, Any]:
    here, asked = world.of(request), request.query_params
    if asked.get("appid") != here.settings.wechat_app_id:
        raise WeChatError(40013)
    if asked.get("secret") != here.settings.wechat_app_secret:
        raise WeChatError(40125)
    code = here.store.get("wechat_oauth_code", asked.get("code", ""))
    if not code or clock.now() > datetime.fromisoformat(code["until"]):
        raise WeChatError(40029)
    if code["used"]:
        raise WeChatError(40163)
    here.store.put("wechat_oauth_code", code["code"], {**code, "used": True})
    token = ids.token()
    here.store.put("wechat_oauth_token", token, {"openid": code["openid"], "scope": code["scope"]})
    answer = {
        "access_token": token,
        "expires_in": 7200,
        "refresh_token": ids.token(),
        "openid": code["openid"],
        "scope": code["scope"],
        "unionid": f"union_{code['openid']}",
    }
    return {**answer, "is_snapshotuser": 1} if code["snapshot"] else answer


@get("/sns/userinfo")
async def user_info(request: AnyRequest) -> dict[str, Any]:
    here, asked = world.of(request), request.query_params
    token = here.store.get("wechat_oauth_token", asked.get("access_token", ""))
    if not token or token["openid"] != asked.get("openid"):
        raise WeChatError(40001)
    if token["scope"] != "snsapi_userinfo":
        raise WeChatError(48001)
    openid = token["openid"]
    user = {"openid": openid, "nickname": "微信用户", "headimgurl": "", "privilege": []}
    return {**user, "unionid": f"union_{openid}"}


def _issue(here: World, openid: str, scope: str, snapshot: bool) -> str:
    followers.get(here, openid)
    code, until = ids.token(24), (clock.now() + CODE_LIFE).isoformat()
    body = {"code": code, "openid": openid, "scope": scope, "until": until, "used": False}
    here.store.put("wechat_oauth_code", code, {**body, "snapshot": snapshot})
    return code


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _page(text: str) -> Response[str]:
    html = f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">{text}'
    return Response(html, status_code=200, media_type="text/html; charset=utf-8")


HANDLERS = [authorize, access_token, user_info]
