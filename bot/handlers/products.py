"""产品: what the county offers, cost beside amount (D2-10); the one that was named, when one was."""

import re

from backend.core import clock
from backend.domains.products import rules
from backend.domains.products import service as products
from backend.domains.products.model import Product
from bot.replies import Reply
from bot.talk import Talk, say

MOST = 4
_FUND_OFFICE = re.compile(r"^(?!.*贷)(.*公积金.{0,6}(取|提|查|转|补|断|余额)|.*(取|提|查|转).{0,3}公积金)")
_NOT_FOR = re.compile(r"买(个|套)?(房|商品房|楼)|房贷|首付|炒股|股票|基金")
_ENTERPRISE = re.compile(r"公司|企业|厂子|工厂|对公|营业执照")


async def answer(talk: Talk) -> Reply:
    """The product of the code first, then others for persons."""
    assert talk.institution is not None
    live = await products.list_live(talk.tx, talk.institution.id, clock.today())
    audience = "enterprise" if _ENTERPRISE.search(talk.words) else "personal"
    named = _named(live, talk.words, audience)
    if len(named) == 1:
        return _one(talk, named[0])
    wanted = talk.follower.product_code if talk.follower else None
    ours = named or [p for p in live if p.terms.audience == audience and p.terms.is_internet_loan]
    ours.sort(key=lambda p: (p.code != wanted, not p.terms.online_road, p.terms.mode != "pure_online"))
    return say(
        "products/show.txt",
        name=talk.institution.short_name,
        products=[_line(talk, product) for product in ours[:MOST]],
        more=[product.name for product in ours[MOST:]],
        **_asides(talk),
    )


def _one(talk: Talk, product: Product) -> Reply:
    return say(
        "products/one.txt",
        one=_line(talk, product),
        texts=product.terms.texts,
        guarantors=product.terms.guarantors,
        **_asides(talk),
    )


def _asides(talk: Talk) -> dict[str, object]:
    """What is asked of us and is somebody else's, or may not be."""
    assert talk.institution is not None
    return {
        "fund_office": _FUND_OFFICE.search(talk.words) is not None,
        "not_for": _NOT_FOR.search(talk.words) is not None,
        "phone": talk.institution.service_phone,
    }


def _named(live: list[Product], words: str, audience: str) -> list[Product]:
    """The products whose name is in the words, by the longest part of it: 花木贷 is 柳林花木贷, 信用贷 the one for
    whoever asks."""
    found = {product.code: _likeness(product, words, audience) for product in live}
    best = max(found.values(), default=NOT_NAMED)
    return [product for product in live if best > NOT_NAMED and found[product.code] == best]


NOT_NAMED = (0, False)


def _likeness(product: Product, words: str, audience: str) -> tuple[int, bool]:
    """How much of the name was said: all of it, or what follows the place or brand before it."""
    bare = product.name.removesuffix("贷")
    parts = [product.name, bare, product.name[2:]] if len(bare) > 3 else [product.name, bare]
    said = max((len(part) for part in parts if part in words), default=0)
    return (said, product.terms.audience == audience) if said else NOT_NAMED


def _line(talk: Talk, product: Product) -> dict[str, object]:
    low, high = rules.all_in_range(product.terms)
    assert talk.institution is not None
    # The county's own page, also for a product of the whole union.
    url = talk.url(f"/p/{talk.institution.id}/{product.code}")
    if talk.follower and talk.follower.code_token and talk.follower.product_code == product.code:
        url = talk.url(f"/q/{talk.follower.code_token}")
    return {
        "name": product.name,
        "most": product.terms.amount_max,
        "rates": (product.terms.rate_min, product.terms.rate_max),
        "all_in": (low, high),
        "months": product.terms.months[-1],
        "online": product.terms.online_road,
        "url": url,
    }
