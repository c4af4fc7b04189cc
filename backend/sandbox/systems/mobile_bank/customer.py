"""What the customer does in the bank's app: open, sign, draw, repay, cancel.

The bank fetches the contract from us, checks every document against its hash before it lets anybody sign,
and posts to its own core system; we only ever hear of it (A3-10).
"""

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from backend.core import clock
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems import core_banking
from backend.sandbox.systems.mobile_bank import offers
from backend.sandbox.systems.mobile_bank.offers import Offer
from backend.sandbox.world import World

UNREACHABLE = "小贷云工作室暂时连不上，请稍后再试"


async def redeem(here: World, id_number: str, *, token: str = "", short_code: str = "") -> dict[str, Any]:
    """Use a hand-off token or short code; we answer with the contract package, once."""
    means = {"token": token} if token else {"short_code": short_code}
    asked = {**means, "customer_hash": offers.customer_hash(here, id_number)}
    package = await _package(here, "/api/mobile-bank/redeem", asked)
    return _opened(here, id_number, package)


async def open_offer(here: World, id_number: str, application_id: str) -> dict[str, Any]:
    """Open a waiting offer: fetch the contract package (the main road of the hand-off)."""
    offer = offers.mine(here, application_id, id_number)
    if offer["status"] == "expired":
        raise _expired()
    if offer["status"] not in offers.OPEN_STATES:
        return offer
    asked = {"application_id": application_id, "customer_hash": offer["customer_hash"]}
    package = await _package(here, "/api/mobile-bank/package", asked)
    return _opened(here, id_number, package)


async def document(here: World, id_number: str, application_id: str, document_id: str) -> bytes:
    """A document of the package, checked against its hash."""
    offer = offers.mine(here, application_id, id_number)
    listed = (offer["package"] or {}).get("documents", [])
    wanted = next((one for one in listed if one["document_id"] == document_id), None)
    if wanted is None:
        raise Refusal(404, "document_not_found", "合同里没有这份文件")
    asked = {"application_id": application_id, "document_id": document_id}
    reply = await _call(here, "/api/mobile-bank/document", asked)
    if hashlib.sha256(reply.content).hexdigest() != wanted["sha256"]:
        raise Refusal(409, "document_altered", "合同文件与约定的不一致，不能签约")
    return reply.content


async def sign(here: World, id_number: str, application_id: str) -> dict[str, Any]:
    """Sign everything in the package; the bank opens customer and line in its core."""
    offer = offers.mine(here, application_id, id_number)
    if offer["status"] in {"signed", "drawn", "repaid"}:
        return offer
    if offer["status"] != "opened":
        raise Refusal(409, "not_open", "请先打开合同看过再签")
    for listed in offer["package"]["documents"]:
        await document(here, id_number, application_id, listed["document_id"])
    await _still_open(here, offer)
    with here.store.transaction():
        offer = offers.mine(here, application_id, id_number)
        if offer["status"] == "opened":
            _sign(here, id_number, offer)
    return offers.mine(here, application_id, id_number)


async def draw(
    here: World,
    id_number: str,
    application_id: str,
    amount_fen: int,
    term_months: int = 0,
    payee_account: str = "",
    request_no: str = "",
) -> dict[str, Any]:
    """Ask the studio, then draw on the line; the core posts the loan and the money is on the customer's account, or
    goes on from there to a trader's when one is named (受托支付). One request is one loan, however often it is sent.
    """
    offer = offers.mine(here, application_id, id_number)
    if offer["status"] not in {"signed", "drawn", "repaid"}:
        raise Refusal(409, "not_signed", "签约以后才能用款")
    months = term_months or offer["term_months"]
    customer = core_banking.customer_of(here, id_number)
    assert customer is not None
    own_account = customer["accounts"][0]["account_no"]
    request_no = request_no or f"YK{here.store.next('draw request'):010d}"
    await _may_draw(here, offer, request_no, amount_fen, own_account, payee_account)
    with here.store.transaction():
        if before := here.store.get("draw_request", request_no):
            return before
        offer = offers.find(here, application_id)
        loan = core_banking.post_loan(
            here,
            core_banking.NewLoan(
                line_no=offer["line_no"],
                account_no=own_account,
                amount_fen=amount_fen,
                term_months=months,
                repayment_method=offer["repayment_method"],
                case_id=application_id,
            ),
        )
        here.store.put("draw_request", request_no, loan)
        here.record(core_banking.SYSTEM, "loan_posted", application_id, loan, key=loan["loan_no"])
        offers.save(here, {**offer, "status": "drawn"})
        offers.tell(
            here,
            offer,
            "drawn",
            line_no=offer["line_no"],
            loan_no=loan["loan_no"],
            amount_fen=amount_fen,
            outstanding_fen=amount_fen,
            term_months=months,
            payee_account=payee_account or own_account,
            payee_own=payee_account in ("", own_account),
        )
    return loan


def repay(
    here: World, id_number: str, application_id: str, loan_no: str, amount_fen: int = 0
) -> dict[str, Any]:
    """Repay a loan; without an amount everything owed today."""
    offer = offers.mine(here, application_id, id_number)
    if loan_no not in {loan["loan_no"] for loan in loans(here, application_id)}:
        raise Refusal(404, "loan_not_found", "没有这笔借据")
    with here.store.transaction():
        posting = core_banking.post_repayment(
            here, loan_no, amount_fen or sum(core_banking.owed(here, loan_no))
        )
        here.record(
            core_banking.SYSTEM, "repayment_posted", application_id, posting, key=posting["posting_no"]
        )
        left = sum(loan["outstanding_fen"] for loan in loans(here, application_id))
        offers.save(here, {**offer, "status": "drawn" if left else "repaid"})
        offers.tell(
            here,
            offer,
            "repaid",
            line_no=offer["line_no"],
            loan_no=loan_no,
            amount_fen=posting["principal_fen"] + posting["interest_fen"],
            principal_fen=posting["principal_fen"],
            interest_fen=posting["interest_fen"],
            outstanding_fen=posting["outstanding_fen"],
            paid_off=posting["outstanding_fen"] == 0,
        )
    return posting


def cancel(here: World, id_number: str, application_id: str, reason: str) -> dict[str, Any]:
    """The customer does not want it; only before signing."""
    offer = offers.mine(here, application_id, id_number)
    if offer["status"] == "cancelled":
        return offer
    if offer["status"] not in offers.OPEN_STATES:
        raise Refusal(409, "already_signed", "已经签约，不能在这里取消")
    with here.store.transaction():
        offers.save(here, {**offer, "status": "cancelled"})
        offers.tell(here, offer, "cancelled", reason=reason or "客户不需要了")
    return offers.find(here, application_id)


def loans(here: World, application_id: str) -> list[dict[str, Any]]:
    """The loans under an offer, the oldest first."""
    numbers = [e["loan_no"] for e in offers.events(here, application_id) if e["type"] == "drawn"]
    found = [here.store.get("core_loan", number) for number in numbers]
    return [loan for loan in found if loan]


def _opened(here: World, id_number: str, package: Offer) -> dict[str, Any]:
    if package.customer_hash != offers.customer_hash(here, id_number):
        raise Refusal(409, "other_customer", "这份合同不是给您的")
    plain = msgspec.to_builtins(package)
    known = here.store.get("offer", package.application_id)
    with here.store.transaction():
        if known is None:
            offers.receive(here, package)
            here.record(offers.SYSTEM, "offer_fetched", package.application_id, {}, key=package.contract_no)
        offer = offers.find(here, package.application_id)
        if offer["status"] in offers.OPEN_STATES:
            offers.save(here, {**offer, "status": "opened", "package": plain})
    offer = offers.find(here, package.application_id)
    if offer["status"] == "expired":
        raise _expired()
    return offer


def _expired() -> Refusal:
    return Refusal(410, "offer_expired", "这笔额度的签约期已过，请回小贷云工作室重新申请")


def _sign(here: World, id_number: str, offer: dict[str, Any]) -> None:
    package = offer["package"]
    customer = core_banking.open_customer(
        here, here.people.script(id_number).name, id_number, offer["institution_id"]
    )
    today = clock.today()
    line = core_banking.open_line(
        here,
        core_banking.NewLine(
            customer_no=customer["customer_no"],
            contract_no=package["contract_no"],
            institution_id=package["institution_id"],
            limit_fen=package["limit_fen"],
            annual_rate=Decimal(package["annual_rate"]),
            starts_on=today,
            ends_on=_months_later(today, package["term_months"]),
            case_id=offer["application_id"],
        ),
    )
    here.record(core_banking.SYSTEM, "line_opened", offer["application_id"], line, key=package["contract_no"])
    signed = {**offer, **{n: package[n] for n in ("limit_fen", "annual_rate", "term_months", "contract_no")}}
    offers.save(here, {**signed, "status": "signed", "line_no": line["line_no"]})
    offers.tell(
        here,
        signed,
        "signed",
        signature_no=f"QM{here.store.next('signature'):010d}",
        document_hashes=[one["sha256"] for one in package["documents"]],
        line_no=line["line_no"],
        amount_fen=package["limit_fen"],
        term_months=package["term_months"],
    )


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


async def _still_open(here: World, offer: dict[str, Any]) -> None:
    """Between opening and signing the offer may have been cancelled or have run out on our side."""
    path = f"/api/mobile-bank/standing/{offer['institution_id']}/{offer['application_id']}"
    told = msgspec.json.decode((await _call(here, path)).content)
    if not told["open"]:
        raise Refusal(410, "offer_gone", "这笔额度已经失效，不能再签约")


async def _may_draw(
    here: World,
    offer: dict[str, Any],
    request_no: str,
    amount_fen: int,
    own_account: str,
    payee_account: str,
) -> None:
    """The studio's word before any money goes out; without it none does."""
    asked = {
        "application_id": offer["application_id"],
        "customer_hash": offer["customer_hash"],
        "request_no": request_no,
        "line_no": offer["line_no"],
        "amount_fen": amount_fen,
        "account_no": own_account,
        "payee_account": "" if payee_account == own_account else payee_account,
    }
    told = msgspec.json.decode((await _call(here, "/api/mobile-bank/drawdown", asked)).content)
    if told["answer"] != "allow":
        code = "drawdown_held" if told["answer"] == "hold" else "drawdown_refused"
        raise Refusal(409, code, told["text"] or "这一笔现在不能用款")


async def _package(here: World, path: str, asked: dict[str, str]) -> Offer:
    reply = await _call(here, path, asked)
    try:
        package = msgspec.json.decode(reply.content, type=Offer)
    except (msgspec.DecodeError, msgspec.ValidationError) as cause:
        raise Refusal(502, "package_malformed", "合同内容不完整，暂时不能签约") from cause
    if package.valid_until.tzinfo is None:
        raise Refusal(502, "package_malformed", "合同内容不完整，暂时不能签约")
    return package


async def _call(here: World, path: str, asked: dict[str, Any] | None = None) -> httpx.Response:
    try:
        reply = await (here.callbacks.get(path) if asked is None else here.callbacks.post(path, asked))
    except httpx.HTTPError as cause:
        raise Refusal(503, "studio_unreachable", UNREACHABLE) from cause
    if reply.status_code == 200:
        return reply
    if reply.status_code >= 500:
        raise Refusal(503, "studio_unreachable", UNREACHABLE)
    try:
        told = msgspec.json.decode(reply.content, type=dict[str, Any])
    except msgspec.DecodeError:
        told = {}
    raise Refusal(409, str(told.get("code", "refused")), str(told.get("message", "没有通过核对，不能继续")))
