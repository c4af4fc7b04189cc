"""A responsible code as a QR of the official account: made once, renewed in time, never for a closed code (A11-03)."""

from datetime import timedelta

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.campaigns.model import CodeClosed
from backend.flows.make_scene_code import make_scene_code
from tests.bot.conftest import World, code_of, world

__all__ = ["world"]

JIA = system("4101", "test")


async def test_the_qr_brings_the_token_back_as_the_scene(world: World) -> None:
    code = await code_of(world.db, "朋友圈")
    made = await make_scene_code(world.context, JIA, code.id)
    assert made.expires_at is not None
    assert made.expires_at - clock.now() <= timedelta(days=30)
    scanned = await world.sandbox.post("/phone/oZhangSan0001/scan", json={"content": made.url})
    answer = scanned.json()
    assert answer["message"]["EventKey"] == f"qrscene_{code.token}"
    assert answer["reply"]["articles"][0]["url"].endswith(f"/q/{code.token}")


async def test_it_is_made_once_and_again_before_it_ends(world: World) -> None:
    code = await code_of(world.db, "朋友圈")
    first = await make_scene_code(world.context, JIA, code.id)
    assert await make_scene_code(world.context, JIA, code.id) == first
    assert len(world.ledger("wechat")) == 1
    assert first.expires_at is not None
    assert code.expires_at > first.expires_at
    with clock.at(first.expires_at - timedelta(hours=2)):
        assert (await make_scene_code(world.context, JIA, code.id)).ticket != first.ticket


@pytest.mark.parametrize("label", ["旧海报", "上月台卡"])
async def test_a_closed_code_gets_none(world: World, label: str) -> None:
    code = await code_of(world.db, label)
    with clock.at(clock.now() + timedelta(seconds=5)), pytest.raises(CodeClosed):
        await make_scene_code(world.context, JIA, code.id)
    assert world.ledger("wechat") == []
