"""Calculations placed and changed on the pages: “name = formula”, what it comes to, what is wrong (issue 3 §8)."""

import asyncpg

from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import OWN, act, draft, named
from tests.h5.console.test_strategy_arrange import document_of

ROWS = "查询和机构数 = 【近 6 个月贷款查询】 + 【有余额的贷款机构数】\n查得多 = 【近 6 个月贷款查询】 高于 5"


async def place(desk: Desk, base: str, **given: str) -> None:
    await desk.get(f"{base}/arrange")
    asked = {"kind": "expressionNode", "name": "合计", "rows": ROWS, "before": "bureau"} | given
    await desk.send(desk.page.form("/arrange/add"), **asked)


async def press(desk: Desk, **given: str) -> None:
    form = desk.page.form("/node")
    form.action += "/check"
    await desk.send(form, act="check", **given)


async def test_a_calculation_is_placed_used_by_a_table_and_checked(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    for wrong, sentence in (
        ({"rows": ""}, "名字 = 算式"),
        ({"rows": "查得多 = 【没有的】 高于 5"}, "没有叫“没有的”的数据项"),
        ({"rows": "年龄 = 1"}, "已经有叫“年龄”的了"),
        ({"before": "nowhere"}, "请选接在哪一步前面"),
        ({"name": ""}, "给新节点起个名字"),
    ):
        await place(desk, base, **wrong)
        assert (desk.reply.status_code, sentence in desk.words) == (422, True), desk.words
    await place(desk, base)
    assert desk.reply.status_code == 200, desk.words
    assert "每条路都有结果" in desk.words, desk.words
    made = await document_of(owner, desk.path)
    assert {("facts", "calc-1"), ("calc-1", "bureau")} <= {
        (e["sourceId"], e["targetId"]) for e in made["edges"]
    }
    version = desk.path.removesuffix("/arrange")
    assert f"{version}/node?node=calc-1" in desk.page.links
    await desk.get(version)
    for words in ("计算，后面的规则表可以用", "查询和机构数", "【近 6 个月贷款查询】 高于 5", "新增节点"):
        assert words in desk.words, desk.words
    assert "value_1" not in desk.words

    await desk.get(f"{version}/columns?table=bureau")
    form = desk.page.form("/columns")
    form.action += "/check"
    await desk.send(form, act="add", fact="查询和机构数")
    await desk.send(desk.page.form("/columns"), act="save")
    assert desk.reply.status_code == 200, desk.words
    version = desk.path
    await desk.get(f"{version}/row?table=bureau&row=new")
    cells = {
        **OWN,
        "查询和机构数": "不低于 20",
        "处理": "转人工",
        "原因码": "EL_MANY",
        "近 6 个月贷款查询": "",
    }
    await desk.send(desk.page.form(f"{version}/row"), act="save", **named(desk, cells))
    assert "查询和机构数 不低于 20" in desk.words, desk.words
    await act(desk, "check")
    assert "检查通过" in desk.words, desk.words
    version = desk.path
    await desk.get(f"{version}/rows.xlsx?table=bureau")
    assert desk.reply.status_code == 200


async def test_rows_are_changed_in_place_and_what_is_wrong_stands_at_its_row(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    await place(desk, await draft(desk))
    version = desk.path.removesuffix("/arrange")
    before = await document_of(owner, version)
    count = await owner.fetchval("select count(*) from strategies.versions")
    await desk.get(f"{version}/node?node=calc-1")
    assert "得数：整数，0 到 " in desk.words
    assert "得数：是或否" in desk.words
    for formula, sentence in (
        ("【近 6 个月贷款查询】 ÷ 【有余额的贷款机构数】", "除号后面的数可能是 0"),
        ("【近 6 个月贷款查询】 ÷ 3", "可能不是整数"),
        ("【查得多】 是", "同一个节点里的名字互相看不见"),
        ("【申请金额】 + 【近 6 个月贷款查询】", "单位不一样"),
    ):
        await press(desk, name_2="平均", value_2=formula)
        assert (desk.reply.status_code, sentence in desk.words) == (200, True), desk.words
        assert desk.page.form("/node").values["value_2"] == formula, "what was written stays"
    await press(desk, name_2="三成", value_2="取整(【申请金额】 × 30%)")
    assert ("这样写没有问题" in desk.words, "得数：金额，" in desk.words) == (True, True), desk.words
    assert await owner.fetchval("select count(*) from strategies.versions") == count
    await desk.send(desk.page.form("/node"), act="save", value_2="【没有】")
    assert (desk.reply.status_code, "没有叫“没有”的数据项" in desk.words) == (422, True)
    await desk.send(
        desk.page.form("/node"), act="save", value_2="取整(【申请金额】 × 30%)", name_1="", value_1=""
    )
    assert desk.reply.status_code == 200, desk.words
    after = await document_of(owner, desk.path)
    old, new = (
        next(n for n in d["nodes"] if n["id"] == "calc-1")["content"]["expressions"] for d in (before, after)
    )
    assert [each["description"] for each in new] == ["查询和机构数", "三成"]
    assert new[0] == old[0], "what nobody touched keeps its bytes"
    assert "三成 = 取整(【申请金额】 × 30%)" in desk.words, "the difference says it"


async def test_a_county_and_a_flow_without_calculations_have_no_such_page(desks: Desks) -> None:
    union = await desks.of("SL0001")
    base = await draft(union)
    await union.get(f"{base}/node?node=calc-1")
    assert (union.reply.status_code, "检查和审批" in union.words) == (200, True)
    await place(union, base)
    version = union.path.removesuffix("/arrange")
    await union.get(f"{version}/node?node=nonsense")
    assert "检查和审批" in union.words, "one that is not there is no other one"
    county = await desks.of("JX0101")
    await county.get(f"{version}/node?node=calc-1")
    assert county.reply.status_code == 404, "head office is only writing it"
