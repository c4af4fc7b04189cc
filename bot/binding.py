"""The page behind the one-time link of the chat: phone, SMS code, end of the ID number (A11-02)."""

import msgspec
from litestar import Response as Answer
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect

from backend.core import ids, masking
from backend.core.actor import everywhere
from backend.core.errors import Conflict, Invalid, Problem, TooMany
from backend.domains.channels.links import BindLink
from backend.domains.identity.model import CodeTooSoon
from backend.domains.institutions import service as institutions
from backend.flows import bind_by_phone, send_code
from backend.flows.context import Context
from backend.web import cookies, errors, forms, request_keys, templates, wechat_browser
from backend.web.http import Request, Response

FIELDS = ("phone", "code", "id_tail")


class Sms(msgspec.Struct, frozen=True):
    """The fields of templates/customer/phone/_code.html."""

    sent: bool = False
    sent_to: str = ""
    resend_seconds: int = 0
    error: str = ""
    too_soon: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True):
    action: str
    send_code_url: str
    phone: str = ""
    phone_error: str = ""
    sms: Sms = Sms()
    id_tail_error: str = ""
    error: str = ""


class Only(msgspec.Struct, frozen=True):
    bank: str


@get("/wechat/bind/{token:str}")
async def show(request: Request, token: FromPath[str]) -> Response:
    """Asks WeChat first who opened it: the link works in one account only."""
    context: Context = request.app.state.context
    if url := wechat_browser.ask(request, context.settings):
        return Redirect(url, status_code=302)
    link = await _link(request, context, token)
    return await _page(request, context, link, token)


@post("/wechat/bind/{token:str}/code", status_code=200, before_request=request_keys.guard, fields=FIELDS)
async def send(request: Request, token: FromPath[str]) -> Response:
    context: Context = request.app.state.context
    link = await _link(request, context, token)
    phone = (await forms.texts(request)).get("phone", "")
    try:
        plain = send_code.check_phone(phone)
        gap = await bind_by_phone.ask_code(context, link, plain)
    except Invalid as problem:
        return await _page(request, context, link, token, problem, phone=phone, phone_error=problem.text)
    except CodeTooSoon as problem:
        sms = Sms(True, masking.phone(plain), problem.retry_after, too_soon=True)
        return await _page(request, context, link, token, problem, phone=plain, sms=sms)
    except TooMany as problem:
        sms = Sms(error=problem.text, resend_seconds=problem.retry_after)
        return await _page(request, context, link, token, problem, phone=phone, sms=sms)
    sms = Sms(sent=True, sent_to=masking.phone(plain), resend_seconds=gap)
    return await _page(request, context, link, token, phone=plain, sms=sms)


@post("/wechat/bind/{token:str}", status_code=200, before_request=request_keys.guard, fields=FIELDS)
async def submit(request: Request, token: FromPath[str]) -> Response:
    context: Context = request.app.state.context
    link = await _link(request, context, token)
    form = await forms.texts(request)
    phone, code, tail = (form.get(name, "")[:20] for name in ("phone", "code", "id_tail"))
    try:
        plain = send_code.check_phone(phone)
        await bind_by_phone.bind_by_phone(context, link, plain, code.strip(), tail)
    except (Invalid, Conflict) as problem:
        fields = problem.fields if isinstance(problem, Invalid) else {}
        return await _page(
            request,
            context,
            link,
            token,
            problem,
            phone=phone,
            phone_error=fields.get("phone", ""),
            sms=Sms(sent=True, sent_to=masking.phone(phone), error=fields.get("code", "")),
            id_tail_error=fields.get("id_tail", ""),
            error="" if fields else problem.text,
        )
    page = await _frame(request, context, link)
    return _html(templates.render("bot/binding/done.html", page=page, view=Only(page.institution_name)))


async def _link(request: Request, context: Context, token: str) -> BindLink:
    openid = wechat_browser.openid(request, context.settings)
    return await bind_by_phone.find(context, token, openid or "")


async def _page(
    request: Request,
    context: Context,
    link: BindLink,
    token: str,
    problem: Problem | None = None,
    **fields: object,
) -> Response:
    action = f"/wechat/bind/{token}"
    view = msgspec.convert({"action": action, "send_code_url": f"{action}/code", **_plain(fields)}, View)
    page = await _frame(request, context, link)
    part = request.headers.get("hx-request") and request.scope["path"].endswith("/code")
    name = "customer/phone/_code.html" if part else "bot/binding/show.html"
    answer = _html(
        templates.render(name, page=page, view=view), errors.status_of(problem) if problem else 200
    )
    cookies.keep_visit(request, context.settings, answer)
    return answer


def _plain(fields: dict[str, object]) -> dict[str, object]:
    return {k: msgspec.to_builtins(v) if isinstance(v, Sms) else v for k, v in fields.items()}


async def _frame(request: Request, context: Context, link: BindLink) -> templates.Page:
    async with context.db.read(everywhere("bind")) as tx:
        institution = await institutions.get(tx, link.institution_id)
    return templates.Page(
        csrf_token=cookies.csrf_token(request, context.settings),
        form_key=ids.new(),
        institution_name=institution.short_name,
        service_phone=institution.service_phone,
        path=request.scope["path"].removesuffix("/code"),
        display="care" if request.cookies.get("display") == "care" else "normal",
    )


def _html(text: str, status: int = 200) -> Response:
    return Answer(text, status_code=status, media_type="text/html")
