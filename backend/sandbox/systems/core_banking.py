"""核心系统: the books. Amounts are integer fen; interest is by the day on 365 days."""

import hashlib
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery

from backend.core import clock, money
from backend.sandbox import people, world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.systems import data_platform
from backend.sandbox.world import AnyRequest, World

SYSTEM = "core_banking"


class FactQuery(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str
    names: list[str]
    case_id: str


class Find(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str


class NewCustomer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    id_number: str
    phone: str
    institution_id: str
    case_id: str


class NewLine(msgspec.Struct, forbid_unknown_fields=True):
    customer_no: str
    contract_no: str
    institution_id: str
    limit_fen: int
    annual_rate: Decimal
    starts_on: date
    ends_on: date
    case_id: str


class NewLoan(msgspec.Struct, forbid_unknown_fields=True):
    line_no: str
    account_no: str
    amount_fen: int
    term_months: int
    repayment_method: str
    case_id: str


class NewRepayment(msgspec.Struct, forbid_unknown_fields=True):
    loan_no: str
    amount_fen: int
    case_id: str


@post("/facts", status_code=200)
async def facts(request: AnyRequest) -> dict[str, object]:
    query, here = await world.body_of(request, FactQuery), world.of(request)
    told = data_platform.answer(here, query.id_number, query.names, people.CORE_NAMES)
    if granted := told["values"].get("core_internet_credit_granted"):
        granted["value"] += _lines_of(here, query.id_number)
    return told


def _lines_of(here: World, id_number: str) -> int:
    """Fen of the lines opened here for a person, on top of what the person was invented with."""
    customer = here.store.get("core_customer", id_number.upper())
    if customer is None:
        return 0
    lines = [one for one in here.store.all("core_line") if one["customer_no"] == customer["customer_no"]]
    return sum(int(one["limit_fen"]) for one in lines if one["status"] == "active")


@post("/customers/find", status_code=200)
async def find(request: AnyRequest) -> dict[str, Any]:
    wanted = await world.body_of(request, Find)
    customer = customer_of(world.of(request), wanted.id_number)
    if customer is None:
        raise Refusal(404, "customer_not_found", "核心系统里没有这位客户")
    return customer


@post("/customers")
async def customers(request: AnyRequest) -> Response[bytes]:
    asked = await world.body_of(request, NewCustomer)
    here = world.of(request)
    return await world.effect(
        request,
        system=SYSTEM,
        effect="customer_opened",
        case=asked.case_id,
        work=lambda: open_customer(here, asked.name, asked.id_number, asked.institution_id),
    )


@get("/customers/{customer_no:str}/flows")
async def flows(
    request: AnyRequest, customer_no: FromPath[str], months: FromQuery[int] = 12
) -> list[dict[str, Any]]:
    here = world.of(request)
    owner = here.store.get("core_customer_no", customer_no)
    if owner is None:
        raise Refusal(404, "customer_not_found", "核心系统里没有这位客户")
    known = here.people.facts(owner["id_number"])
    return _flows(known, max(1, min(months, 24)))


@post("/lines")
async def lines(request: AnyRequest) -> Response[bytes]:
    asked = await world.body_of(request, NewLine)
    here = world.of(request)
    return await world.effect(
        request, system=SYSTEM, effect="line_opened", case=asked.case_id, work=lambda: open_line(here, asked)
    )


@get("/lines/{line_no:str}")
async def line(request: AnyRequest, line_no: FromPath[str]) -> dict[str, Any]:
    return _line(world.of(request), line_no)


@post("/drawdowns")
async def drawdowns(request: AnyRequest) -> Response[bytes]:
    asked = await world.body_of(request, NewLoan)
    here = world.of(request)
    return await world.effect(
        request, system=SYSTEM, effect="loan_posted", case=asked.case_id, work=lambda: post_loan(here, asked)
    )


@get("/loans/{loan_no:str}")
async def loan(request: AnyRequest, loan_no: FromPath[str]) -> dict[str, Any]:
    return _loan(world.of(request), loan_no)


@post("/repayments")
async def repayments(request: AnyRequest) -> Response[bytes]:
    asked = await world.body_of(request, NewRepayment)
    here = world.of(request)
    return await world.effect(
        request,
        system=SYSTEM,
        effect="repayment_posted",
        case=asked.case_id,
        work=lambda: post_repayment(here, asked.loan_no, asked.amount_fen),
    )


@get("/day-end/{institution_id:str}/{on:date}")
async def day_end(request: AnyRequest, institution_id: FromPath[str], on: FromPath[date]) -> dict[str, Any]:
    store = world.of(request).store
    postings = store.all("core_posting", ref=institution_id)
    return {
        "institution_id": institution_id,
        "on": on,
        "lines": store.all("core_line", ref=institution_id),
        "loans": [one for one in store.all("core_loan", ref=institution_id) if one["opened_on"] <= str(on)],
        "postings": [one for one in postings if one["posted_on"] == str(on)],
    }


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


def customer_of(here: World, id_number: str) -> dict[str, Any] | None:
    """A customer exists once opened, or when the invented person's facts say the bank knows them."""
    found = here.store.get("core_customer", id_number.upper())
    if found:
        return found
    known = here.people.facts(id_number)
    if not known.get("core_known"):
        return None
    neighbour = here.people.neighbour(id_number)
    name = here.people.script(id_number).name or (neighbour.name if neighbour else "")
    return _new_customer(here, name, id_number, known)


def open_customer(here: World, name: str, id_number: str, institution_id: str) -> dict[str, Any]:
    found = customer_of(here, id_number)
    if found and found["name"]:
        return found
    if found:
        named = {**found, "name": name}
        here.store.put("core_customer", id_number.upper(), named, ref=institution_id)
        return named
    return _new_customer(here, name, id_number, {})


def open_line(here: World, asked: NewLine) -> dict[str, Any]:
    if asked.limit_fen <= 0 or asked.ends_on <= asked.starts_on:
        raise Refusal(400, "line_invalid", "额度或期限不对")
    if here.store.get("core_customer_no", asked.customer_no) is None:
        raise Refusal(404, "customer_not_found", "核心系统里没有这位客户")
    if here.store.get("core_line_by_contract", asked.contract_no):
        raise Refusal(409, "line_exists", "这份合同已经建过额度")
    line_no = f"ED{here.store.next('core_line'):010d}"
    body = {
        **msgspec.to_builtins(asked),
        "line_no": line_no,
        "used_fen": 0,
        "available_fen": asked.limit_fen,
        "status": "active",
    }
    here.store.put("core_line", line_no, body, ref=asked.institution_id)
    here.store.put("core_line_by_contract", asked.contract_no, {"line_no": line_no})
    return body


def post_loan(here: World, asked: NewLoan) -> dict[str, Any]:
    line = _line(here, asked.line_no)
    if line["status"] != "active" or str(clock.today()) > line["ends_on"]:
        raise Refusal(409, "line_not_active", "额度现在不能用")
    if not 0 < asked.amount_fen <= line["available_fen"]:
        raise Refusal(409, "line_exceeded", "超过了可用额度")
    loan_no = f"JJ{here.store.next('core_loan'):010d}"
    body = {
        **msgspec.to_builtins(asked),
        "loan_no": loan_no,
        "institution_id": line["institution_id"],
        "annual_rate": line["annual_rate"],
        "outstanding_fen": asked.amount_fen,
        "interest_from_on": str(clock.today()),
        "opened_on": str(clock.today()),
        "status": "active",
    }
    here.store.put("core_loan", loan_no, body, ref=line["institution_id"])
    _use(here, line, asked.amount_fen)
    return body


def owed(here: World, loan_no: str) -> tuple[int, int]:
    """(principal, interest up to today) in fen."""
    loan = _loan(here, loan_no)
    days = (clock.today() - date.fromisoformat(loan["interest_from_on"])).days
    exact = Decimal(loan["outstanding_fen"]) * Decimal(loan["annual_rate"]) * days / 365
    return int(loan["outstanding_fen"]), int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def next_due(here: World, loan_no: str) -> dict[str, Any] | None:
    """The next instalment of the loan's plan, less what was repaid ahead of it; None when nothing is owed."""
    loan = _loan(here, loan_no)
    if loan["status"] == "paid_off":
        return None
    plan = money.schedule(
        loan["amount_fen"],
        Decimal(loan["annual_rate"]),
        loan["term_months"],
        money.RepaymentMethod(loan["repayment_method"]),
        date.fromisoformat(loan["opened_on"]),
        day_count=money.DayCount.ACTUAL_365,
    )
    for line in plan.instalments:
        principal = loan["outstanding_fen"] - line.balance
        if line.due_on >= clock.today() and principal > 0:
            interest = line.interest * loan["outstanding_fen"] // (line.balance + line.principal)
            return {"due_on": line.due_on, "amount_fen": principal + interest}
    return {"due_on": plan.instalments[-1].due_on, "amount_fen": sum(owed(here, loan_no))}


def post_repayment(here: World, loan_no: str, amount_fen: int) -> dict[str, Any]:
    """Interest first, then principal. More than is owed is refused, never kept."""
    loan = _loan(here, loan_no)
    principal, interest = owed(here, loan_no)
    if loan["status"] == "paid_off":
        raise Refusal(409, "loan_paid_off", "这笔借据已经结清")
    if not 0 < amount_fen <= principal + interest:
        raise Refusal(409, "repayment_invalid", "还款金额不对")
    to_interest = min(interest, amount_fen)
    to_principal = amount_fen - to_interest
    outstanding = principal - to_principal
    status = "active" if outstanding else "paid_off"
    changed = {**loan, "outstanding_fen": outstanding, "status": status}
    if to_interest == interest:
        changed["interest_from_on"] = str(clock.today())
    here.store.put("core_loan", loan_no, changed, ref=loan["institution_id"])
    _use(here, _line(here, loan["line_no"]), -to_principal)
    return _posted(here, changed, to_principal, to_interest)


def _posted(here: World, loan: dict[str, Any], principal: int, interest: int) -> dict[str, Any]:
    posting_no = f"LS{here.store.next('core_posting'):010d}"
    body = {
        "posting_no": posting_no,
        "loan_no": loan["loan_no"],
        "principal_fen": principal,
        "interest_fen": interest,
        "outstanding_fen": loan["outstanding_fen"],
        "posted_at": stamp(),
        "posted_on": str(clock.today()),
    }
    here.store.put("core_posting", posting_no, body, ref=loan["institution_id"])
    return body


def _use(here: World, line: dict[str, Any], amount_fen: int) -> None:
    used = line["used_fen"] + amount_fen
    changed = {**line, "used_fen": used, "available_fen": line["limit_fen"] - used}
    here.store.put("core_line", line["line_no"], changed, ref=line["institution_id"])


def _line(here: World, line_no: str) -> dict[str, Any]:
    found = here.store.get("core_line", line_no)
    if not found:
        raise Refusal(404, "line_not_found", "没有这个额度")
    return found


def _loan(here: World, loan_no: str) -> dict[str, Any]:
    found = here.store.get("core_loan", loan_no)
    if not found:
        raise Refusal(404, "loan_not_found", "没有这笔借据")
    return found


def _new_customer(
    here: World, name: str, id_number: str, known: dict[str, int | bool | str]
) -> dict[str, Any]:
    digest = hashlib.sha256(f"core {id_number.upper()}".encode()).digest()
    customer_no = f"KH{int.from_bytes(digest[:5]) % 10**10:010d}"
    months = int(known.get("core_relationship_months", 0))
    frozen = bool(known.get("core_account_frozen"))
    body = {
        "customer_no": customer_no,
        "name": name,
        "opened_on": str(clock.today() - timedelta(days=30 * months)),
        "accounts": [
            {
                "account_no": f"621234{int.from_bytes(digest[5:11]) % 10**13:013d}",
                "kind": "debit_card",
                "status": "frozen" if frozen else "normal",
                "balance_fen": int(known.get("core_deposit_average_6m", 0)),
            }
        ],
    }
    here.store.put("core_customer", id_number.upper(), body)
    here.store.put("core_customer_no", customer_no, {"id_number": id_number.upper()})
    return body


def _flows(known: dict[str, int | bool | str], months: int) -> list[dict[str, Any]]:
    """The yearly inflow laid on as many months as the facts say, the newest first."""
    total, active = int(known.get("core_inflow_12m", 0)), int(known.get("core_inflow_months_12m", 0))
    month = clock.today().replace(day=1)
    listed = []
    for number in range(months):
        inflow = total // active if number % 12 < active else 0
        listed.append(
            {
                "month": f"{month:%Y-%m}",
                "in_fen": inflow,
                "out_fen": inflow * 9 // 10,
                "count": 6 if inflow else 0,
            }
        )
        month = (month - timedelta(days=1)).replace(day=1)
    return listed


router = Router(
    "/core-banking",
    route_handlers=[
        *(facts, find, customers, flows, lines, line),
        *(drawdowns, loan, repayments, day_end, effects),
    ],
)
