"""The drawn graph arranged on its page, without a script: the list is the form (issue 3 §8, A3-33)."""

import json

import asyncpg

from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import act, draft


async def document_of(owner: asyncpg.Connection, path: str) -> dict:
    text = await owner.fetchval("select content from strategies.versions where id = $1", path.split("/")[3])
    return json.loads(text)["document"]


def place(document: dict, node: str) -> int:
    return next(n for n, each in enumerate(document["nodes"]) if each["id"] == node)


async def test_nodes_are_moved_cut_off_and_taken_out_and_the_checks_say_what_that_means(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before = await document_of(owner, base)
    await desk.get(f"{base}/arrange")
    assert "每条路都有结果" in desk.words
    bureau = place(before, "bureau")
    for wrong in ("很远", "--5", "99999999"):
        await desk.send(desk.page.form("/arrange"), act="save", **{f"x_{bureau}": wrong})
        assert (desk.reply.status_code, "位置要写整数" in desk.words) == (422, True)
    await desk.send(desk.page.form("/arrange"), act="save", **{f"x_{bureau}": "777", "note": "挪一挪"})
    after = await document_of(owner, desk.path)
    moved = [n["id"] for n, old in zip(after["nodes"], before["nodes"], strict=True) if n != old]
    assert moved == ["bureau"]
    assert after["edges"] == before["edges"]

    form = desk.page.form("/arrange")
    form.values.pop(f"line_0_{bureau}")
    await desk.send(form, act="save")
    assert "从输入走不到这张表" in desk.words
    assert len((await document_of(owner, desk.path))["edges"]) == len(before["edges"]) - 1
    await desk.send(desk.page.form("/arrange"), act="save", **{f"gone_{bureau}": "yes"})
    assert "每条路都有结果" in desk.words, desk.words
    version = desk.path.removesuffix("/arrange")
    await desk.get(version)
    assert "删除表" in desk.words, "and the difference says so"
    await act(desk, "check")
    assert "处要改" in desk.words, "the scenarios miss the reasons of the table that is gone"


async def test_nodes_are_added_by_their_name_in_chinese(desks: Desks, owner: asyncpg.Connection) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await desk.get(f"{base}/arrange")
    add = desk.page.form("/arrange/add")
    await desk.send(add, kind="decisionTableNode", name="本省补充", columns="年龄、没有的")
    assert (desk.reply.status_code, "没有叫“没有的”的数据项" in desk.words) == (422, True)
    await desk.send(desk.page.form("/arrange/add"), kind="decisionTableNode", name="本省补充", columns="年龄")
    assert desk.reply.status_code == 200
    assert "本省补充 第 1 行" in desk.words, "its row is still to be filled in"
    made = await document_of(owner, desk.path)
    assert {(e["sourceId"], e["targetId"]) for e in made["edges"]} >= {
        ("facts", "table-1"),
        ("table-1", "result"),
    }
    await desk.send(
        desk.page.form("/arrange/add"),
        kind="switchNode",
        name="按产品分",
        fact="产品类别",
        branches="消费\n经营",
    )
    assert desk.reply.status_code == 200, desk.words
    made = await document_of(owner, desk.path)
    assert [n["type"] for n in made["nodes"]][-2:] == ["decisionTableNode", "switchNode"]
    await desk.send(desk.page.form("/arrange/add"), kind="decisionNode", name="子流程")
    assert (desk.reply.status_code, "请选一条子流程" in desk.words) == (422, True)
    await desk.send(desk.page.form("/arrange"), act="tidy")
    assert desk.reply.status_code == 200


async def test_a_county_and_a_version_that_is_live_are_only_looked_at(desks: Desks) -> None:
    county: Desk = await desks.of("JX0101")
    own = await draft(county)
    await county.get(f"{own}/arrange")
    assert "本行加严层" in county.words, "an overlay has no flow of its own: it is shown itself"
    union = await desks.of("SL0001")
    base = await draft(union)
    await county.get(f"{base}/arrange")
    assert county.reply.status_code == 404, "head office is only writing it"
