"""A code as a poster: every figure from the live product, so that it equals page, bot and contract (N3)."""

from datetime import timedelta

from backend.core import clock
from backend.db.database import Tx
from backend.documents import wording
from backend.documents.poster import Poster
from backend.domains.campaigns import rules, service
from backend.domains.campaigns.model import CodeClosed, GreetingRefused
from backend.domains.institutions import service as institutions
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products
from backend.domains.products.model import Product, Terms
from backend.domains.regulation import service as regulation


async def poster(tx: Tx, code_id: str, public_base: str, greeting: str = "") -> Poster:
    """The words of a poster; the caller draws it with `documents.poster.render` in a thread.

    Raises `CodeClosed` for a code that is not real now, `GreetingRefused` for an unfit line of the officer.
    """
    today = clock.today()
    problem = rules.greeting_problem(greeting, await regulation.in_force(tx, today))
    if problem:
        raise GreetingRefused(fields={"greeting": problem})
    found = await service.verify_id(tx, code_id)
    if not found.usable:
        raise CodeClosed(label=found.state.label)
    assert found.code is not None
    assert found.campaign is not None
    assert found.officer is not None
    material = await service.get_material(tx, found.code.material_id)
    product = await products.get_live(tx, tx.institution_id, found.campaign.product_code, today)
    institution = await institutions.get(tx, tx.institution_id)
    return Poster(
        headline=material.headline,
        risk_text=material.risk_text,
        material_id=material.visible_id,
        greeting=greeting.strip(),
        officer_name=found.officer.name,
        officer_no=found.officer.job_no,
        qualification_no=found.officer.qualification_no,
        branch_name=found.officer.branch_name,
        institution_name=institution.name,
        service_phone=institution.service_phone,
        code_url=public_base.rstrip("/") + rules.path(found.code.token),
        valid_until=wording.day(clock.local(found.code.expires_at - timedelta(seconds=1)).date()),
        **_figures(product),
    )


def _figures(product: Product) -> dict[str, str]:
    terms = product.terms
    low, high = product_rules.all_in_range(terms)
    return {
        "product_name": product.name,
        "amount_text": f"最高 {_wan(terms.amount_max)}",
        "rate_text": _range(wording.percent(terms.rate_min), wording.percent(terms.rate_max)),
        "all_in_text": _range(wording.percent(low), wording.percent(high)),
        "term_text": f"最长 {terms.months[-1]} 个月",
        "cost_note": _cost_note(terms),
    }


def _cost_note(terms: Terms) -> str:
    charged = [f.name for f in terms.fees if f.payer == "borrower" and f.rate]
    named = f"利息和{'、'.join(charged)}" if charged else "利息"
    return f"除{named}外不收取其他费用，以签约前的明示表为准。"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low}–{high}"


def _wan(fen: int) -> str:
    """20000000 → '20 万元', 50000 → '500 元'."""
    whole, rest = divmod(fen, 1_000_000)
    return f"{whole} 万元" if whole and not rest else f"{fen // 100:,} 元"
