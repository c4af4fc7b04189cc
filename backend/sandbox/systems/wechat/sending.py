"""What the account sends unasked: customer-service messages, template messages, subscription notices."""

import re
from typing import Any

from litestar import Response, post

from backend.core import ids
from backend.sandbox import world
from backend.sandbox.systems.wechat import accounts, followers, push
from backend.sandbox.systems.wechat.errors import WeChatError
from backend.sandbox.world import AnyRequest, World

SYSTEM = "wechat"
TYPES = {"text", "image", "voice", "video", "music", "news", "mpnewsarticle", "msgmenu", "miniprogrampage"}

# What the platform lets into a field of a notice, by the first part of its name.
FIELDS = {
    "thing": re.compile(r".{1,20}"),
    "const": re.compile(r".{1,20}"),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
    "name": re.compile(r"[\u4e00-\u9fff·]{1,10}|[A-Za-z ]{1,20}"),
    "number": re.compile(r"[\d.]{1,32}"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[\x21-\x7e]{1,32}"),
    "time": re.compile(r"[\d:年月日\-/ ~]{4,40}"),
    "date": re.compile(r"[\d:年月日\-/ ~]{4,40}"),
    "amount": re.compile(r"[¥￥$]?\d{1,10}(\.\d{1,2})?元?"),
    "phone_number": re.compile(r"[\d+\-*]{1,17}"),
    "car_number": re.compile(r".{1,8}"),
}


@post("/cgi-bin/message/custom/send", status_code=200)
async def custom(request: AnyRequest) -> Response[bytes]:
    here, message = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    kind = str(message.get("msgtype", ""))
    if kind not in TYPES or not isinstance(message.get(kind), dict):
        raise WeChatError(40008, "invalid message type")
    if kind == "text" and not 0 < len(str(message["text"].get("content", "")).encode()) <= 2048:
        raise WeChatError(45002, "message content out of limit")
    openid = str(message.get("touser", ""))

    def work() -> dict[str, Any]:
        followers.use_window(here, openid)
        followers.receive(here, openid, "custom", {"type": kind, **message[kind]})
        return {"errcode": 0, "errmsg": "ok"}

    return await _once(request, "custom_message", openid, work)


@post("/cgi-bin/message/template/send", status_code=200)
async def template(request: AnyRequest) -> Response[bytes]:
    here, message = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    _check_notice(message)
    openid = str(message.get("touser", ""))

    def work() -> dict[str, Any]:
        if not followers.known(here, openid)["subscribed"]:
            raise WeChatError(43004)
        return _notice(here, openid, "template", message, "TEMPLATESENDJOBFINISH")

    return await _once(request, "template_message", openid, work, str(message.get("client_msg_id", "")))


@post("/cgi-bin/message/subscribe/bizsend", status_code=200)
async def subscription(request: AnyRequest) -> Response[bytes]:
    here, message = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    _check_notice(message)
    openid = str(message.get("touser", ""))

    def work() -> dict[str, Any]:
        followers.use_grant(here, openid, str(message["template_id"]))
        return _notice(here, openid, "subscription", message, "subscribe_msg_sent_event")

    return await _once(request, "subscription_message", openid, work)


async def _once(request: AnyRequest, effect: str, openid: str, work: Any, key: str = "") -> Response[bytes]:
    """WeChat has no idempotency keys but `client_msg_id`; the stand-in honours the header all the same."""
    return await world.effect(
        request, system=SYSTEM, effect=effect, case=openid, work=work, key=key or ids.new()
    )


def _check_notice(message: dict[str, Any]) -> None:
    if not message.get("template_id"):
        raise WeChatError(40037)
    fields = message.get("data")
    if not isinstance(fields, dict) or not fields:
        raise WeChatError(47003, "data is empty")
    for name, field in fields.items():
        kind = re.sub(r"\d+$", "", name)
        value = str(field.get("value", "")) if isinstance(field, dict) else ""
        if kind not in FIELDS or not FIELDS[kind].fullmatch(value):
            raise WeChatError(47003, f"{name}.value invalid")


def _notice(
    here: World, openid: str, channel: followers.Channel, message: dict[str, Any], event: str
) -> dict[str, Any]:
    number = push.message_number(here)
    body = {
        "template_id": message["template_id"],
        "url": message.get("url") or message.get("page") or "",
        "fields": {name: field["value"] for name, field in message["data"].items()},
    }
    followers.receive(here, openid, channel, body)
    push.soon(here, openid, push.job_finished(here, event, number, str(message["template_id"])))
    return {"errcode": 0, "errmsg": "ok", "msgid": number}


HANDLERS = [custom, template, subscription]
