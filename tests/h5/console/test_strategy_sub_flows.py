"""子流程 made in a draft and changed in place, on the very pages of the flow itself (issue 3 §8)."""

import io
import json
import zipfile

import asyncpg

from backend.domains.decision import bundle, jdm_archive
from backend.sandbox.forms import Form
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import HOME, act, draft, named
from tests.h5.console.test_strategy_arrange import document_of, place

ROW = {
    "年龄": "高于 74",
    "原因码": "EL_OLD",
    "处理": "转人工",
    "给客户的话": "年龄 {年龄} 岁，要请人看一下",
    "可以怎么做": "请带上家里人一起来",
}


async def make(desk: Desk, base: str, **given: str) -> str:
    """A sub-flow of the draft's own; the address of the version it is in."""
    await desk.get(f"{base}/arrange")
    asked = {"kind": "decisionNode", "name": "年长的客户", "flow": "new", "columns": "年龄"} | given
    await desk.send(desk.page.form("/arrange/add"), **asked)
    return desk.path.removesuffix("/arrange")


async def fill(desk: Desk, inner: str, cells: dict[str, str], row: str = "table-1-1") -> None:
    await desk.get(f"{inner}/row?table=table-1&row={row}")
    await desk.send(desk.page.form(f"{inner}/row"), act="save", **named(desk, cells))


async def made_and_filled(desk: Desk) -> str:
    base = await make(desk, await draft(desk))
    assert desk.reply.status_code == 200, desk.words
    await fill(desk, f"{base}~flow-1", ROW)
    assert desk.reply.status_code == 200, desk.words
    return desk.path.split("~")[0]


async def inner_of(owner: asyncpg.Connection, path: str, node: str = "flow-1") -> dict:
    """The document of a sub-flow, as the version names it."""
    outer = await document_of(owner, path.split("~")[0])
    key = next(n["content"]["key"] for n in outer["nodes"] if n["id"] == node)
    return json.loads(await owner.fetchval("select body from decision.versions where hash = $1", key))


def declared(document: dict) -> set[str]:
    entry = next(n for n in document["nodes"] if n["type"] == "inputNode")
    return set(json.loads(entry["content"]["schema"])["properties"])


async def test_a_sub_flow_is_made_opened_filled_checked_and_told_of_in_the_whole(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await make(desk, await draft(desk))
    assert desk.reply.status_code == 200, desk.words
    assert "年长的客户 › 规则 第 1 行" in desk.words, (
        "its row is still to be filled in, and the place says so"
    )
    assert f"{base}~flow-1" in desk.page.links
    await desk.get(base)
    assert ("年长的客户 子流程" in desk.words, f"{base}~flow-1" in desk.page.links) == (True, True), (
        desk.words
    )
    await act(desk, "check")
    assert "规则 第 1 行" in desk.words, "at the sub-flow's panel"
    await desk.get(f"{base}~flow-1")
    assert "上次检查，这里面有要改的" in desk.words, desk.words

    await desk.get(f"{base}~flow-1/row?table=table-1&row=table-1-1")
    form = desk.page.form(f"{base}~flow-1/row")
    count = await owner.fetchval("select count(*) from decision.versions")
    for cells, sentence in (
        ({**ROW, "年龄": "很老"}, "看不懂“很老”"),
        ({**ROW, "年龄": "高于 900"}, "超出这个数据项的范围，永远不会生效"),
        ({**ROW, "给客户的话": "包过，年龄也行"}, "对客户不能说"),
        (ROW, "这样写没有问题"),
    ):
        sent = form.filled(**named_of(desk, form, cells))
        await desk._arrive(await desk.http.post(f"{base}~flow-1/row/check", data=sent))
        assert (desk.reply.status_code, sentence in desk.words) == (200, True), desk.words
    assert await owner.fetchval("select count(*) from decision.versions") == count, "nothing is stored"

    await fill(desk, f"{base}~flow-1", ROW)
    assert (desk.reply.status_code, "~flow-1" in desk.path) == (200, True), "back on the sub-flow's page"
    assert ("年龄 高于 74" in desk.words, "已存成第 4 版" in desk.words) == (True, True), desk.words
    base = desk.path.split("~")[0]
    await desk.get(base)
    for words in ("年长的客户 › 规则", "新增表", "EL_OLD"):
        assert words in desk.words, desk.words
    await act(desk, "check")
    assert "检查通过" in desk.words, desk.words
    await desk.get(f"{HOME}/compare?after={base.rsplit('/', 1)[1]}")
    assert "年长的客户 › 规则" in desk.words
    await desk.get(f"{base}/try")
    assert ("子流程：年长的客户" in desk.words, "年龄 高于 74" in desk.words) == (True, True)


def named_of(desk: Desk, form: object, cells: dict[str, str]) -> dict[str, str]:
    """The fields of an editor's form by their labels, read once and kept."""
    held = getattr(form, "by_label", None) or named(desk, cells)
    return held if cells is ROW else {**held, **dict(zip(named(desk, cells), cells.values(), strict=True))}


async def test_columns_calculations_and_the_graph_of_a_sub_flow_are_changed_on_the_same_pages(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    outer = declared(await document_of(owner, base))
    await desk.get(f"{base}~flow-1/columns?table=table-1")
    form = desk.page.form("/columns")
    form.action += "/check"
    await desk.send(form, act="add", fact="家庭人口")
    assert desk.reply.status_code == 200, desk.words
    await desk.send(desk.page.form("/columns"), act="save")
    assert desk.reply.status_code == 200, desk.words
    inner = desk.path
    now = declared(await document_of(owner, inner.split("~")[0])) - outer
    assert len(now) == 1, "what the sub-flow looks at, the whole declares"
    assert now < declared(await inner_of(owner, inner))

    await desk.get(f"{inner}/columns?table=table-1")
    form = desk.page.form("/columns")
    form.action += "/check"
    await desk.send(form, act="gone:1")
    await desk.send(desk.page.form("/columns"), act="save")
    base = desk.path.split("~")[0]
    assert declared(await document_of(owner, base)) == outer, "and no longer than it looks at it"

    await desk.get(f"{base}~flow-1/arrange")
    asked = {"kind": "expressionNode", "name": "合计", "before": "table-1", "rows": "翻倍 = 【年龄】 × 2"}
    await desk.send(desk.page.form("/arrange/add"), **asked)
    assert desk.reply.status_code == 200, desk.words
    inner = desk.path.removesuffix("/arrange")
    assert f"{inner}/node?node=calc-1" in desk.page.links
    await desk.get(f"{inner}/node?node=calc-1")
    await desk.send(desk.page.form("/node"), act="save", value_0="【年龄】 × 3")
    assert ("【年龄】 × 3" in desk.words, "~flow-1" in desk.path) == (True, True), desk.words
    await act_of(desk, "check")
    assert "检查通过" in desk.words, desk.words


async def test_a_scorecard_inside_reads_what_the_whole_declares(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    before = declared(await document_of(owner, base))
    await desk.get(f"{base}~flow-1/arrange")
    asked = {"model": bundle.seeded().card.hash, "result": "信用分", "before": "table-1"}
    await desk.send(desk.page.form("/arrange/add"), kind="customNode", name="农户评分", **asked)
    assert desk.reply.status_code == 200, desk.words
    inner = desk.path.removesuffix("/arrange")
    reads = declared(await document_of(owner, inner.split("~")[0])) - before
    assert reads <= set(bundle.seeded().card.inputs)
    assert reads
    await desk.get(f"{inner}/score?node=score-1")
    form = desk.page.form("/score")
    check = Form(action=f"{form.action}/check", values=form.values, method=form.method)
    await desk.send(check, act="check", result="年龄")
    assert "已经有叫“年龄”的了" in desk.words
    await desk.send(form, act="save", result="农户信用分")
    assert ("农户信用分" in desk.words, "~flow-1" in desk.path) == (True, True), desk.words
    whole = desk.path.split("~")[0]
    await desk.get(whole)
    await act(desk, "check")
    assert "检查通过" in desk.words, desk.words
    await desk.get(f"{whole}~flow-1/arrange")
    n = place(await inner_of(owner, whole), "score-1")
    await desk.send(desk.page.form("/arrange"), act="save", **{f"gone_{n}": "yes"})
    await desk.get(desk.path.removesuffix("/arrange") + "/arrange")
    score = place(await inner_of(owner, desk.path), "table-1")
    await desk.send(desk.page.form("/arrange"), act="save", **{f"line_0_{score}": "yes"})
    assert declared(await document_of(owner, desk.path.split("~")[0])) == before, (
        "with it its facts go, outside too"
    )
    await act_of(desk, "check")
    assert "检查通过" in desk.words, desk.words


async def act_of(desk: Desk, name: str) -> None:
    """The same on the page of the whole version."""
    await desk.get(desk.path.split("~")[0])
    await act(desk, name)


async def test_a_sub_flow_in_a_sub_flow_is_changed_where_it_is(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    inner = await make(desk, f"{base}~flow-1", name="再里面")
    assert desk.reply.status_code == 200, desk.words
    await fill(desk, f"{inner}~flow-1", {**ROW, "年龄": "高于 73", "原因码": "EL_OLDER"})
    assert desk.path.count("~") == 2, desk.path
    assert "准入 第" in desk.words
    await act_of(desk, "check")
    assert "检查通过" in desk.words, desk.words
    assert "年长的客户 › 再里面 › 规则" in desk.words
    outside = await inner_of(owner, desk.path)
    assert [n["name"] for n in outside["nodes"] if n["type"] == "decisionNode"] == ["再里面"]


async def test_tables_of_the_graph_are_moved_into_a_sub_flow_and_decide_as_before(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before = await document_of(owner, base)
    taken = {f"take_{place(before, each)}": "yes" for each in ("request", "capacity")}
    for wrong, sentence in (
        ({}, "请勾要搬进子流程的规则表"),
        (
            {f"take_{n}": "yes" for n, e in enumerate(before["nodes"]) if "Table" in e["type"]},
            "至少留一张规则表",
        ),
        (taken, "“用途和申请”向县行开放着，先收回，搬进去以后再开放"),
    ):
        await make(desk, base, flow="taken", **wrong)
        assert (desk.reply.status_code, sentence in desk.words) == (422, True), desk.words
    await desk.get(f"{base}/openings")
    form = desk.page.form("/openings")
    for name in [each for each in form.values if each.startswith(("place_", "open_"))]:
        form.values.pop(name)
    await desk.send(form, note="收回，搬进子流程")
    base = desk.path.removesuffix("/openings")
    await make(desk, base, flow="taken", name="", **taken)
    assert (desk.reply.status_code, "给新节点起个名字" in desk.words) == (422, True)
    base = await make(desk, base, flow="taken", name="申请和还款", **taken)
    assert "每条路都有结果" in desk.words, desk.words
    outer, inner = await document_of(owner, base), await inner_of(owner, base)
    held = {n["id"]: n for n in before["nodes"]}
    assert [n for n in inner["nodes"] if n["id"] in ("request", "capacity")] == [
        held["request"],
        held["capacity"],
    ]
    assert not {"request", "capacity"} & {n["id"] for n in outer["nodes"]}
    await desk.get(base)
    await act(desk, "check")
    assert "检查通过" in desk.words, "every scenario comes out as before"


async def test_an_archive_carries_the_sub_flows_out_and_back_to_the_byte(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    document = await document_of(owner, base)
    file = (await desk.http.get(f"{base}/flow.json")).content
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.namelist() == [jdm_archive.MAIN, "子流程/年长的客户.json"]
        assert b"application/vnd.gorules.decision" in archive.read("子流程/年长的客户.json")
        outer = json.loads(archive.read(jdm_archive.MAIN))
    assert [n["content"]["key"] for n in outer["nodes"] if n["type"] == "decisionNode"] == [
        "子流程/年长的客户.json"
    ]
    await desk.get(f"{base}/files")
    form = desk.page.form(f"{base}/flow")
    await desk._arrive(
        await desk.http.post(form.action, data=form.filled(note="原样"), files={"file": ("a.zip", file)})
    )
    assert desk.reply.status_code == 200, desk.words
    assert await document_of(owner, desk.path) == document

    await desk.get(f"{desk.path}~flow-1/files")
    inner, form = desk.path.removesuffix("/files"), desk.page.form("~flow-1/flow")
    own = json.loads((await desk.http.get(f"{inner}/flow.json")).content)
    table = next(n for n in own["nodes"] if n["type"] == "decisionTableNode")
    table["content"]["rules"][0]["c1"] = "> 73"
    sent = {"file": ("b.json", json.dumps(own).encode())}
    await desk._arrive(await desk.http.post(form.action, data=form.filled(), files=sent))
    assert ("年龄 高于 73" in desk.words, "~flow-1" in desk.path) == (True, True), desk.words
    await desk.get(f"{desk.path}/rows.xlsx?table=table-1")
    assert desk.reply.status_code == 200


async def test_a_tried_case_shows_the_row_that_matched_inside(desks: Desks) -> None:
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    await fill(desk, f"{base}~flow-1", {"年龄": "高于 20"})
    await desk.get(f"{desk.path.split('~')[0]}/try")
    inside = desk.words.split("子流程：年长的客户")[1]
    assert ("命中" in inside, "年龄 高于 20" in inside) == (True, True), inside
    assert 'id="t-flow-1-table-1"' in desk.reply.text, "its panels are told from those outside"
    answer = desk.words.split("改了马上重算")[1][:40]
    assert "转人工" in answer, "the answer stands where the levers are"


async def test_a_county_reads_a_sub_flow_of_what_is_live_and_changes_nothing(
    road: Road, desks: Desks
) -> None:
    maker, second, county = [await desks.of(each) for each in ("SL0001", "SL0002", "JX0101")]
    await maker.get(await made_and_filled(maker))
    await act(maker, "check")
    await act(maker, "submit")
    await road.drain()  # its effect on past cases
    live = maker.path.rsplit("/", 1)[1]
    await second.get(maker.path)
    await act(second, "approve", reason="看过子流程")
    await maker.get(f"{HOME}/{live}")
    assert "准入 第 4 版 在用" in maker.words, maker.words
    await county.get(f"{HOME}/of?product=*&stage=eligibility")
    assert f"{HOME}/{live}~flow-1" in county.page.links, county.words
    await county.get(f"{HOME}/{live}~flow-1")
    assert (county.reply.status_code, "年龄 高于 74" in county.words) == (200, True)
    assert not [link for link in county.page.links if "/row" in link or "/columns" in link]
    await county.get(f"{HOME}/{live}~flow-1/row?table=table-1&row=table-1-1")
    form = county.page.form("/row")
    await county.send(form, act="save", cell_0="高于 20")
    assert county.reply.status_code in (403, 404, 409), county.words
    await maker.get(f"{HOME}/{live}~flow-1/row?table=table-1&row=table-1-1")
    await maker.send(maker.page.form("/row"), act="save", cell_0="高于 20")
    assert maker.reply.status_code == 409, "what is live is changed by a draft alone"


async def test_only_the_draft_changes_and_who_may_not_write_only_looks(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await made_and_filled(desk)
    old, inner = base, await inner_of(owner, base)
    await fill(desk, f"{base}~flow-1", {"年龄": "高于 73"})
    assert await inner_of(owner, old) == inner, "a version never changes"
    assert await inner_of(owner, desk.path) != inner
    await desk.get(f"{old}~flow-1")
    assert "这份草稿后来有人接着改了" in desk.words
    assert f"{old}~flow-1/row" not in str(desk.page.links), "nothing to change on what was superseded"
    for missing in (f"{base}~nothing", f"{base}~person", f"{base}~flow-1~flow-1", f"{base}~flow-1/openings"):
        await desk.get(missing)
        assert desk.reply.status_code == 404, missing
    county = await desks.of("JX0101")
    await county.get(f"{desk.path.split('#')[0]}")
    assert county.reply.status_code == 404, "head office is only writing it"
