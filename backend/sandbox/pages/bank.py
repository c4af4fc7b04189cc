"""The mobile bank for people: log in, open what waits, read, sign, draw, repay."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from backend.core import ids
from backend.sandbox import world
from backend.sandbox.pages import holders
from backend.sandbox.pages.common import yuan
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems import core_banking
from backend.sandbox.systems.mobile_bank import customer, offers
from backend.sandbox.world import AnyRequest, World

COOKIE = "bank_session"
STATES = {
    "waiting": "待签约",
    "opened": "待签约",
    "signed": "已签约，可用款",
    "drawn": "用款中",
    "repaid": "已还清，可再用",
    "cancelled": "已取消",
    "expired": "已过期",
}
METHODS = {
    "equal_instalments": "等额本息",
    "equal_principal": "等额本金",
    "interest_first": "先息后本",
    "on_demand": "随借随还",
    "revolving": "随借随还",
}


@get("/bank")
async def home(request: AnyRequest, said: FromQuery[str] = "") -> Template:
    here, id_number = world.of(request), _id_number(request)
    if not id_number:
        return _login("", said)
    return _mine(here, id_number, said)


@get("/bank/open")
async def deep_link(request: AnyRequest, token: FromQuery[str] = "") -> Response[Any]:
    """The link out of the studio: with a session straight to the contract, else log in first."""
    here, id_number = world.of(request), _id_number(request)
    if not id_number:
        return _login(token, "登录后自动打开您的合同")
    return await _redeemed(here, id_number, token=token)


@post("/bank/login")
async def log_in(request: AnyRequest) -> Response[Any]:
    form = await request.form()
    here = world.of(request)
    id_number = str(form.get("id_number", "")).strip().upper()
    if len(id_number) != 18:
        return _login(str(form.get("token", "")), "身份证号是 18 位")
    session = ids.token()
    here.store.put("bank_session", session, {"id_number": id_number})
    token = str(form.get("token", ""))
    answer = await _redeemed(here, id_number, token=token) if token else Redirect("/bank", status_code=303)
    answer.cookies = [Cookie(key=COOKIE, value=session, httponly=True, samesite="lax")]
    return answer


@post("/bank/logout")
async def log_out(request: AnyRequest) -> Redirect:
    world.of(request).store.delete("bank_session", request.cookies.get(COOKIE, ""))
    return Redirect("/bank", status_code=303)


@post("/bank/code")
async def use_code(request: AnyRequest) -> Response[Any]:
    code = str((await request.form()).get("short_code", "")).strip()
    return await _redeemed(world.of(request), _must(request), short_code=code)


@get("/bank/offers/{application_id:str}")
async def show(request: AnyRequest, application_id: FromPath[str], said: FromQuery[str] = "") -> Template:
    """Opening a waiting offer fetches the contract; a refusal is shown in place."""
    here, id_number = world.of(request), _must(request)
    try:
        offer = await customer.open_offer(here, id_number, application_id)
    except Refusal as refusal:
        said, offer = refusal.message, offers.mine(here, application_id, id_number)
    return _offer_page(here, id_number, offer, said)


@get("/bank/offers/{application_id:str}/documents/{document_id:str}")
async def document(
    request: AnyRequest, application_id: FromPath[str], document_id: FromPath[str]
) -> Response[bytes]:
    content = await customer.document(world.of(request), _must(request), application_id, document_id)
    return Response(content, media_type="application/pdf")


@post("/bank/offers/{application_id:str}/{what:str}")
async def act(request: AnyRequest, application_id: FromPath[str], what: FromPath[str]) -> Response[Any]:
    form = {name: str(value) for name, value in (await request.form()).items()}
    here, id_number = world.of(request), _must(request)
    offers.mine(here, application_id, id_number)
    try:
        said = await _once(here, id_number, application_id, what, form)
    except Refusal as refusal:
        return _offer_page(here, id_number, offers.mine(here, application_id, id_number), refusal.message)
    # Another page, so that opening it again repeats nothing.
    return Redirect(f"/bank/offers/{application_id}?said={quote(said)}", status_code=303)


async def _once(here: World, id_number: str, application_id: str, what: str, form: dict[str, str]) -> str:
    """The same form twice (a double tap, a page loaded again) is one act with one answer."""
    key = f"{id_number} {application_id} {what} {form.get('form_key', '')}"
    if form.get("form_key") and (before := here.store.get("bank_form", key)):
        return str(before["said"])
    said = await _act(here, id_number, application_id, what, form)
    if form.get("form_key"):
        here.store.put("bank_form", key, {"said": said})
    return said


async def _act(here: World, id_number: str, application_id: str, what: str, form: dict[str, str]) -> str:
    if what == "sign":
        if not form.get("read"):
            raise Refusal(400, "not_read", "请先看完合同并打勾")
        await customer.sign(here, id_number, application_id)
        return "签约完成，可以用款了"
    if what == "cancel":
        customer.cancel(here, id_number, application_id, form.get("reason", ""))
        return "已取消，不会产生任何费用"
    if what == "draw":
        amount, key = _fen(form.get("amount", "")), form.get("form_key", "")
        loan = await customer.draw(here, id_number, application_id, amount, request_no=key)
        return f"用款成功，借据号 {loan['loan_no']}，钱已到您的账户"
    if what == "repay":
        amount = _fen(form["amount"]) if form.get("amount") else 0
        paid = customer.repay(here, id_number, application_id, form.get("loan_no", ""), amount)
        return f"还款成功：本金 {yuan(paid['principal_fen'])} 元，利息 {yuan(paid['interest_fen'])} 元"
    raise Refusal(404, "unknown", "没有这个操作")


async def _redeemed(here: World, id_number: str, *, token: str = "", short_code: str = "") -> Response[Any]:
    try:
        offer = await customer.redeem(here, id_number, token=token, short_code=short_code)
    except Refusal as refusal:
        return _mine(here, id_number, refusal.message)
    return Redirect(f"/bank/offers/{offer['application_id']}", status_code=303)


def _login(token: str, said: str) -> Template:
    context = {"people": holders.everybody(), "token": token, "said": said}
    return Template("bank_login.html", context=context)


def _mine(here: World, id_number: str, said: str) -> Template:
    context = {
        "offers": offers.of_customer(here, id_number),
        "messages": offers.messages_of(here, id_number),
        "states": STATES,
        "said": said,
        **_person(here, id_number),
    }
    return Template("bank.html", context=context)


def _offer_page(here: World, id_number: str, offer: dict[str, Any], said: str) -> Template:
    application_id = offer["application_id"]
    loans = [
        {
            **loan,
            "owed_fen": sum(core_banking.owed(here, loan["loan_no"])),
            "next": core_banking.next_due(here, loan["loan_no"]),
        }
        for loan in customer.loans(here, application_id)
    ]
    line = here.store.get("core_line", offer["line_no"]) if offer["line_no"] else None
    context = {"offer": offer, "shown": offer["package"] or offer, "line": line, "loans": loans}
    return Template(
        "bank_offer.html",
        context={
            **context,
            **_person(here, id_number),
            "form_key": ids.new(),
            "states": STATES,
            "methods": METHODS,
            "said": said,
        },
    )


def _person(here: World, id_number: str) -> dict[str, Any]:
    known = core_banking.customer_of(here, id_number)
    name = here.people.script(id_number).name or "客户"
    return {"name": name, "id_number": id_number, "accounts": known["accounts"] if known else []}


def _id_number(request: AnyRequest) -> str:
    session = world.of(request).store.get("bank_session", request.cookies.get(COOKIE, ""))
    return str(session["id_number"]) if session else ""


def _must(request: AnyRequest) -> str:
    found = _id_number(request)
    if not found:
        raise Refusal(401, "not_logged_in", "请先登录手机银行")
    return found


def _fen(text: str) -> int:
    """Whole yuan and up to two decimals, as people type them."""
    yuan, _, rest = text.replace(",", "").strip().partition(".")
    if not yuan.isdigit() or len(rest) > 2 or not (rest == "" or rest.isdigit()):
        raise Refusal(400, "amount_invalid", "金额写数字，例如 20000")
    return int(yuan) * 100 + int((rest + "00")[:2])


HANDLERS = [home, deep_link, log_in, log_out, use_code, show, document, act]
