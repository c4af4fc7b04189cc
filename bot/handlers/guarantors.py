"""我的担保人: what the borrower's own page says of whom they asked: how far it is, never who or why not (D3-02)."""

from backend.core import clock
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee
from backend.domains.products import service as products
from backend.overview import guarantors as asked_for
from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

BEFORE = frozenset({"draft", "submitted", "deciding", "held", "referred"})
GONE = frozenset({"declined", "expired", "cancelled"})
MOST = 4


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk, "guarantors")
    return told(await wanted(talk))


async def wanted(talk: Talk) -> list[dict[str, object]]:
    """The person's cases that want somebody to answer for them."""
    found = [await _case(talk, one) for one in await personal.standings(talk)]
    return [case for case in found if case][:MOST]


def told(cases: list[dict[str, object]]) -> Reply:
    return say("guarantors/show.txt", cases=cases)


async def _case(talk: Talk, one: personal.Standing) -> dict[str, object]:
    """Empty for a case that wants nobody, or is over."""
    case = one.application
    if case.status in GONE:
        return {}
    on = one.contract.agreed_on if one.contract else clock.local(case.created_at).date()
    product = await products.get_begun(talk.tx, case.institution_id, case.product_code, on)
    if not product.terms.guarantors:
        return {}
    asked = await guarantees.of_application(talk.tx, case.id)
    return {
        "product": product.name,
        "number": case.application_no,
        "wanted": product.terms.guarantors,
        "before": case.status in BEFORE,
        "missing": await asked_for.missing(talk.tx, one.contract) if one.contract else 0,
        "asked": [_line(talk, each) for each in reversed(asked)][:MOST],
        "url": talk.url(f"/my/{case.application_no}/guarantors"),
    }


def _line(talk: Talk, each: Guarantee) -> dict[str, object]:
    over = each.over(talk.tx.now)
    return {
        "label": "链接已过期" if over else each.label,
        "asked_at": each.created_at,
        "until": each.expires_at if each.status in ("invited", "opened") and not over else None,
    }
