"""征信前置: a report of facts, with accounts and enquiries drawn from the same facts."""

from datetime import timedelta
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from backend.core import clock, ids
from backend.sandbox import people, world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import AnyRequest, World

SYSTEM = "credit_bureau"
PRICE_FEN = 200
PURPOSES = {"loan_application", "guarantee_review", "post_loan_review"}
LENDERS = ("丁县村镇银行", "南湖银行", "甲县农商银行", "青禾消费金融", "北岸银行")


class Query(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    id_number: str
    purpose: str
    authorisation_id: str
    consent_sha256: str
    case_id: str


@post("/reports")
async def reports(request: AnyRequest) -> Response[bytes]:
    query = await world.body_of(request, Query)
    if not query.authorisation_id or len(query.consent_sha256) != 64:
        raise Refusal(403, "authorisation_missing", "没有客户的征信授权，不能查询")
    if query.purpose not in PURPOSES:
        raise Refusal(400, "purpose_unknown", "没有这种查询原因")
    here = world.of(request)
    if here.people.script(query.id_number).bureau == "down":
        raise Refusal(503, "source_down", "征信系统没有应答")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="report_queried",
        case=query.case_id,
        work=lambda: _report(here, query),
    )


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


def _report(here: World, query: Query) -> dict[str, Any]:
    facts = people.bureau_facts(here.people.every_fact(query.id_number))
    found = bool(facts.get("bureau_found"))
    return {
        "report_id": ids.new(),
        "found": found,
        "queried_at": stamp(),
        "price_fen": PRICE_FEN,
        "facts": facts,
        "report": {"accounts": _accounts(facts), "enquiries": _enquiries(facts)} if found else {},
    }


def _number(facts: dict[str, int | bool | str], name: str) -> int:
    return int(facts.get(name, 0))


def _accounts(facts: dict[str, int | bool | str]) -> list[dict[str, Any]]:
    """As many open accounts as the facts say, their balances summing to the fact."""
    count, balance = _number(facts, "bureau_lenders_open"), _number(facts, "bureau_balance")
    monthly = _number(facts, "bureau_monthly_repayment")
    overdue = _number(facts, "bureau_overdue_amount")
    return [
        {
            "lender": LENDERS[number % len(LENDERS)],
            "balance_fen": balance // count + (balance % count if number == 0 else 0),
            "monthly_fen": monthly // count + (monthly % count if number == 0 else 0),
            "overdue_fen": overdue if number == 0 else 0,
        }
        for number in range(count)
    ]


def _enquiries(facts: dict[str, int | bool | str]) -> list[dict[str, Any]]:
    recent = _number(facts, "bureau_queries_1m")
    days = [3 + 9 * n % 27 for n in range(recent)]
    days += [35 + 17 * n % 140 for n in range(max(0, _number(facts, "bureau_queries_6m") - recent))]
    return [
        {
            "lender": LENDERS[(n + 1) % len(LENDERS)],
            "on": clock.today() - timedelta(days=day),
            "reason": "贷款审批",
        }
        for n, day in enumerate(sorted(days))
    ]


router = Router("/credit-bureau", route_handlers=[reports, effects])
