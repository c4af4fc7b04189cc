"""Menu, codes, media, users and tags."""

import hashlib
import io
from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile

from backend.core import clock, ids
from backend.sandbox import world
from backend.sandbox.systems.wechat import accounts, followers
from backend.sandbox.systems.wechat.errors import WeChatError
from backend.sandbox.world import AnyRequest, World

SYSTEM = "wechat"
OK = {"errcode": 0, "errmsg": "ok"}
LONGEST_SECONDS = 2_592_000
PERMANENT_LIMIT = 100_000
CODE_URL = "http://weixin.qq.com/q/"


@post("/cgi-bin/menu/create", status_code=200)
async def create_menu(request: AnyRequest) -> Response[bytes]:
    here, menu = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    _check_buttons(menu.get("button"), limit=3, name_bytes=16)

    def work() -> dict[str, Any]:
        here.store.put("wechat_menu", "menu", menu)
        return OK

    return await world.effect(
        request, system=SYSTEM, effect="menu_created", case="", work=work, key=ids.new()
    )


@get("/cgi-bin/menu/get")
async def get_menu(request: AnyRequest) -> dict[str, Any]:
    menu = accounts.authorised(request).store.get("wechat_menu", "menu")
    if not menu:
        raise WeChatError(46003)
    return {"menu": menu}


@get("/cgi-bin/menu/delete")
async def delete_menu(request: AnyRequest) -> dict[str, Any]:
    accounts.authorised(request).store.delete("wechat_menu", "menu")
    return OK


def _check_buttons(buttons: object, *, limit: int, name_bytes: int) -> None:
    if not isinstance(buttons, list) or not 0 < len(buttons) <= limit:
        raise WeChatError(40016)
    for button in buttons:
        if not 0 < len(str(button.get("name", "")).encode()) <= name_bytes:
            raise WeChatError(40018)
        if button.get("sub_button"):
            if limit == 5:
                raise WeChatError(40022, "invalid sub button level")
            _check_buttons(button["sub_button"], limit=5, name_bytes=60)
        elif button.get("type") == "click" and not 0 < len(str(button.get("key", "")).encode()) <= 128:
            raise WeChatError(40019, "invalid button key size")
        elif button.get("type") == "view" and not str(button.get("url", "")).startswith("http"):
            raise WeChatError(40020, "invalid button url size")
        elif button.get("type") not in {
            "click",
            "view",
            "miniprogram",
            "scancode_push",
            "pic_photo_or_album",
        }:
            raise WeChatError(40017, "invalid button type")


@post("/cgi-bin/qrcode/create", status_code=200)
async def create_code(request: AnyRequest) -> Response[bytes]:
    here, asked = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    action = str(asked.get("action_name", ""))
    scene = _scene(action, asked)
    temporary = action in {"QR_SCENE", "QR_STR_SCENE"}
    seconds = int(asked.get("expire_seconds", 60)) if temporary else 0
    if temporary and not 0 < seconds <= LONGEST_SECONDS:
        raise WeChatError(40053, "invalid expire_seconds")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="qr_created",
        case=scene,
        work=lambda: _code(here, scene, seconds),
        key=ids.new(),
    )


def _scene(action: str, asked: dict[str, Any]) -> str:
    scene = (asked.get("action_info") or {}).get("scene") or {}
    if action in {"QR_STR_SCENE", "QR_LIMIT_STR_SCENE"}:
        text = str(scene.get("scene_str", ""))
        if not 0 < len(text) <= 64:
            raise WeChatError(40054, "invalid scene_str")
        return text
    if action in {"QR_SCENE", "QR_LIMIT_SCENE"}:
        return str(int(scene.get("scene_id", 0)))
    raise WeChatError(40053, "invalid action info")


def _code(here: World, scene: str, seconds: int) -> dict[str, Any]:
    if not seconds and here.store.next("wechat_permanent_codes") > PERMANENT_LIMIT:
        raise WeChatError(45029, "qrcode count out of limit")
    ticket = ids.token(48)
    short = hashlib.sha256(ticket.encode()).hexdigest()[:20]
    until = (clock.now() + timedelta(seconds=seconds)).isoformat() if seconds else ""
    url = CODE_URL + short
    here.store.put("wechat_code", ticket, {"ticket": ticket, "url": url, "scene": scene, "until": until})
    here.store.put("wechat_code_url", url, {"scene": scene, "until": until})
    return {"ticket": ticket, "url": url} | ({"expire_seconds": seconds} if seconds else {})


@get("/cgi-bin/showqrcode", media_type="image/png")
async def show_code(request: AnyRequest) -> Response[bytes]:
    code = world.of(request).store.get("wechat_code", request.query_params.get("ticket", ""))
    if not code:
        return Response(b"", status_code=404, media_type="image/png")
    # Brings the picture library with it, which nothing else here needs.
    import qrcode

    drawn = io.BytesIO()
    qrcode.make(code["url"]).save(drawn, "PNG")
    return Response(drawn.getvalue(), media_type="image/png")


@post("/cgi-bin/media/upload", status_code=200, request_max_body_size=12 * 1024 * 1024)
async def upload(request: AnyRequest) -> dict[str, Any]:
    here, kind = accounts.authorised(request), request.query_params.get("type", "")
    if kind not in {"image", "voice", "video", "thumb"}:
        raise WeChatError(40004, "invalid media type")
    file = (await request.form()).get("media")
    if not isinstance(file, UploadFile) or not file.filename:
        raise WeChatError(41005, "media data missing")
    content = await file.read()
    if not 0 < len(content) <= 10 * 1024 * 1024:
        raise WeChatError(45001, "media size out of limit")
    media_id = ids.token(32)
    path = here.settings.data / "sandbox-images" / f"media-{media_id}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    here.store.put("wechat_media", media_id, {"media_id": media_id, "type": kind, "size": len(content)})
    return {"type": kind, "media_id": media_id, "created_at": int(clock.now().timestamp())}


@get("/cgi-bin/user/info")
async def user_info(request: AnyRequest) -> dict[str, Any]:
    here = accounts.authorised(request)
    user = followers.known(here, request.query_params.get("openid", ""))
    if not user["subscribed"]:
        return {"subscribe": 0, "openid": user["openid"]}
    return {
        "subscribe": 1,
        "openid": user["openid"],
        "language": "zh_CN",
        "subscribe_time": user["subscribed_at"],
        "remark": "",
        "groupid": 0,
        "tagid_list": user["tags"],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if user["scene"] else "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": user["scene"],
    }


@post("/cgi-bin/tags/create", status_code=200)
async def create_tag(request: AnyRequest) -> dict[str, Any]:
    here, asked = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    name = str((asked.get("tag") or {}).get("name", ""))
    if not 0 < len(name) <= 30:
        raise WeChatError(45158, "invalid tag name length")
    if any(tag["name"] == name for tag in here.store.all("wechat_tag")):
        raise WeChatError(45157, "tag name exists")
    number = 100 + here.store.next("wechat_tag")
    here.store.put("wechat_tag", str(number), {"id": number, "name": name})
    return {"tag": {"id": number, "name": name}}


@get("/cgi-bin/tags/get")
async def get_tags(request: AnyRequest) -> dict[str, Any]:
    here = accounts.authorised(request)
    count = [tag for user in followers.everybody(here) for tag in user["tags"]]
    tags = here.store.all("wechat_tag")
    return {"tags": [{"id": t["id"], "name": t["name"], "count": count.count(t["id"])} for t in tags]}


@post("/cgi-bin/tags/members/batchtagging", status_code=200)
async def add_tag(request: AnyRequest) -> dict[str, Any]:
    return await _tag(request, adding=True)


@post("/cgi-bin/tags/members/batchuntagging", status_code=200)
async def remove_tag(request: AnyRequest) -> dict[str, Any]:
    return await _tag(request, adding=False)


async def _tag(request: AnyRequest, *, adding: bool) -> dict[str, Any]:
    here, asked = accounts.authorised(request), await world.body_of(request, dict[str, Any])
    number, openids = int(asked.get("tagid", 0)), list(asked.get("openid_list", []))
    if not here.store.get("wechat_tag", str(number)):
        raise WeChatError(45159, "invalid tag")
    if not 0 < len(openids) <= 50:
        raise WeChatError(40032, "invalid openid list size")
    with here.store.transaction():
        for openid in openids:
            user = followers.known(here, openid)
            tags = [tag for tag in user["tags"] if tag != number] + ([number] if adding else [])
            followers.save(here, {**user, "tags": tags})
    return OK


HANDLERS = [
    *(create_menu, get_menu, delete_menu, create_code, show_code, upload, user_info),
    *(create_tag, get_tags, add_tag, remove_tag),
]
