"""A table and a number inside a sub-flow opened to counties, and used by one, on the pages (N4, issue 3 §2)."""

import json
import re

import asyncpg

from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import HOME, OWN, act, draft, named
from tests.h5.console.test_strategy_compare import put_live
from tests.h5.console.test_strategy_nodes import place
from tests.h5.console.test_strategy_openings import field_of
from tests.h5.console.test_strategy_sub_flows import made_and_filled

MINE = {
    "年龄": "高于 50",
    "原因码": "CT_OLD",
    "处理": "拒绝",
    "给客户的话": "本行另有规定",
    "可以怎么做": "请问客户经理",
}
LABEL = "年龄高于多少转人工"


async def open_inside(road: Road, maker: Desk, second: Desk) -> None:
    base = await made_and_filled(maker)
    await maker.get(f"{base}/openings")
    assert "年长的客户 › 规则" in maker.words, maker.words
    form = maker.page.form("/openings")
    number = field_of(maker, LABEL, "open").rsplit("_", 1)[1]
    place = re.search(r'name="(place_\d+)" value="yes"><span>年长的客户 › 规则', maker.reply.text)
    assert place, maker.reply.text
    given = {f"open_{number}": "yes", f"low_{number}": "60", f"high_{number}": "80", place[1]: "yes"}
    await maker.send(form, **given, note="年长的客户由县里看")
    assert "所以 80 不能在可选范围里" in maker.words, maker.words
    await maker.send(form, **given | {f"high_{number}": "74"}, note="年长的客户由县里看")
    assert maker.reply.status_code == 200, maker.words
    await maker.get(maker.path.removesuffix("/openings"))
    assert "60 到 74" in maker.words, "in what is different"
    await act(maker, "check")
    await road.drain()  # its effect on past cases
    await put_live(maker, second)


async def test_a_county_uses_what_is_open_inside_a_sub_flow_and_sees_it_tried_and_compared(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await open_inside(road, await desks.of("SL0001"), await desks.of("SL0002"))
    county, colleague = await desks.of("JX0101"), await desks.of("JX0301")
    base = await draft(county)
    assert "年长的客户 › 规则" in county.words, county.words
    assert LABEL in county.words
    link = f"{base}/row?table=flow-1/table-1&row=new"
    assert link in county.page.links, county.page.links
    assert 'hx-target="#edit-flow-1--table-1"' in county.reply.text, "a selector that can be read"
    await county.get(link)
    await county.send(
        county.page.form(f"{base}/row"), act="save", **named(county, MINE | {"年龄": "高于 500"})
    )
    await act(county, "check")
    assert "永远不会生效" in county.words, county.words
    wrong = county.reply.text.index("永远不会生效")
    assert county.reply.text.rindex('id="t-', 0, wrong) == county.reply.text.index('id="t-flow-1--table-1"')
    row = next(
        link for link in county.page.links if "table=flow-1/table-1&row=county" in link or "n1" in link
    )
    await county.get(row)
    await county.send(county.page.form("/row"), act="save", **named(county, MINE))
    assert county.reply.status_code == 200, county.words
    form = county.page.form("/parameters")
    number = next(
        name
        for name, text in re.findall(r'<label for="(knob_\d+)">([^<]+)', county.reply.text)
        if LABEL in text
    )
    await county.send(form, **{number: "80"}, note="放宽看看")
    assert "年龄是 75 的客户，省联社会转人工" in county.words, county.words
    await county.send(form, **{number: "60"}, note="收到 60 岁")
    assert county.reply.status_code == 200, county.words
    at = county.path
    for view in (f"{at}/files?table=flow-1/table-1", f"{at}/rows.xlsx?table=flow-1/table-1", f"{at}/preview"):
        assert (await county.get(view)).status_code == 200, view
    await county.get(f"{at}/try")
    assert "本行加了 1 行" in county.words or "本行命中" in county.words, county.words
    await county.get(at)
    await act(county, "check")
    await road.drain()
    assert county.words.count("永远不会生效") == 0
    assert county.reply.text.count("省第 1 行（本行的数）和本行第 1 行都命中") == 1, "said once, at its row"
    await put_live(county, colleague)
    kept = await owner.fetchval(
        "select body from decision.county_versions v join strategies.versions s on s.document_hash = v.hash"
        " where s.institution_id = '4101' and s.status = 'live' and s.stage = 'eligibility'"
    )
    assert "flow-1--table-1" in json.dumps(json.loads(kept))
    union = await desks.of("SL0001")
    await union.get(f"{HOME}/compare")
    assert union.reply.status_code == 200


async def test_a_county_writes_over_what_the_flow_computes_in_the_words_of_the_flow(
    road: Road, desks: Desks
) -> None:
    maker, second = await desks.of("SL0001"), await desks.of("SL0002")
    await place(maker, await draft(maker))
    version = maker.path.removesuffix("/arrange")
    await maker.get(f"{version}/columns?table=bureau")
    form = maker.page.form("/columns")
    form.action += "/check"
    await maker.send(form, act="add", fact="查询和机构数")
    await maker.send(maker.page.form("/columns"), act="save")
    version = maker.path
    await maker.get(f"{version}/row?table=bureau&row=new")
    row = {**OWN, "查询和机构数": "不低于 20", "处理": "转人工", "原因码": "EL_MANY", "近 6 个月贷款查询": ""}
    await maker.send(maker.page.form(f"{version}/row"), act="save", **named(maker, row))
    await maker.get(f"{maker.path}/openings")
    number = field_of(maker, "查询和机构数不低于多少转人工", "open").rsplit("_", 1)[1]
    given = {f"open_{number}": "yes", f"low_{number}": "10", f"high_{number}": "20"}
    await maker.send(maker.page.form("/openings"), **given, note="由县里收紧")
    assert maker.reply.status_code == 200, maker.words
    await maker.get(maker.path.removesuffix("/openings"))
    await act(maker, "check")
    await road.drain()
    await put_live(maker, second)

    county, colleague = await desks.of("JX0101"), await desks.of("JX0301")
    base = await draft(county)
    assert "查询和机构数" in county.words
    await county.get(f"{base}/row?table=bureau&row=new")
    mine = {**OWN, "查询和机构数": "不低于 4", "处理": "拒绝", "原因码": "CT_MANY", "近 6 个月贷款查询": ""}
    await county.send(county.page.form(f"{base}/row"), act="save", **named(county, mine))
    assert "查询和机构数 不低于 4" in county.words, county.words
    assert "value_1" not in county.words
    await act(county, "check")
    assert "检查通过" in county.words, county.words
    await county.get(f"{county.path}/try")
    assert county.reply.status_code == 200, county.words
    await county.get(county.path.removesuffix("/try"))
    await road.drain()
    await put_live(county, colleague)


async def test_a_case_inside_a_sub_flow_is_not_told_as_the_county_s_where_the_row_is_head_office_s(
    road: Road, desks: Desks
) -> None:
    await open_inside(road, await desks.of("SL0001"), await desks.of("SL0002"))
    county = await desks.of("JX0101")
    base = await draft(county)
    await county.get(f"{base}/try")
    inside = county.words.split("子流程：年长的客户")[1]
    assert "这里是省联社的行" in inside, inside
    assert "本行 1" not in inside, inside
    await county.get(f"{base}/files")
    assert "压缩包" not in county.words, "what a county adds is one flow"
