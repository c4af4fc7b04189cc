"""Everybody with a WeChat phone: who follows, which sending windows are open, which notices were granted."""

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from backend.core import clock
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.systems.wechat.errors import WeChatError
from backend.sandbox.world import World

OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")

# (how long a window is open, how many messages it lets through)
WINDOWS = {"message": (timedelta(hours=48), 5), "event": (timedelta(minutes=1), 3)}

Channel = Literal["sent", "reply", "custom", "template", "subscription", "error"]


def get(here: World, openid: str) -> dict[str, Any]:
    """The phone's state; a phone comes into being when it is first used."""
    if not OPENID.fullmatch(openid):
        raise Refusal(400, "openid_invalid", "openid 只能用字母、数字、下划线和短横，6 到 64 个")
    found = here.store.get("wechat_user", openid)
    if found:
        return found
    body = {
        "openid": openid,
        "subscribed": False,
        "subscribed_at": None,
        "scene": "",
        "windows": {},
        "grants": {},
        "tags": [],
        "person": None,
        "snapshot": False,
    }
    save(here, body)
    return body


def known(here: World, openid: str) -> dict[str, Any]:
    """For calls of the account: somebody never seen is 40003."""
    found = here.store.get("wechat_user", openid)
    if not found:
        raise WeChatError(40003)
    return found


def save(here: World, user: dict[str, Any]) -> None:
    here.store.put("wechat_user", user["openid"], user)


def everybody(here: World) -> list[dict[str, Any]]:
    return here.store.all("wechat_user")


def open_window(here: World, openid: str, kind: Literal["message", "event"]) -> None:
    user = get(here, openid)
    user["windows"][kind] = {"opened_at": stamp(), "left": WINDOWS[kind][1]}
    save(here, user)


def use_window(here: World, openid: str) -> None:
    """One customer-service message goes out, or 45015 (no window) / 45047 (all used)."""
    user = known(here, openid)
    if not user["subscribed"]:
        raise WeChatError(43004)
    seen = False
    for kind in ("event", "message"):
        window = user["windows"].get(kind)
        if not window or clock.now() - datetime.fromisoformat(window["opened_at"]) > WINDOWS[kind][0]:
            continue
        seen = True
        if window["left"] > 0:
            window["left"] -= 1
            save(here, user)
            return
    raise WeChatError(45047 if seen else 45015)


def grant(here: World, openid: str, template_id: str) -> None:
    user = get(here, openid)
    user["grants"][template_id] = user["grants"].get(template_id, 0) + 1
    save(here, user)


def use_grant(here: World, openid: str, template_id: str) -> None:
    """One consent is one message; it does not need a follower."""
    user = known(here, openid)
    if user["grants"].get(template_id, 0) < 1:
        raise WeChatError(43101)
    user["grants"][template_id] -= 1
    save(here, user)


def receive(here: World, openid: str, channel: Channel, body: object, *, out: bool = False) -> None:
    """Into the chat on the phone; `out` is what the person sent."""
    number = str(here.store.next("phone_item"))
    item = {"at": stamp(), "direction": "out" if out else "in", "channel": channel, "body": body}
    here.store.put("phone_item", number, item, ref=openid)


def inbox(here: World, openid: str, after: int = 0) -> list[dict[str, Any]]:
    items = here.store.all("phone_item", ref=openid, after=after)
    return [{"id": item.pop("seq"), **item} for item in items]
