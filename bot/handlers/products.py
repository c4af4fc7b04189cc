"""产品: what the county offers, cost beside amount (D2-10)."""

from backend.core import clock
from backend.domains.products import rules
from backend.domains.products import service as products
from backend.domains.products.model import Product
from bot.replies import Reply
from bot.talk import Talk, say

MOST = 4


async def answer(talk: Talk) -> Reply:
    """The product of the code first, then others for persons."""
    assert talk.institution is not None
    live = await products.list_live(talk.tx, talk.institution.id, clock.today())
    wanted = talk.follower.product_code if talk.follower else None
    ours = [p for p in live if p.terms.audience == "personal" and p.terms.is_internet_loan]
    ours.sort(key=lambda p: (p.code != wanted, p.terms.mode != "pure_online"))
    return say(
        "products/show.txt",
        name=talk.institution.short_name,
        products=[_line(talk, product) for product in ours[:MOST]],
    )


def _line(talk: Talk, product: Product) -> dict[str, object]:
    low, high = rules.all_in_range(product.terms)
    assert talk.institution is not None
    # The county's own page, also for a product of the whole union.
    url = talk.url(f"/p/{talk.institution.id}/{product.code}")
    if talk.follower and talk.follower.code_token and talk.follower.product_code == product.code:
        url = talk.url(f"/q/{talk.follower.code_token}")
    return {
        "name": product.name,
        "tagline": product.terms.texts.tagline,
        "most": product.terms.amount_max,
        "rates": (product.terms.rate_min, product.terms.rate_max),
        "all_in": (low, high),
        "months": product.terms.months[-1],
        "url": url,
    }
