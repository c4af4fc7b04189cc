"""The WeChat phone for people: chat with the account, scan, album, messages, and the browser inside."""

import asyncio
from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import Cookie, UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from backend.sandbox import world
from backend.sandbox.pages import browser, common, holders
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems import sms
from backend.sandbox.systems.wechat import followers, oauth, phone, scanner
from backend.sandbox.world import AnyRequest, World

DEGREES = {"clean": "平扫", "easy": "清楚", "medium": "一般", "hard": "难认"}


@get("/")
async def home() -> Template:
    return Template("home.html")


@get("/phone")
async def choose(request: AnyRequest) -> Template:
    here = world.of(request)
    others = [u for u in followers.everybody(here) if u["person"] is None][-20:][::-1]
    return Template("phones.html", context={"people": holders.everybody(), "others": others})


@post("/phone")
async def hold(request: AnyRequest) -> Redirect:
    """Take up the phone of an invented person; the register of citizens learns the name with it."""
    seed = int((await request.form()).get("seed", "1"))
    here, person = world.of(request), holders.person(seed)
    here.people.registered_name(person.id_number, person.name)
    user = followers.get(here, openid_of(seed))
    followers.save(here, {**user, "person": seed})
    return Redirect(f"/phone/{user['openid']}", status_code=303)


@get("/phone/{openid:str}")
async def chat(request: AnyRequest, openid: FromPath[str], said: FromQuery[str] = "") -> Template:
    here = world.of(request)
    return Template("phone.html", context={**_chat(here, openid), "said": said})


@get("/phone/{openid:str}/messages")
async def messages(request: AnyRequest, openid: FromPath[str]) -> Template:
    """The part of the chat that a script asks for again and again."""
    return Template("_messages.html", context=_chat(world.of(request), openid))


@post("/phone/{openid:str}/do")
async def do(request: AnyRequest, openid: FromPath[str]) -> Redirect:
    form = await request.form()
    here, kind = world.of(request), str(form.get("kind", "text"))
    if kind == "grant":
        granted = phone.Grant(template_id=str(form.get("template_id", "")))
        phone.granted(here, openid, granted)
        return _to(openid)
    if kind == "text" and not str(form.get("content", "")).strip():
        return _to(openid)
    given = {name: str(form.get(name, "")) for name in ("content", "key", "url", "scene")}
    await phone.perform(here, openid, phone.Act(kind=kind, **given))  # type: ignore[arg-type]
    return _to(openid)


@get("/phone/{openid:str}/view")
async def view(request: AnyRequest, openid: FromPath[str], url: FromQuery[str]) -> Redirect:
    """A menu button that opens a page: the account is told, and the page opens."""
    await phone.perform(world.of(request), openid, phone.Act(kind="view", url=url))
    return Redirect(common.browser(url, openid), status_code=303)


@get("/phone/{openid:str}/scanner")
async def scan_page(request: AnyRequest, openid: FromPath[str]) -> Template:
    here = world.of(request)
    hung = phone.posters(here)
    known = {poster["content"] for poster in hung}
    codes = [code for code in here.store.all("wechat_code") if code["scene"] and code["url"] not in known]
    places: dict[str, list[dict[str, str]]] = {}
    for poster in hung:
        places.setdefault(poster["label"], []).append(poster)
    context = {"user": _user(here, openid), "places": places, "codes": codes[-20:][::-1]}
    return Template("scanner.html", context=context)


@post("/phone/{openid:str}/scanner", request_max_body_size=16 * 1024 * 1024)
async def scan(request: AnyRequest, openid: FromPath[str]) -> Redirect:
    form = await request.form()
    file, content = form.get("picture"), str(form.get("content", "")).strip()
    here = world.of(request)
    if isinstance(file, UploadFile) and file.filename:
        try:
            content = await asyncio.to_thread(scanner.read, await file.read())
        except Refusal as refusal:
            return _to(openid, refusal.message)
    if not content:
        return _to(openid, "没有选图片，也没有填内容")
    result = await phone.scanned(here, openid, content)
    if result["action"] == "open":
        return Redirect(common.browser(result["url"], openid), status_code=303)
    return _to(openid, f"扫码内容：{result['text']}" if result["action"] == "text" else "")


@get("/phone/{openid:str}/album")
async def album(request: AnyRequest, openid: FromPath[str]) -> Template:
    user = _user(world.of(request), openid)
    if user["holder"] is None:
        raise Refusal(404, "no_album", "这部手机没有主人，相册是空的")
    return Template("album.html", context={"user": user, "degrees": DEGREES})


@get("/phone/{openid:str}/album/{side:str}", media_type="image/jpeg")
async def picture(
    request: AnyRequest,
    openid: FromPath[str],
    side: FromPath[holders.Side],
    degree: FromQuery[holders.Degree] = "easy",
) -> Response[bytes]:
    holder = _user(world.of(request), openid)["holder"]
    if holder is None:
        raise Refusal(404, "no_album", "这部手机没有主人，相册是空的")
    drawn = await asyncio.to_thread(holders.draw, holder, side, degree)
    name = quote(f"{holder.name}-{'正面' if side == 'front.jpg' else '背面'}-{DEGREES[degree]}.jpg")
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{name}", "Cache-Control": "max-age=3600"}
    return Response(drawn, media_type="image/jpeg", headers=headers)


@get("/phone/{openid:str}/sms")
async def text_messages(
    request: AnyRequest, openid: FromPath[str], phone_no: FromQuery[str] = ""
) -> Template:
    here = world.of(request)
    user = _user(here, openid)
    number = phone_no or (user["holder"].phone if user["holder"] else "")
    listed = sms.messages_to(here, number) if number else []
    return Template("sms.html", context={"user": user, "number": number, "messages": listed})


@get("/phone/{openid:str}/browser")
async def open_browser(request: AnyRequest, openid: FromPath[str], url: FromQuery[str]) -> Response[Any]:
    """Our page in a frame under WeChat's bar; from here on the sandbox fetches as this phone."""
    here = world.of(request)
    user, path = _user(here, openid), common.path_here(here, url)
    if path is None:
        return _to(openid, f"这个演练手机只打开本系统的网页，不打开 {url}")
    cookies = [
        Cookie(key=oauth.COOKIE, value=openid, httponly=True, samesite="lax"),
        Cookie(key=browser.OPEN_COOKIE, value="1", httponly=True, samesite="lax"),
    ]
    template = Template("browser.html", context={"user": user, "path": path})
    template.cookies = cookies
    return template


def openid_of(seed: int) -> str:
    return f"oPhone_{seed:06d}"


def _user(here: World, openid: str) -> dict[str, Any]:
    user = followers.get(here, openid)
    holder = holders.person(user["person"]) if user["person"] is not None else None
    return {**user, "holder": holder}


def _chat(here: World, openid: str) -> dict[str, Any]:
    menu = here.store.get("wechat_menu", "menu") or {"button": []}
    items = followers.inbox(here, openid)[-60:]
    template = here.settings.wechat_progress_template
    user = _user(here, openid)
    grants = user["grants"].get(template, 0)
    return {"user": user, "items": items, "menu": menu["button"], "template": template, "grants": grants}


def _to(openid: str, said: str = "") -> Redirect:
    query = f"?said={quote(said[:200])}" if said else ""
    return Redirect(f"/phone/{openid}{query}#end", status_code=303)


HANDLERS = [
    *(home, choose, hold, chat, messages, do, view, scan_page, scan, album, picture),
    *(text_messages, open_browser),
]
