"""微信公众号 over HTTP: wechatpy's endpoint shapes on our own transport (wechat.md).

wechatpy's `_request` is blocking and recurses on a bad token; ours awaits, refreshes the shared token once
and repeats once. Its methods that only `return self._post(…)` become awaitable; those that look into the
answer are written anew here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from wechatpy import WeChatClient

from backend.core import clock, ids
from backend.integrations.http import Connection
from backend.integrations.wechat import js_sdk
from backend.integrations.wechat.js_sdk import PageConfig
from backend.integrations.wechat.port import (
    ADDRESS_NOT_LISTED,
    BAD_TOKEN,
    REFUSALS,
    OAuthIdentity,
    QrTicket,
    Refresh,
    TokenStore,
    WeChatRefused,
    WeChatUnavailable,
)

PLATFORM = "https://api.weixin.qq.com/"
LONGEST_CODE_SECONDS = 2_592_000
Answer = dict[str, Any]
T = TypeVar("T", str, int)


class WeChat(WeChatClient):  # type: ignore[misc]
    """One official account. `tokens` is shared by all replicas."""

    def __init__(
        self,
        connection: Connection,
        *,
        app_id: str,
        secret: str,
        open_base: str,
        tokens: TokenStore,
    ) -> None:
        # Not the library's __init__: it opens a blocking session and keeps tokens in memory.
        self.appid, self.secret = app_id, secret
        self._connection, self._open_base = connection, open_base.rstrip("/")
        self._tokens = tokens

    async def send_text(self, openid: str, text: str, *, key: str = "") -> Answer:
        """A customer-service message. Raises WindowClosed or NotFollowing."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return await self._sent("message/custom/send", body, key)

    async def send_subscription(
        self, openid: str, template_id: str, fields: Mapping[str, str], *, page: str = "", key: str = ""
    ) -> Answer:
        """订阅通知: uses up one consent. Raises NoSubscription when none is left."""
        body: Answer = {"touser": openid, "template_id": template_id, "data": _values(fields)}
        body |= {"page": page} if page else {}
        return await self._sent("message/subscribe/bizsend", body, key)

    async def create_qr(self, scene: str, seconds: int | None = None) -> QrTicket:
        """A code that brings `scene` (1–64 characters) with its scan; permanent without `seconds`."""
        if not 0 < len(scene) <= 64:
            raise ValueError("a scene has 1 to 64 characters")
        asked: Answer = {"action_info": {"scene": {"scene_str": scene}}}
        if seconds is None:
            asked["action_name"] = "QR_LIMIT_STR_SCENE"
        else:
            asked |= {"action_name": "QR_STR_SCENE", "expire_seconds": min(seconds, LONGEST_CODE_SECONDS)}
        answer = await self.post("qrcode/create", data=asked)
        left = answer.get("expire_seconds")
        until = clock.now() + timedelta(seconds=int(left)) if left else None
        ticket, url = (_told(answer, name, str, "qrcode/create") for name in ("ticket", "url"))
        return QrTicket(ticket=ticket, url=url, expires_at=until)

    async def create_menu(self, menu: Mapping[str, Any]) -> Answer:
        return await self._answer("post", "menu/create", data=dict(menu))

    def authorize_url(self, redirect_uri: str, state: str, scope: str = "snsapi_base") -> str:
        """Where to send the browser for a silent code. `state` must be alphanumeric."""
        if not (state.isascii() and state.isalnum() and len(state) <= 128):
            raise ValueError("state must be 1 to 128 letters and digits")
        query = {
            "appid": self.appid,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": scope,
            "state": state,
        }
        return f"{self._open_base}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"

    async def oauth_identity(self, code: str) -> OAuthIdentity:
        """Who opened the page. A code works once: an unknown outcome means asking for a new code."""
        query = {
            "appid": self.appid,
            "secret": self.secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        answer = await self._once("get", f"/sns/oauth2/access_token?{urlencode(query)}", b"", {}, effect=True)
        _raise_for(answer, "sns/oauth2/access_token")
        return OAuthIdentity(
            openid=_told(answer, "openid", str, "sns/oauth2/access_token"),
            scope=str(answer.get("scope", "")),
            unionid=str(answer.get("unionid", "")),
            is_snapshot_user=bool(answer.get("is_snapshotuser")),
        )

    async def jsapi_ticket(self) -> str:
        """Shared by all replicas and fetched once per life, as the access token is."""
        return await self._tokens.get(self._fetch_ticket, name="jsapi_ticket")

    async def page_config(self, url: str) -> PageConfig:
        """What the page at `url` needs for `wx.config`. Raises when no ticket is to be had."""
        nonce, timestamp = ids.token(12), str(int(clock.now().timestamp()))
        signed = js_sdk.signature(await self.jsapi_ticket(), nonce, timestamp, url)
        return PageConfig(app_id=self.appid, timestamp=timestamp, nonce=nonce, signature=signed)

    async def _request(self, method: str, url_or_endpoint: str, **options: Any) -> Any:
        """What every method of the library ends in: one call, and one more after a refused token."""
        process = options.pop("result_processor", None)
        token = await self._tokens.get(self._refresh(""))
        answer = await self._with_token(method, url_or_endpoint, token, options)
        if answer.get("errcode") in BAD_TOKEN:
            token = await self._tokens.get(self._refresh(token), stale=token)
            answer = await self._with_token(method, url_or_endpoint, token, options)
        _raise_for(answer, url_or_endpoint)
        return process(answer) if process else answer

    async def _answer(self, method: str, endpoint: str, **options: Any) -> Answer:
        answer: Answer = await self._request(method, endpoint, **options)
        return answer

    async def _sent(self, endpoint: str, body: Answer, key: str) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self._answer("post", endpoint, data=body, headers=headers)
        if "errcode" not in answer:  # the platform says 0; silence is no proof that anything was sent
            raise WeChatUnavailable(operation=endpoint, reason="incomplete", unknown=True)
        return answer

    async def _with_token(self, method: str, endpoint: str, token: str, options: Mapping[str, Any]) -> Answer:
        query = urlencode({**options.get("params", {}), "access_token": token})
        base = str(options.get("api_base_url") or PLATFORM + "cgi-bin/")
        path = "/" + (base + endpoint).removeprefix(PLATFORM) + "?" + query
        data, headers = options.get("data", b""), dict(options.get("headers", {}))
        if not isinstance(data, bytes):
            data = msgspec.json.encode(data)
            headers.setdefault("Content-Type", "application/json")
        return await self._once(method, path, data, headers, effect=method.lower() == "post")

    async def _once(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str], *, effect: bool
    ) -> Answer:
        operation = path.partition("?")[0].removeprefix("/")
        request = self._connection.request(method.upper(), path, content, headers)
        reply = await self._connection.send(operation, request, effect=effect)
        return self._connection.decode(operation, reply.body, Answer, effect=effect)

    def _refresh(self, stale: str) -> Refresh:
        async def refresh() -> tuple[str, int]:
            token, seconds = await self._fetch_token(force=False)
            # Another replica may have renewed it already; only if not is it forced.
            return await self._fetch_token(force=True) if token == stale else (token, seconds)

        return refresh

    async def _fetch_token(self, *, force: bool) -> tuple[str, int]:
        body = {
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self.secret,
            "force_refresh": force,
        }
        headers = {"Content-Type": "application/json"}
        answer = await self._once(
            "post", "/cgi-bin/stable_token", msgspec.json.encode(body), headers, effect=False
        )
        _raise_for(answer, "stable_token")
        return _told(answer, "access_token", str, "stable_token"), _told(
            answer, "expires_in", int, "stable_token"
        )

    async def _fetch_ticket(self) -> tuple[str, int]:
        answer = await self._answer("get", "ticket/getticket", params={"type": "jsapi"})
        return _told(answer, "ticket", str, "ticket/getticket"), _told(
            answer, "expires_in", int, "ticket/getticket"
        )


def _values(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"value": value} for name, value in fields.items()}


def _told(answer: Answer, name: str, kind: type[T], operation: str) -> T:
    """A field that the platform always sends. Something else at its address that answers 200, a gateway or a
    captive page, is a platform that cannot be reached, and no mistake of ours."""
    value = answer.get(name)
    if type(value) is not kind or not value:
        raise WeChatUnavailable(operation=operation, reason="incomplete")
    return value


def _raise_for(answer: Answer, operation: str) -> None:
    """The error-code policy of wechat.md."""
    errcode = int(answer.get("errcode", 0))
    if errcode == 0:
        return
    if errcode == ADDRESS_NOT_LISTED:
        raise WeChatUnavailable(operation=operation, reason="address_not_listed")
    if errcode == -1 or errcode in BAD_TOKEN:
        raise WeChatUnavailable(operation=operation, reason=f"errcode {errcode}")
    refusal = REFUSALS.get(errcode, WeChatRefused)
    raise refusal(
        system="wechat",
        operation=operation,
        status=200,
        remote_code=str(errcode),
        remote_message=str(answer.get("errmsg", "")),
    )
