"""A poster's figures come from the live product and its words from reviewed material (N3, D4-07)."""

import pytest

from backend.core import clock
from backend.demo import staff_id
from backend.documents import wording
from backend.documents.poster import draw
from backend.domains.campaigns import model, posters
from backend.domains.campaigns import service as campaigns
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products
from tests.officer_codes import codes_of

LISI = staff_id("4101", 1)


async def group_code(tx):
    return next(c for c in await codes_of(tx, LISI) if c.placement == "group")


async def test_n3_the_poster_shows_the_products_own_figures(tx):
    code = await group_code(tx)
    made = await posters.poster(tx, code.id, "https://xd.example.com/")
    terms = (await products.get_live(tx, "4101", "SXD", clock.today())).terms
    low, high = product_rules.all_in_range(terms)
    assert made.rate_text == f"{wording.percent(terms.rate_min)}–{wording.percent(terms.rate_max)}"
    assert made.all_in_text == f"{wording.percent(low)}–{wording.percent(high)}"
    assert made.amount_text == "最高 20 万元"
    assert made.code_url == f"https://xd.example.com/q/{code.token}"
    assert made.material_id == "WL4101001-1"
    assert (made.officer_name, made.officer_no) == ("李四", "JX0427")
    assert draw(made)[0].size == (1080, 1920)


async def test_a_closed_code_gets_no_poster(tx):
    code = await group_code(tx)
    await campaigns.revoke(tx, code.id, "作废")
    with pytest.raises(model.CodeClosed):
        await posters.poster(tx, code.id, "https://xd.example.com")


@pytest.mark.parametrize("greeting", ["秒 批 到账找我", "年化 3 厘", "乡亲们" * 9])
async def test_d4_07_the_greeting_is_checked_too(tx, greeting):
    with pytest.raises(model.GreetingRefused):
        await posters.poster(tx, (await group_code(tx)).id, "https://xd.example.com", greeting)
