"""Who decides is changed by two people on a page, and a shadow is seen beside what decided (A3-33, A3-37, D1-05)."""

import random
from datetime import timedelta

import asyncpg

from backend.core import clock, ids
from backend.core.actor import system
from backend.domains.decision import scorecard
from backend.domains.models import watching
from tests.domains.models.test_register import (
    CARD,
    MAKER,
    REPORT,
    SECOND,
    THIRD,
    act,
    brought_live,
    lined_up,
    registered,
    service,
)
from tests.flows.conftest import Road
from tests.flows.test_models import history
from tests.h5.conftest import Desk, Desks

PATH = "/console/models/line-up"


def form_for(desk: Desk, family: str, action: str = PATH):
    return next(f for f in desk.page.forms if f.action == action and f.values.get("family") == family)


async def test_one_proposes_another_agrees_and_going_back_is_one_act(road: Road, desks: Desks) -> None:
    live = await brought_live(road.db)
    maker, second = await desks.of("SL0002"), await desks.of("SL0001")
    await maker.get(PATH)
    await maker.send(
        form_for(maker, "consumer"), champion=live.id, challenger="", share="", why="影子看了一个月"
    )
    assert "等另一个人同意" in maker.words
    assert "同意，马上换" not in maker.words
    async with road.db.read(THIRD) as tx:
        assert await service.current(tx, "consumer") is None
    await second.get(PATH)
    [waiting] = [f for f in second.page.forms if f.action.endswith("/answer")]
    await second.send(waiting, outcome="agree", why="同意")
    assert "影子看了一个月" in second.words
    async with road.db.read(THIRD) as tx:
        assert (await service.current(tx, "consumer")).champion == live.id
    with clock.at(clock.now() + timedelta(minutes=6)):
        await second.get(PATH)
        assert not [f for f in second.page.forms if f.action == f"{PATH}/back"], "first the proof who it is"
        await second.confirm()
        await second.send(form_for(second, "consumer", f"{PATH}/back"), why="先退回")
    assert "先退回" in second.words
    async with road.db.read(THIRD) as tx:
        assert (await service.current(tx, "consumer")).champion is None


async def test_who_proposed_takes_it_back_on_the_page(road: Road, desks: Desks) -> None:
    live = await brought_live(road.db)
    maker, second = await desks.of("SL0002"), await desks.of("SL0001")
    await maker.get(PATH)
    await maker.send(form_for(maker, "consumer"), champion=live.id, challenger="", share="", why="写错了")
    await second.get(PATH)
    assert not [f for f in second.page.forms if f.action.endswith("/withdraw")], "it is not theirs"
    [waiting] = [f for f in second.page.forms if f.action.endswith("/answer")]
    [own] = [f for f in maker.page.forms if f.action.endswith("/withdraw")]
    await maker.send(own, why="")
    assert maker.reply.status_code == 422
    [own] = [f for f in maker.page.forms if f.action.endswith("/withdraw")]
    await maker.send(own, why="选错了模型")
    assert "提了新的安排" not in maker.words
    assert form_for(maker, "consumer"), "another can be proposed at once"
    await second.send(waiting, outcome="agree", why="同意")
    assert (second.reply.status_code, "刚才已经有人办了" in second.words) == (409, True), second.words


async def test_where_no_model_may_be_chosen_the_form_says_what_is_missing(road: Road, desks: Desks) -> None:
    desk = await desks.of("SL0002")
    await desk.get(PATH)
    assert desk.words.count("现在没有能选的模型：登记、评审、批准、影子运行，再启用以后") == 3
    await brought_live(road.db)
    await desk.get(PATH)
    assert desk.words.count("现在没有能选的模型") == 2, "it is one for consumers"


async def test_what_cannot_be_is_said_in_place(road: Road, desks: Desks) -> None:
    live = await brought_live(road.db)
    desk = await desks.of("SL0002")
    for given, words in (
        ({"champion": live.id, "challenger": live.id, "share": "10"}, "不能是同一个"),
        ({"champion": "", "challenger": live.id, "share": "10"}, "随系统的评分卡不能和新模型分着试"),
        ({"champion": live.id, "challenger": "", "share": "10"}, "份额要空着"),
        ({"champion": live.id, "challenger": "", "share": "一成"}, "写成百分数"),
        ({"champion": live.id, "challenger": "", "share": "inf"}, "写成百分数"),
        ({"champion": "x", "challenger": "", "share": ""}, "从列表里选"),
        ({"champion": ids.new(), "challenger": "", "share": ""}, "只有已启用"),
    ):
        await desk.get(PATH)
        await desk.send(form_for(desk, "consumer"), why="试试", **given)
        assert words in desk.words, (given, desk.words[:300])
        assert desk.reply.status_code in {409, 422}
    county = await desks.of("JX0301")
    await county.get(PATH)
    assert ("主模型和试用" in county.words, "提一个新的安排" in county.words) == (True, False)


async def test_a_shadow_is_seen_beside_what_decided(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    new = await registered(road.db)
    await act(road.db, MAKER, service.test, new.id, REPORT, "训练完")
    await act(road.db, SECOND, service.review, new.id, "独立评审", agreed=True)
    await act(road.db, THIRD, service.approve, new.id, "批准")
    await act(road.db, THIRD, service.bring, new.id, "shadow", "影子")
    desk = await desks.of("SL0001")
    path = f"/console/models/{new.id}/comparison"
    await desk.get(path)
    assert "不到 30 件" in desk.words
    await history(owner, road.db, 120)
    draw, rows = (
        random.Random(1),
        await owner.fetch("select institution_id, id, score from decision.decisions"),
    )
    for row in rows:
        async with road.db.begin(system(row["institution_id"], "test")) as tx:
            other = row["score"] + draw.randint(-90, 90)
            await watching.keep_shadow(tx, str(row["id"]), new.id, other, "")
    await desk.get(path)
    for words in ("120 比过的件数", "两边看法一样", "换手", "新进", "各行社差多少分", "PSI"):
        assert words in desk.words, (words, desk.words[:500])
    assert desk.reply.text.count("data-chart=") == 3
    await desk.get(PATH)
    assert "影子运行" in desk.words


async def test_a_challenger_s_share_stands_beside_the_champion_s(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    import msgspec

    from backend.domains.decision.model import canonical
    from backend.domains.models import artefacts

    live = await brought_live(road.db)
    card = scorecard.read(CARD)
    body = canonical(msgspec.structs.replace(card, version=2, base_points=card.base_points + 5))
    trying = await brought_live(road.db, body, {**REPORT, "model_sha256": artefacts.compile_model(body).hash})
    await lined_up(road.db, "consumer", champion=live.id, challenger=trying.id, share_bp=1000, why="试一成")
    await history(owner, road.db, 60)
    await owner.execute("alter table models.observations disable trigger all")
    await owner.execute(
        "update models.observations o set at = now() + interval '1 minute', model_hash = case when "
        "(select count(*) from models.observations b where b.decision_id < o.decision_id) % 5 = 0 then $1 else $2 end",
        trying.artefact,
        live.artefact,
    )
    desk = await desks.of("SL0003")
    await desk.get(f"/console/models/{trying.id}/comparison")
    for words in ("分到 10% 的申请", "48", "12", "样本太少", "主模型和试用的分数分布"):
        assert words in desk.words, (words, desk.words[:600])
