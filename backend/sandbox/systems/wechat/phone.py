"""The phone by program: what a person can do with WeChat, as JSON calls. The page uses the same acts."""

from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from backend.core import clock
from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems.wechat import followers, oauth, push
from backend.sandbox.systems.wechat.push import Pushed
from backend.sandbox.systems.wechat.tools import CODE_URL
from backend.sandbox.world import AnyRequest, World


class Act(msgspec.Struct, forbid_unknown_fields=True):
    """One thing done in the chat. `msg_id` and `create_time` repeat an earlier message; `copies` overlap."""

    kind: Literal[
        "text",
        "image",
        "voice",
        "video",
        "shortvideo",
        "location",
        "link",
        "click",
        "view",
        "subscribe",
        "unsubscribe",
        "scan",
        "event",
    ]
    content: str = ""
    key: str = ""
    url: str = ""
    scene: str = ""
    fields: dict[str, Any] = {}
    msg_id: str = ""
    create_time: str = ""
    copies: int = 1


class Scan(msgspec.Struct, forbid_unknown_fields=True):
    content: str


class Grant(msgspec.Struct, forbid_unknown_fields=True):
    template_id: str
    scene: str = ""
    accept: bool = True


class Popup(msgspec.Struct, forbid_unknown_fields=True):
    """What came of the sheet of <wx-open-subscribe>."""

    template_ids: list[str]
    outcome: Literal["accept", "reject", "cancel"]
    scene: str = "2"


@post("/{openid:str}/send", status_code=200)
async def send(request: AnyRequest, openid: FromPath[str]) -> dict[str, Any]:
    act = await world.body_of(request, Act)
    return await perform(world.of(request), openid, act)


@post("/{openid:str}/scan", status_code=200)
async def scan(request: AnyRequest, openid: FromPath[str]) -> dict[str, Any]:
    content = (await world.body_of(request, Scan)).content
    return await scanned(world.of(request), openid, content)


@get("/{openid:str}/inbox")
async def inbox(
    request: AnyRequest, openid: FromPath[str], after: FromQuery[int] = 0
) -> list[dict[str, Any]]:
    return followers.inbox(world.of(request), openid, after)


@post("/{openid:str}/subscribe-grants", status_code=204)
async def subscribe_grants(request: AnyRequest, openid: FromPath[str]) -> None:
    granted(world.of(request), openid, await world.body_of(request, Grant))


@get("/{openid:str}/open")
async def open_page(request: AnyRequest, openid: FromPath[str], url: FromQuery[str]) -> Response[Any]:
    """Open one of our pages as this phone's browser: the identity rides in a cookie of the sandbox."""
    here = world.of(request)
    followers.get(here, openid)
    if not _ours(here, url):
        raise Refusal(400, "url_not_ours", "手机里的浏览器只打开小贷云工作室和手机银行的页面")
    cookie = Cookie(key=oauth.COOKIE, value=openid, httponly=True, samesite="lax")
    return Redirect(url, status_code=302, cookies=[cookie])


async def perform(here: World, openid: str, act: Act) -> dict[str, Any]:
    """Send it to the account and answer with what the phone shows."""
    message = compose(here, openid, act)
    followers.receive(here, openid, "sent", _spoken(act), out=True)
    if act.copies > 1:
        pushed = await push.send_copies(here, message, min(act.copies, 10))
        shown: list[Pushed] = [one for one in pushed if one.reply] or pushed
        return {**msgspec.to_builtins(shown[0]), "copies": [msgspec.to_builtins(one) for one in pushed]}
    return msgspec.to_builtins(await push.send(here, message))  # type: ignore[no-any-return]


def compose(here: World, openid: str, act: Act) -> push.Fields:
    """The message as the platform words it, after what the act does on the phone itself."""
    user = followers.get(here, openid)
    if act.kind in {"subscribe", "unsubscribe", "scan"}:
        fields = _follow(here, user, act)
    elif act.kind == "click":
        followers.open_window(here, openid, "event")
        fields = {"Event": "CLICK", "EventKey": act.key}
    elif act.kind == "view":
        fields = {"Event": "VIEW", "EventKey": act.url}
    elif act.kind == "event":
        fields = dict(act.fields)
    else:
        followers.open_window(here, openid, "message")
        fields = {**_content(act), "MsgId": act.msg_id or str(push.message_number(here))}
    kind = act.kind if "MsgId" in fields and "Event" not in fields else "event"
    message = {**push.header(openid, kind), **fields}
    return {**message, "CreateTime": act.create_time} if act.create_time else message


def _follow(here: World, user: dict[str, Any], act: Act) -> push.Fields:
    if act.kind == "unsubscribe":
        followers.save(here, {**user, "subscribed": False, "windows": {}})
        return {"Event": "unsubscribe", "EventKey": ""}
    joining = act.kind == "subscribe" or not user["subscribed"]
    if joining:
        moment = int(clock.now().timestamp())
        followers.save(here, {**user, "subscribed": True, "subscribed_at": moment, "scene": act.scene})
    followers.open_window(here, user["openid"], "event")
    if joining:
        return {"Event": "subscribe", "EventKey": f"qrscene_{act.scene}" if act.scene else ""}
    return {"Event": "SCAN", "EventKey": act.scene}


def _content(act: Act) -> push.Fields:
    if act.kind == "text":
        return {"Content": act.content}
    if act.kind == "location":
        place = {"Location_X": "33.1", "Location_Y": "114.1", "Scale": "20"}
        return {**place, "Label": act.content or "甲县柳林镇"}
    if act.kind == "link":
        return {"Title": act.content, "Description": "", "Url": act.url or "http://127.0.0.1/"}
    media = {"MediaId": "media_of_the_phone_0001"}
    if act.kind == "image":
        return {"PicUrl": "http://127.0.0.1/picture.jpg", **media}
    if act.kind == "voice":
        return {**media, "Format": "amr", "Recognition": act.content}
    return {**media, "ThumbMediaId": "media_of_the_phone_0002"}


def _spoken(act: Act) -> dict[str, str]:
    words = {
        "click": f"点了菜单：{act.key}",
        "view": f"打开网页：{act.url}",
        "subscribe": "关注了公众号",
        "unsubscribe": "取消了关注",
        "scan": f"扫了码：{act.scene}",
        "event": f"事件：{act.fields.get('Event', '')}",
        "image": "[图片]",
        "voice": f"[语音] {act.content}",
        "video": "[视频]",
        "shortvideo": "[小视频]",
        "location": "[位置]",
        "link": f"[链接] {act.content}",
    }
    return {"type": act.kind, "content": act.content if act.kind == "text" else words[act.kind]}


async def scanned(here: World, openid: str, content: str) -> dict[str, Any]:
    """What WeChat does with the text of a code: an event to the account, a page, or just the text."""
    if content.startswith(CODE_URL):
        code = here.store.get("wechat_code_url", content)
        if not code or (code["until"] and code["until"] < clock.now().isoformat()):
            return {"action": "text", "text": "二维码已过期"}
        result = await perform(here, openid, Act(kind="scan", scene=code["scene"]))
        return {"action": "event", **result}
    if _ours(here, content):
        followers.receive(here, openid, "sent", {"type": "open", "content": content}, out=True)
        return {"action": "open", "url": content}
    return {"action": "text", "text": content}


def posters(here: World) -> list[dict[str, str]]:
    """(label, kind, content) of every code that hangs somewhere."""
    hung = here.store.get("wechat_posters", "all") or {"posters": []}
    return list(hung["posters"])


def granted(here: World, openid: str, grant: Grant) -> None:
    """The person tapped 允许 (or 拒绝) when asked for one subscription notice."""
    answered(
        here, openid, Popup([grant.template_id], "accept" if grant.accept else "reject", grant.scene or "2")
    )


def answered(here: World, openid: str, popup: Popup) -> None:
    """The sheet was answered: all its templates in one event. A sheet that was closed tells nobody."""
    if popup.outcome == "cancel":
        return
    if popup.outcome == "accept":
        for template_id in popup.template_ids:
            followers.grant(here, openid, template_id)
    listed = [
        {"TemplateId": one, "SubscribeStatusString": popup.outcome, "PopupScene": popup.scene}
        for one in popup.template_ids
    ]
    event = {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": listed}}
    push.soon(here, openid, event)


def _ours(here: World, url: str) -> bool:
    parts, settings = urlsplit(url), here.settings
    allowed = {urlsplit(settings.public_base).netloc, urlsplit(settings.sandbox_base).netloc}
    return parts.scheme in {"http", "https"} and parts.netloc in allowed


router = Router("/phone", route_handlers=[send, scan, inbox, subscribe_grants, open_page])
