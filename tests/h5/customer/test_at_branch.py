"""Products whose own road is not built are shown and dealt with at the branch (A8-23: nothing is pretended)."""

import pytest

from backend.core.actor import everywhere
from tests.h5.customer.conftest import Phone, Studio


async def test_the_front_door_offers_online_only_what_can_be_applied_for_there(phone: Phone) -> None:
    await phone.get("/")
    online, _, at_branch = phone.reply.text.partition("到网点办")
    assert "随享贷" in online
    assert "存单贷" not in online
    assert "存单贷" in at_branch


@pytest.mark.parametrize("product", ["GJJ", "CDD", "HZD", "YNXY", "YNZY", "YNCY"])
async def test_no_draft_is_made_of_a_product_that_another_products_rules_would_judge(
    studio: Studio, phone: Phone, product: str
) -> None:
    await phone.get(f"/p/4101/{product}")
    assert phone.reply.status_code == 200
    assert "这个产品到网点办" in phone.reply.text
    assert "/apply/start" not in phone.reply.text
    await phone.get("/p/4101/SXD")
    form = phone.page.form("/apply/start")
    form.values["product_code"] = product
    await phone.send(form)
    assert phone.reply.status_code == 409
    assert "到网点办" in phone.reply.text
    async with studio.context.db.read(everywhere("test")) as tx:
        assert await tx.connection.fetchval("select count(*) from applications.applications") == 0
