"""A collection strategy is tried beside the live one on a page, by two people, and both sides are counted (A6-07)."""

from datetime import datetime, time, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.flows import challenge_collection, watch_loans
from h5.console import collection_trials
from tests.flows.conftest import Road, id_number
from tests.flows.test_challenge_collection import CALL, version
from tests.h5.conftest import Desks

PATH = "/console/collection-trials"


async def test_one_proposes_another_agrees_both_sides_are_counted_and_it_ends(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await version(road, plan_7=CALL)
    maker, second = await desks.of("SL0002"), await desks.of("SL0001")
    await maker.get(PATH)
    assert "还没有试过" in maker.words
    await maker.send(maker.page.form(PATH), version=made.id, share="20", why="早点打电话好不好")
    assert "等另一个人同意" in maker.words
    assert not [f for f in maker.page.forms if f.action.endswith("/answer")], "not by who proposed it"
    await second.get(PATH)
    [waiting] = [f for f in second.page.forms if f.action.endswith("/answer")]
    await second.send(waiting, outcome="agree", why="先试两成")
    assert "正在试" in second.words
    assert "20% 的客户" in second.words
    assert "每边不到 30 件" in second.words
    monkeypatch.setattr(challenge_collection, "arm_of", lambda *_: "challenger")
    application = await road.hand_off(await road.apply(id_number(261)))
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, id_number(261), **more)
    await road.settle()
    with clock.at(datetime.combine(clock.today() + timedelta(days=40), time(1), clock.LOCAL)):
        await watch_loans.watch_loans(road.context)
    await second.get(f"{PATH}?days=7")
    assert "7 天内还上" in second.words
    rows = second.reply.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert rows.count('data-label="案件">1<') == 1
    await maker.get(PATH)
    [end] = [f for f in maker.page.forms if f.action.endswith("/end")]
    await maker.send(end, why="看够了")
    assert "已结束" in maker.words
    assert "看够了" in maker.words


async def test_what_cannot_be_is_said_in_place_and_a_county_only_reads(road: Road, desks: Desks) -> None:
    made = await version(road, plan_7=CALL)
    desk = await desks.of("SL0002")
    for given, words in (
        ({"version": made.id, "share": "80", "why": "试"}, "1 到 50 之间"),
        ({"version": made.id, "share": "一成", "why": "试"}, "1 到 50 之间"),
        ({"version": "x", "share": "10", "why": "试"}, "从列表里选"),
    ):
        await desk.get(PATH)
        await desk.send(desk.page.form(PATH), **given)
        assert (desk.reply.status_code, words in desk.words) == (422, True), (given, desk.words[:300])
    await desk.get(PATH)
    await desk.send(desk.page.form(PATH), version=made.id, share="10", why="试试")
    county = await desks.of("JX0301")
    await county.get(PATH)
    assert "试试" in county.words
    assert not [f for f in county.page.forms if f.action.startswith(PATH)]
    second = await desks.of("SL0001")
    await second.get(PATH)
    [waiting] = [f for f in second.page.forms if f.action.endswith("/answer")]
    await second.send(waiting, outcome="refuse", why="先不试")
    assert "没有同意" in second.words


def test_a_share_is_read_in_wide_digits() -> None:
    assert [collection_trials._share(each) for each in ("１０", "１０．５％", "10.5%", "很多")] == [
        1000,
        1050,
        1050,
        0,
    ]
