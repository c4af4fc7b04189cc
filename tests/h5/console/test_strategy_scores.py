"""Scorecards and models placed in a flow and changed on the pages, told by their names (issue 3 §2, §8)."""

import json
import re

import asyncpg

from backend.domains.decision import bundle
from backend.domains.decision.model import canonical
from backend.domains.models import service as models
from tests.domains.models.test_nameable import OTHER, _report
from tests.domains.models.test_register import THIRD, brought_live
from tests.domains.models.test_register import act as model_act
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import OWN, act, draft, named
from tests.h5.console.test_strategy_arrange import document_of

SHIPPED = bundle.seeded().card


async def place(desk: Desk, base: str, **given: str) -> None:
    await desk.get(f"{base}/arrange")
    asked = {
        "kind": "customNode", "name": "农户评分", "model": SHIPPED.hash, "result": "农户信用分", "before": "*",
    } | given  # fmt: skip
    await desk.send(desk.page.form("/arrange/add"), **asked)


async def press(desk: Desk, **given: str) -> None:
    form = desk.page.form("/score")
    form.action += "/check"
    await desk.send(form, act="check", **given)


def score_of(document: dict) -> dict:
    return next(node for node in document["nodes"] if node["type"] == "customNode")


def declared(document: dict) -> set[str]:
    entry = next(node for node in document["nodes"] if node["type"] == "inputNode")
    return set(json.loads(entry["content"]["schema"])["properties"])


async def test_a_score_is_placed_used_by_a_table_and_seen_in_the_way_of_a_case(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before = await document_of(owner, base)
    await desk.get(f"{base}/arrange")
    for words in ("随系统发布的评分卡", "434 到 801 分", SHIPPED.hash[:8], "看："):
        assert words in desk.words, words
    for wrong, sentence in (
        ({"model": ""}, "请从列表里选一个评分卡或模型"),
        ({"model": "f" * 64}, "请从列表里选一个评分卡或模型"),
        ({"result": ""}, "给得数起个名字"),
        ({"result": "年龄"}, "已经有叫“年龄”的了"),
        ({"before": "nowhere"}, "请选接在哪一步前面"),
        ({"name": ""}, "给新节点起个名字"),
    ):
        await place(desk, base, **wrong)
        assert (desk.reply.status_code, sentence in desk.words) == (422, True), desk.words
    await place(desk, base)
    assert desk.reply.status_code == 200, desk.words
    assert "每条路都有结果" in desk.words, desk.words
    node = score_of(await document_of(owner, desk.path))
    assert node["description"] == "农户信用分"
    assert node["content"] == {
        "kind": "scorecard",
        "config": {"output": "value_1", "model": SHIPPED.hash, "low": 434, "high": 801},
    }
    version = desk.path.removesuffix("/arrange")
    assert f"{version}/score?node=score-1" in desk.page.links
    await desk.get(version)
    for words in ("农户信用分", "434 到 801 分", f"指纹 {SHIPPED.hash[:12]}", "一直可用", "新增节点"):
        assert words in desk.words, words
    assert "用随系统发布的评分卡打分，结果叫“农户信用分”" in desk.words

    await desk.get(f"{version}/columns?table=bureau")
    form = desk.page.form("/columns")
    form.action += "/check"
    await desk.send(form, act="add", fact="农户信用分")
    await desk.send(desk.page.form("/columns"), act="save")
    assert desk.reply.status_code == 200, desk.words
    version = desk.path
    await desk.get(f"{version}/row?table=bureau&row=new")
    cells = {**OWN, "农户信用分": "低于 500", "处理": "转人工", "原因码": "EL_SCORE", "近 6 个月贷款查询": ""}
    await desk.send(desk.page.form(f"{version}/row"), act="save", **named(desk, cells))
    assert "农户信用分 低于 500" in desk.words, desk.words
    await act(desk, "check")
    assert "检查通过" in desk.words, desk.words
    assert "value_1" not in desk.words
    version = desk.path
    await desk.get(f"{version}/try")
    assert re.search(r"这个案例 \d{3} 分", desk.words), desk.words

    await desk.get(f"{version}/arrange")
    at = next(
        n for n, each in enumerate((await document_of(owner, version))["nodes"]) if each["id"] == "score-1"
    )
    await desk.send(desk.page.form("/arrange"), act="save", **{f"gone_{at}": "yes"})
    made = await document_of(owner, desk.path)
    assert [each["type"] for each in made["nodes"]].count("customNode") == 0
    assert declared(made) == declared(before), "what only the card read is not declared any more"


async def test_another_model_and_another_name_are_checked_and_told_as_a_sentence(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    other = await brought_live(road.db, canonical(OTHER), _report(OTHER))
    desk = await desks.of("SL0001")
    await place(desk, await draft(desk))
    version = desk.path.removesuffix("/arrange")
    count = await owner.fetchval("select count(*) from strategies.versions")
    await desk.get(f"{version}/score?node=score-1")
    for words in (other.name, "373 到 740 分", "434 到 801 分", "已启用"):
        assert words in desk.words, words
    assert desk.page.form("/score").values["model"] == SHIPPED.hash
    for given, sentence in (
        ({"result": ""}, "给得数起个名字"),
        ({"result": "年龄"}, "已经有叫“年龄”的了"),
        ({"model": "nothing"}, "请从列表里选一个"),
    ):
        await press(desk, **given)
        assert (desk.reply.status_code, sentence in desk.words) == (200, True), desk.words
        await desk.get(f"{version}/score?node=score-1")
    await press(desk, model=other.artefact, result="新的分")
    assert "得数：373 到 740 分" in desk.words
    assert await owner.fetchval("select count(*) from strategies.versions") == count
    before = score_of(await document_of(owner, version))
    await desk.send(desk.page.form("/score"), act="save", result="年龄", model=other.artefact)
    assert (desk.reply.status_code, "已经有叫“年龄”的了" in desk.words) == (422, True)
    await desk.send(
        desk.page.form("/score"), act="save", model=other.artefact, result="新的分", low="0", high="9"
    )
    assert desk.reply.status_code == 400, "how far it reaches is not the form's to say"
    await desk.get(f"{version}/score?node=score-1")
    await desk.send(desk.page.form("/score"), act="save", model=other.artefact, result="新的分")
    assert desk.reply.status_code == 200, desk.words
    after = score_of(await document_of(owner, desk.path))
    assert after["content"]["config"] == {
        **before["content"]["config"], "model": other.artefact, "low": 373, "high": 740,
    }  # fmt: skip
    assert after["description"] == "新的分"
    saved = desk.path.split("/")[3]
    await desk.get(f"/console/strategies/compare?before={version.split('/')[3]}&after={saved}")
    assert f"随系统发布的评分卡（434 到 801 分） 改为 {other.name}（373 到 740 分）" in desk.words
    assert "“农户信用分” 改为 “新的分”" in desk.words
    page = f"/console/models/{other.id}"
    await desk.get(f"/console/strategies/{saved}")
    assert page in desk.page.links
    await owner.execute("update strategies.versions set submitted_at = now() where id = $1", saved)
    for staff_no, may in (("JX0301", True), ("JX0201", False)):
        county = await desks.of(staff_no)
        await county.get(f"/console/strategies/{saved}")
        assert county.reply.status_code == 200
        assert ("存成草稿" not in county.words, other.name in county.words) == (True, True)
        assert (page in county.page.links) is may, "a link for those alone who may open the register"


async def test_a_county_and_a_flow_that_asks_no_model_have_no_such_page(desks: Desks) -> None:
    union = await desks.of("SL0001")
    base = await draft(union)
    await union.get(f"{base}/score?node=score-1")
    assert (union.reply.status_code, "检查和审批" in union.words) == (200, True)
    await place(union, base)
    version = union.path.removesuffix("/arrange")
    county = await desks.of("JX0101")
    await county.get(f"{version}/score?node=score-1")
    assert county.reply.status_code == 404, "head office is only writing it"


async def test_the_register_tells_which_strategies_ask_a_model_and_one_that_ended_is_to_be_changed(
    road: Road, desks: Desks
) -> None:
    shipped = await brought_live(road.db)
    other = await brought_live(road.db, canonical(OTHER), _report(OTHER), family="business")
    assert shipped.artefact == SHIPPED.hash
    desk = await desks.of("SL0001")
    await desk.get("/console/models")
    assert "等审批" not in desk.words
    await place(desk, await draft(desk))
    await act_on(desk, "check")
    await act_on(desk, "submit")
    version = desk.path
    for path in ("/console/models", f"/console/models/{shipped.id}"):
        await desk.get(path)
        assert version in desk.page.links, path
        assert "所有产品 · 准入 第" in desk.words, desk.words
        assert "（等审批）" in desk.words
    await desk.get(f"/console/models/{other.id}")
    assert version not in desk.page.links


async def act_on(desk: Desk, step: str) -> None:
    """On the page of the version behind the one that arranges it."""
    await desk.get(desk.path.removesuffix("/arrange"))
    await act(desk, step)


async def test_a_model_that_ended_is_said_on_the_page_of_the_node_and_another_is_asked_for(
    road: Road, desks: Desks
) -> None:
    other = await brought_live(road.db, canonical(OTHER), _report(OTHER))
    desk = await desks.of("SL0001")
    await place(desk, await draft(desk), model=other.artefact)
    assert desk.reply.status_code == 200, desk.words
    version = desk.path.removesuffix("/arrange")
    await model_act(road.db, THIRD, models.bring, other.id, "retired", "不用了")
    await desk.get(version)
    assert (other.name in desk.words, "已退出" in desk.words) == (True, True), desk.words
    await desk.get(f"{version}/score?node=score-1")
    assert "（已退出），不能在流程里用，请换一个" in desk.words
    await desk.send(desk.page.form("/score"), act="save", model=other.artefact)
    assert (desk.reply.status_code, "请从列表里选一个" in desk.words) == (422, True)


async def test_a_registered_model_scores_a_case_of_the_draft_and_cannot_end_while_the_flow_waits_for_approval(
    road: Road, desks: Desks
) -> None:
    other = await brought_live(road.db, canonical(OTHER), _report(OTHER))
    desk = await desks.of("SL0001")
    await place(desk, await draft(desk), model=other.artefact)
    assert "每条路都有结果" in desk.words, desk.words
    await act_on(desk, "check")
    assert "检查通过" in desk.words, desk.words
    version = desk.path
    await desk.get(f"{version}/try")
    assert re.search(r"这个案例 \d{3} 分 用哪一个 个人授信评分卡 已启用", desk.words), desk.words
    await desk.get(version)
    await act(desk, "submit")
    page = f"/console/models/{other.id}"
    await desk.get(page)
    await desk.send(desk.page.form(f"{page}/act"), act="retired", why="不用了")
    assert (desk.reply.status_code, "先换掉再退出" in desk.words) == (409, True), desk.words
