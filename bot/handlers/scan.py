"""关注 and 扫码: the scene is a responsible code; it decides county, officer and product (A11-03, N1)."""

from backend.core import clock
from backend.core.errors import NotFound
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import Verification
from backend.domains.channels import service as channels
from backend.domains.products import rules
from backend.domains.products import service as products
from backend.domains.products.model import Product
from bot.replies import Card, Reply
from bot.talk import Talk, say

SCENE_PREFIX = "qrscene_"


async def subscribe(talk: Talk) -> Reply:
    """A new follower: by a code, or by name."""
    if talk.message.event_key.removeprefix(SCENE_PREFIX):
        return await scan(talk)
    name = talk.institution.short_name if talk.institution else ""
    return say("scan/welcome.txt", name=name, counties=[i.county for i in talk.institutions])


async def scan(talk: Talk) -> Reply:
    """A genuine code: attribution and the product's card. Any other: a written answer."""
    token = talk.message.event_key.removeprefix(SCENE_PREFIX)
    found = await campaigns.verify(talk.tx, token)
    if found.code is not None:
        await campaigns.record_scan(
            talk.tx, found.code.id, channel="wechat", visitor=talk.openid, state=found.state
        )
    if not found.usable or found.code is None or found.campaign is None:
        if found.code is not None:
            await channels.route(talk.tx, talk.openid)
        return _closed(talk, found)
    try:
        product = await products.get_live(
            talk.tx, talk.tx.institution_id, found.campaign.product_code, clock.today()
        )
    except NotFound:
        return _closed(talk, found, state="ended")
    lead = channels.Scan(found.code.id, token, found.code.officer_id, found.campaign.product_code)
    await channels.scanned(talk.tx, talk.openid, lead)
    return _card(talk, found, product, token)


async def leave(talk: Talk) -> Reply:
    await channels.left(talk.tx, talk.openid)
    return None


def _card(talk: Talk, found: Verification, product: Product, token: str) -> Reply:
    assert found.officer is not None
    low, high = rules.all_in_range(product.terms)
    text = say(
        "scan/card.txt",
        officer=found.officer,
        most=product.terms.amount_max,
        rates=(product.terms.rate_min, product.terms.rate_max),
        all_in=(low, high),
    )
    bank = talk.institution.short_name if talk.institution else found.officer.institution_name
    title = f"{product.name} · {bank}"
    return Card(title, text.content, talk.url(f"/q/{token}"))


def _closed(talk: Talk, found: Verification, state: str = "") -> Reply:
    return say(
        "scan/closed.txt",
        state=state or found.state.value,
        phone=talk.institution.service_phone if talk.institution else "",
        name=talk.institution.short_name if talk.institution else "",
    )
