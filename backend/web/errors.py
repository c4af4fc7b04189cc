"""The one table that turns the six kinds of error into a page, a part, JSON or plain text (house rule 9)."""

from typing import Any
from urllib.parse import quote

import litestar
import structlog
from litestar.exceptions import HTTPException

from backend.core import ids
from backend.core.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    Problem,
    TooMany,
    Unavailable,
)
from backend.web import cookies, templates
from backend.web.customer import IN_ADDRESSES, UNION_PAGE, stands_at
from backend.web.http import Request, Response

log = structlog.get_logger("web")

STATUS: dict[type[Problem], int] = {
    NotFound: 404,
    NotPermitted: 403,
    Invalid: 422,
    Conflict: 409,
    TooMany: 429,
    Unavailable: 503,
}
TITLES = {
    400: "这个链接不完整",
    403: "现在不能办这一步",
    404: "没有找到这一页",
    405: "这一步不能这样办",
    408: "网络太慢，没有传完",
    409: "刚才已经有了新进展",
    413: "照片太大了",
    422: "有内容需要改一下",
    429: "请稍等一下",
    500: "这一步没有办成",
    503: "暂时连不上",
}
SENTENCES = {
    400: "链接或填写的内容不完整，请退回上一页再试",
    404: "链接可能不完整，或者已经过期。请重新扫码，或回到公众号说“帮助”",
    405: "请从页面上的按钮进来",
    408: "这次没有传完，什么都没有改动。请到信号好一点的地方，退回上一页再按一次",
    413: "照片超过 8 MB 了，请用手机重新拍一张",
    503: "现在传资料的人太多了，请过一分钟再试",
    500: "我们已经记下这个问题。您填的内容都保存着，请过几分钟再试",
}

SAID_BEFORE = {"still_running": "刚才那一次还在办", "key_reused": "这份内容刚才交过了"}
"""The title where the request had been sent before, by code."""
COMES_BACK = "不用再点，不会重复办理。过几秒会自己打开最新的情况"
"""Where the browser is told to go on by itself."""
TOO_LONG = "内容太长了", "提交的内容太长了，请删短一些再试"
"""Title and sentence of 413 where no photograph is taken."""
MACHINES = {
    400: "请求的格式不对",
    404: "没有这个接口",
    405: "这个接口不收这种请求",
    408: "请求没有在时限内传完，请原样再发一次",
    413: "请求内容太大，这个接口不收",
    503: "没有传完的请求太多，请稍后原样再发一次",
    500: "我们这边出错了，已经记下，请稍后原样再发一次",
}
"""The same for who reads no pages: the systems of the bank (`/api/…`) and WeChat (`/wechat`)."""


def status_of(problem: Problem) -> int:
    return next(status for kind, status in STATUS.items() if isinstance(problem, kind))


def answer_problem(request: Request, problem: Problem) -> Response:
    status = status_of(problem)
    if status == 503:
        log.warning("unavailable", code=problem.code, unknown=getattr(problem, "unknown", False))
    headers = come_back(problem, "" if by_machine(request) else stands_at(request))
    fields = problem.fields if isinstance(problem, Invalid) else {}
    return _answer(
        request, status, problem.code, problem.text, headers, fields, SAID_BEFORE.get(problem.code, "")
    )


def come_back(problem: Problem, page: str) -> dict[str, str]:
    """When to come back: of `TooMany`, and of who is told that another one is at work. The latter's browser goes to
    `page` (a machine has none) by itself, with or without a script; a quota is used up for longer than anybody watches
    a page."""
    wait = getattr(problem, "retry_after", 0)
    headers = {"Retry-After": str(wait)} if wait else {}
    if wait and page and isinstance(problem, Conflict):
        headers["Refresh"] = f"{wait};url={quote(page, safe=IN_ADDRESSES)}"
    return headers


def answer_http(request: Request, error: HTTPException) -> Response:
    """Litestar's own refusals: unknown route, wrong method, body too large, unknown field."""
    status, title, sentence = http_words(request, error)
    return _answer(request, status, f"http_{error.status_code}", sentence, title=title)


def http_words(request: Request, error: HTTPException) -> tuple[int, str, str]:
    """(status, title, sentence) of one of Litestar's own refusals."""
    status = error.status_code if error.status_code in TITLES else (500 if error.status_code >= 500 else 400)
    title, sentence = TITLES[status], SENTENCES.get(status, TITLES[status])
    if said := getattr(error, "sentence", ""):
        sentence = said
    elif by_machine(request):
        sentence = MACHINES.get(status, title)
    elif status == 413 and not _takes_photograph(request):
        title, sentence = TOO_LONG
    return status, title, sentence


def answer_unexpected(request: Request, error: Exception) -> Response:
    """A mistake of ours: logged with its place, never with its content (16.2.5, 16.5)."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    log.error("unexpected", error=type(error).__name__, at=frames[-6:])
    return _answer(request, 500, "unexpected", (MACHINES if by_machine(request) else SENTENCES)[500])


def _answer(
    request: Request,
    status: int,
    code: str,
    sentence: str,
    headers: dict[str, str] | None = None,
    fields: dict[str, str] | None = None,
    title: str = "",
) -> Response:
    request_id = str(request.scope.get("request_id", ""))
    if by_machine(request):
        return _to_machine(request, status, code, sentence, headers)
    if "application/json" in request.headers.get("accept", ""):
        body = {"error": code, "message": sentence, "fields": fields or {}, "request_id": request_id}
        return litestar.Response(body, status_code=status, headers=headers, media_type="application/json")
    if "Refresh" in (headers or {}) and not request.headers.get("hx-request"):
        sentence = COMES_BACK
    view = templates.ErrorView(
        status,
        title or TITLES.get(status, TITLES[500]),
        sentence,
        *_way_on(request, status, code),
        request_id=request_id if status >= 500 else "",
    )
    name = "shared/_error.html" if request.headers.get("hx-request") else "shared/error.html"
    return litestar.Response(
        templates.render(name, page=_page(request), view=view),
        status_code=status,
        headers=headers,
        media_type="text/html",
    )


def by_machine(request: Request) -> bool:
    path = request.scope["path"]
    return path.startswith("/api/") or path == "/wechat"


def _to_machine(
    request: Request, status: int, code: str, sentence: str, headers: dict[str, str] | None
) -> Response:
    """In the shape the door has for its own refusals: `{"code", "message", "request_id"}`, or text for WeChat."""
    if request.scope["path"] == "/wechat":
        return litestar.Response(sentence, status_code=status, headers=headers, media_type="text/plain")
    request_id = str(request.scope.get("request_id", ""))
    body = {"code": code, "message": sentence, "request_id": request_id}
    return litestar.Response(body, status_code=status, headers=headers, media_type="application/json")


def _takes_photograph(request: Request) -> bool:
    handler: Any = request.scope.get("route_handler")
    return bool(getattr(handler, "opt", {}).get("files"))


_CUSTOMERS = ("/apply", "/my/", "/resume", "/consents/", "/report", "/q/", "/p/")


def _way_on(request: Request, status: int, code: str) -> tuple[str, str]:
    """(label, address) of the one button: a customer's page never ends without a way on."""
    if code in SAID_BEFORE:
        return "看最新的情况", stands_at(request)
    path = request.scope["path"]
    if not path.startswith(_CUSTOMERS) or status == 429:
        return "", ""
    if status >= 500 and request.method == "GET":
        return "再试一次", path
    return "找回我的申请", "/resume"


def _page(request: Request) -> templates.Page:
    """The frame of an error, which may come before anybody knows whose customer this is."""
    path = request.scope["path"]  # never with an id that was sent
    answers_form = request.method == "POST"
    own_form = answers_form and path.startswith(("/apply/", "/resume", "/report"))
    return templates.Page(
        csrf_token=cookies.csrf_token(request, request.app.state.settings),
        form_key=ids.new(),
        institution_name="小贷云工作室",
        service_phone=UNION_PAGE.service_phone,
        path=stands_at(request) if own_form else "/",
        display="care" if request.cookies.get("display") == "care" else "normal",
        answers_form=answers_form,
    )


HANDLERS: dict[type[Exception], Any] = {
    Problem: answer_problem,
    HTTPException: answer_http,
    Exception: answer_unexpected,
}
