"""The menu as code keeps the platform's limits and leads to answers that exist (A11-04)."""

from urllib.parse import urlsplit

import msgspec
import pytest

from backend.settings import Settings
from bot import dispatch
from bot.menu import menu
from tests.bot.conftest import World


def test_the_menu_keeps_the_platforms_limits(settings: Settings) -> None:
    tops = menu(settings)["button"]
    assert 0 < len(tops) <= 3
    for top in tops:
        assert 0 < len(top["name"].encode()) <= 16
        assert 0 < len(top["sub_button"]) <= 5
        for button in top["sub_button"]:
            assert 0 < len(button["name"].encode()) <= 60
            assert len(button.get("key", "").encode()) <= 128
            assert len(button.get("url", "").encode()) <= 1024
    keys = [b["key"] for top in tops for b in top["sub_button"] if "key" in b]
    assert len(keys) == len(set(keys))
    assert set(keys) <= set(dispatch.TOPICS)


def test_pages_of_the_menu_are_ours(settings: Settings) -> None:
    here = msgspec.structs.replace(settings, public_base="https://loan.example.cn/")
    urls = [b["url"] for top in menu(here)["button"] for b in top["sub_button"] if "url" in b]
    assert {urlsplit(url).netloc for url in urls} == {"loan.example.cn"}
    assert not [url for url in urls if "//" in urlsplit(url).path]


@pytest.mark.parametrize("kind", ["view", "click"])
async def test_every_button_leads_somewhere(world: World, kind: str) -> None:
    phone = world.phone()
    await phone.say("甲县")
    buttons = [b for top in menu(world.settings)["button"] for b in top["sub_button"] if b["type"] == kind]
    assert buttons
    for button in buttons:
        if kind == "click":
            assert (await phone.act(kind="click", key=button["key"]))["reply"]["content"]
        else:
            answer = await world.web.get(button["url"], follow_redirects=True)
            assert answer.status_code == 200, button


async def test_a_button_of_an_older_menu_is_answered_with_help(world: World) -> None:
    answer = await world.phone().act(kind="click", key="a-topic-of-last-year")
    assert "您可以直接说话" in answer["reply"]["content"]
