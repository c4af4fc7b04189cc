"""决策流配置 through the door: see, edit, check, submit, approve by a second person, live, back (A3-33, A3-34, N4)."""

import io
import json
import re

import asyncpg
import msgspec
import openpyxl
import pytest

from backend.core import ids
from backend.core.actor import system
from backend.domains.audit import service as audit
from tests.domains.trials.test_versions import decided_in
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks, anew

HOME = "/console/strategies"


async def draft(desk: Desk, stage: str = "eligibility", reason: str = "近期查询多的客户坏得多") -> str:
    """Begins one; the address of its page."""
    await desk.get(HOME)
    await desk.send(desk.page.form(f"{HOME}/drafts"), stage=stage, reason=reason)
    assert desk.reply.status_code == 200, desk.words
    return desk.path


async def act(desk: Desk, name: str, **given: str) -> None:
    """Press this button of the version's page, or send the same where the page does not offer it."""
    form = next(f for f in desk.page.forms if f.action.endswith("/act"))
    await desk.send(form, act=name, **given)


async def new_row(desk: Desk, base: str, table: str = "bureau", **cells: str) -> None:
    """Adds a row: fields by the column's label."""
    await desk.get(f"{base}/row?table={table}&row=new")
    await desk.send(desk.page.form(f"{base}/row"), act="save", **named(desk, cells))


def named(desk: Desk, cells: dict[str, str]) -> dict[str, str]:
    labels = dict(re.findall(r'<label for="(cell_\d+)">([^<]+)</label>', desk.reply.text))
    by_label = {label: name for name, label in labels.items()}
    return {by_label[label]: text for label, text in cells.items()}


OWN = {
    "近 6 个月贷款查询": "不低于 5",
    "原因码": "A11",
    "处理": "转人工",
    "给客户的话": "近 6 个月查询贷款 {近 6 个月贷款查询} 次",
    "可以怎么做": "过 3 个月再来",
}


async def test_everyone_of_the_desk_reads_what_is_live_in_chinese(desks: Desks) -> None:
    for staff_no in ("JX0101", "JX0301", "JX0401", "SL0001"):
        desk = await desks.of(staff_no)
        await desk.get("/console")
        assert HOME in desk.page.links, "the menu offers it"
        await desk.get(HOME)
        for words in ("决策流配置", "所有产品", "反欺诈", "准入", "评级", "定额", "定价", "贷后预警"):
            assert words in desk.words
        await desk.get(f"{HOME}/of?product=*&stage=eligibility")
        for words in ("征信", "对外担保余额 高于 500,000 元", "在服务区域内 否", "拒绝", "EL_AREA"):
            assert words in desk.words
        for words in ("近 1 个月贷款查询 高于 4 次", "年龄 低于 最低借款年龄"):
            assert words in desk.words, "a number says what it counts, a name needs no unit"
        assert "最低借款年龄 岁" not in desk.words
        assert "bureau_guarantee" not in desk.reply.text
    auditor = await desks.of("JX0401")
    await auditor.get(HOME)
    assert not any(f.action.endswith("/drafts") for f in auditor.page.forms)


async def test_a_countys_row_goes_from_draft_to_live_by_a_second_person(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    maker = await desks.of("JX0101")
    base = await draft(maker)
    await new_row(maker, base, **OWN)
    assert maker.reply.status_code == 200, maker.words
    assert ("本行 1" in maker.words, "近 6 个月贷款查询 不低于 5" in maker.words) == (True, True), maker.words
    assert "新增行" in maker.words
    await act(maker, "check")
    assert "检查通过" in maker.words, maker.words
    await act(maker, "submit")
    assert "要由另一个人审批" in maker.words
    path = maker.path
    await act(maker, "approve", reason="自己批自己")
    assert (maker.reply.status_code, "另一个人审批" in maker.words) == (403, True)
    second = await desks.of("JX0301")
    await second.get(HOME)
    assert "等您批" in second.words
    await second.get(path)
    await act(second, "approve", reason="")
    assert second.reply.status_code == 422
    await second.get(path)
    await act(second, "approve", reason="同意，和贷后的数对得上")
    assert "在用" in second.words
    live = await owner.fetchval("select count(*) from decision.live where institution_id = '4101'")
    assert live == 1
    async with road.db.read(system("4101", "test")) as tx:
        actions = {each.action for each in await audit.of(tx, path.rsplit("/", 1)[1])}
    assert {"strategy.check", "strategy.submit", "strategy.approved", "strategy.live"} <= actions
    await second.get(f"{HOME}/of?product=*&stage=eligibility")
    assert "本行第" in second.words


async def test_checks_as_one_types_store_nothing_and_stand_at_the_cell(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("JX0101")
    base = await draft(desk)
    await desk.get(f"{base}/row?table=bureau&row=new")
    form, count = (
        desk.page.form(f"{base}/row"),
        await owner.fetchval("select count(*) from strategies.versions"),
    )
    sent = form.filled(**named(desk, {**OWN, "近 6 个月贷款查询": "高于 9000"}))
    reply = await desk._arrive(await desk.http.post(f"{base}/row/check", data=sent))
    assert reply.status_code == 200
    assert "超出这个数据项的范围，永远不会生效" in desk.words
    sent = form.filled(**named(desk, {**OWN, "近 6 个月贷款查询": "很多次"}))
    await desk._arrive(await desk.http.post(f"{base}/row/check", data=sent))
    assert "看不懂“很多次”" in desk.words
    sent = form.filled(**named(desk, OWN))
    await desk._arrive(await desk.http.post(f"{base}/row/check", data=sent))
    assert "这样写没有问题" in desk.words, desk.words
    assert await owner.fetchval("select count(*) from strategies.versions") == count


async def test_rows_are_copied_moved_and_removed_and_other_cells_keep_their_bytes(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0002")
    base = await draft(desk)
    before = await content(owner, base)
    await desk.get(f"{base}/row?table=bureau&row=bureau-5")
    await desk.send(
        desk.page.form(f"{base}/row"), act="save", **named(desk, {"近 24 个月最深逾期": "不低于 2"})
    )
    changed = await content(owner, desk.path)
    rows, old = rules(changed), rules(before)
    assert sum(a != b for a, b in zip(rows, old, strict=True)) == 1
    at = next(i for i, (a, b) in enumerate(zip(rows, old, strict=True)) if a != b)
    assert sum(rows[at][key] != old[at][key] for key in rows[at]) == 1
    for act_name, check in (
        ("copy", lambda now: len(now) == len(old) + 1),
        ("down", lambda now: [r["_id"] for r in now] != [r["_id"] for r in rows]),
        ("remove", lambda now: "bureau-5" not in [r["_id"] for r in now]),
    ):
        await desk.get(f"{desk.path}/row?table=bureau&row=bureau-5")
        await desk.send(desk.page.form("/row"), act=act_name)
        assert desk.reply.status_code == 200, desk.words
        assert check(rules(await content(owner, desk.path))), act_name


async def test_a_countys_number_outside_the_band_or_looser_is_told_at_its_field(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    base = await draft(desk)
    form = desk.page.form(f"{base}/parameters")
    await desk.send(form, knob_0="好多")
    assert (desk.reply.status_code, "只能写一个数" in desk.words) == (422, True)
    await desk.send(form, knob_0="3", knob_1="9", note="试一个放宽的数")
    assert desk.reply.status_code == 422
    assert "近 6 个月贷款查询是 8 的客户，省联社会拒绝" in desk.words, desk.words
    assert desk.path.endswith("/parameters")
    kept = desk.page.form(f"{base}/parameters").values
    assert (kept["knob_0"], kept["knob_1"], kept["note"]) == ("3", "9", "试一个放宽的数"), "nothing is lost"
    at = desk.reply.text.index('name="knob_1"')
    assert "省联社会拒绝" in desk.reply.text[at : at + 400], "at its field"
    await desk.send(form, knob_1="3", note="比范围还严")
    assert (desk.reply.status_code, "只能在 4 到 8 之间，现在是 3" in desk.words) == (422, True), desk.words
    await desk.get(base)
    assert desk.page.form(f"{base}/parameters").values["knob_1"] == "", "and nothing was saved"


async def test_a_countys_numbers_are_checked_while_typed_and_what_was_saved_is_said(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    """At the field, at once, storing nothing; then by number and note, which whoever approves reads too (A3-33)."""
    desk = await desks.of("JX0101")
    base = await draft(desk)
    form, count = (
        desk.page.form(f"{base}/parameters"),
        await owner.fetchval("select count(*) from strategies.versions"),
    )
    for typed, told in (("五次", "这里只能写一个数"), ("９", "省联社会拒绝"), ("３", "只能在 4 到 8 之间，现在是 3"),
                        ("６", "这样写没有问题，还没有存")):  # fmt: skip
        sent = form.filled(knob_1=typed)
        await desk._arrive(await desk.http.post(f"{base}/parameters/check", data=sent))
        assert (desk.reply.status_code, told in desk.words) == (200, True), (typed, desk.words)
        at = "knobs-said" if "没有问题" in told else "knob_1-said"
        assert told in desk.reply.text.split(f'id="{at}"', 1)[1].split("</div>", 1)[0], (
            typed,
            "at its field",
        )
    assert await owner.fetchval("select count(*) from strategies.versions") == count
    await desk.get(base)
    await desk.send(desk.page.form(f"{base}/parameters"), knob_1="６", note="近半年查询收紧")
    assert "已存成第 2 版：近半年查询收紧" in desk.words, desk.words
    stale = desk.page.form("/parameters")
    await new_row(desk, desk.path, **OWN)
    saved = desk.path
    await desk._arrive(await desk.http.post(f"{stale.action}/check", data=stale.filled(knob_1="5")))
    assert "这份草稿有人接着改了，现在是第 3 版。点“存成草稿”，您写的会搬到那一版上" in desk.words, (
        "an old tab is told while typing"
    )
    await desk.send(stale, knob_1="5", note="旧页上写的")
    assert (desk.reply.status_code, "您写的已经搬到这一版上，还没有存" in desk.words) == (409, True)
    await desk.get(f"{saved}?saved=1")
    assert "已存成第 3 版：改了征信的一行" in desk.words, desk.words
    assert "征信 本行第 1 行" in desk.words, "called as its table and its editor call it"
    await act(desk, "check")
    assert "提醒：近 6 个月贷款查询 6 次时省第 4 行（本行的数）和本行第 1 行都命中" in desk.words, desk.words
    assert "已存成" not in desk.words
    await act(desk, "submit")
    second = await desks.of("JX0301")
    await second.get(desk.path)
    _, course = second.words.split("每次存时写的说明（2）")
    assert "改了征信的一行" in course.split("近半年查询收紧")[0], "the newest first"


async def test_who_approves_sees_what_an_effect_stands_on_and_has_it_worked_out_anew(
    road: Road, desks: Desks
) -> None:
    """Of other days' cases it would be other figures (A3-34)."""
    await decided_in(road.context, "4101", "4101")
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await new_row(maker, await draft(maker), **OWN)
    await act(maker, "check")
    await road.drain()
    await act(maker, "submit")
    await second.get(maker.path)
    assert re.search(r"用的是今天 \d+:\d\d 到今天 \d+:\d\d 的 8 件，今天 \d+:\d\d 算的", second.words), (
        second.words
    )
    assert "没有算在里面" not in second.words
    await decided_in(road.context, "4101")
    await second.get(maker.path)
    assert "算完以后又有 4 件新的，没有算在里面" in second.words, second.words
    await act(second, "measure")
    assert second.reply.status_code == 200
    await road.drain()
    await second.get(maker.path)
    assert ("的 12 件，" in second.words, "没有算在里面" in second.words) == (True, False), second.words
    auditor = await desks.of("JX0401")
    await auditor.get(maker.path)
    assert not [each for each in auditor.page.forms if each.action.endswith("/act")]


def marks(desk: Desk) -> set[str]:
    return set(re.findall(r'<span class="layer[^"]*">(\S*) \d+</span>', desk.reply.text))


async def test_a_row_is_called_by_whose_it_is(desks: Desks) -> None:
    county, union = await desks.of("JX0101"), await desks.of("SL0001")
    await county.get(f"{HOME}/of?product=*&stage=eligibility")
    assert marks(county) == {"省"}, "the county has no layer, so every row is head office's"
    base = await draft(county)
    await new_row(county, base, **OWN)
    assert marks(county) == {"省", "本行"}
    await union.get(county.path)
    assert marks(union) == {"省", "县行"}, "head office is not the county"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("老客户秒 批，马上到账", "对客户不能说：秒批"),
        ("查" * 500, "一句话最多 60 个字，现在有 500 个"),
    ],
)
async def test_what_a_rule_says_to_a_customer_is_held_to_the_words_of_marketing(
    desks: Desks, said: str, told: str
) -> None:
    desk = await desks.of("JX0301")
    base = await draft(desk)
    await desk.get(f"{base}/row?table=bureau&row=new")
    form, cells = desk.page.form(f"{base}/row"), named(desk, {**OWN, "给客户的话": said})
    await desk.send(msgspec.structs.replace(form, action=f"{base}/row/check"), **cells)
    assert told in desk.words, "while one types"
    assert "这样写没有问题" not in desk.words
    await desk.send(form, act="save", **cells)
    await act(desk, "check")
    assert told in desk.words, desk.words
    assert "处要改，改好才能提交审批" in desk.words


@pytest.mark.parametrize(("table", "opened"), [("identity", False), ("lists", True)])
async def test_a_county_writes_only_where_head_office_opened(desks: Desks, table: str, opened: bool) -> None:
    desk = await desks.of("JX0101")
    base = await draft(desk, stage="fraud_check")
    await desk.get(f"{base}/row?table={table}&row=new")
    closed = "存成草稿" not in desk.words
    assert closed == (not opened), "what head office opened decides"
    form = desk.page.form(f"{base}/row")
    await desk.send(form, act="save", **named(desk, {"原因码": "X1", "处理": "转人工"}))
    assert desk.reply.status_code == (200 if opened else 403)


async def content(owner: asyncpg.Connection, path: str) -> object:
    return json.loads(
        await owner.fetchval("select content from strategies.versions where id = $1", path.split("/")[3])
    )


def rules(content: object) -> list[dict[str, str]]:
    document = content["document"]  # type: ignore[index]
    return next(n["content"]["rules"] for n in document["nodes"] if n["id"] == "bureau")


def levers(desk: Desk) -> dict[str, str]:
    found = re.findall(r'<label for="(fact_\d+)">([^<（]+)', desk.reply.text)
    return {label: name for name, label in found}


async def test_a_case_is_tried_on_a_draft_and_its_way_is_lit(desks: Desks, owner: asyncpg.Connection) -> None:
    desk = await desks.of("JX0301")
    base = await draft(desk)
    await new_row(desk, base, **OWN)
    path, count = desk.path, await owner.fetchval("select count(*) from decision.decisions")
    await desk.get(f"{path}/try")
    assert desk.reply.status_code == 200, desk.words
    before = desk.words
    assert "<svg" in desk.reply.text
    assert "流程图" in before
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    await desk.send(form, **{levers(desk)["近 6 个月贷款查询"]: "6"})
    assert "A11" in desk.words
    assert "<small>本行加的</small>" in desk.reply.text
    assert "命中" in desk.words
    assert 'class="box lit"' in desk.reply.text
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    await desk.send(form, **{levers(desk)["近 6 个月贷款查询"]: "0"})
    assert "<small>本行加的</small>" not in desk.reply.text
    await desk.send(form, **{levers(desk)["近 6 个月贷款查询"]: "很多"})
    assert "看不懂" in desk.words
    assert await owner.fetchval("select count(*) from decision.decisions") == count


async def test_what_is_computed_is_told_and_moved_by_the_facts_behind_it(desks: Desks) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await desk.get(f"{base}/try")
    offered = levers(desk)
    assert ("认可的年收入" in offered, "年龄" in offered) == (False, False), "no lever of their own"
    assert {"出生日期", "自报年收入", "月均代发工资"} <= set(offered)
    assert "算出来的" in desk.words
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    await desk.send(form, **{offered["自报年收入"]: "5000"})
    after = desk.words.split("算出来的")[1]
    assert "5,000 元" in after.split("认可的年收入")[1], after
    assert "EL_INCOME_PROOF" in desk.words


async def test_a_value_a_fact_cannot_have_is_told_with_its_range_and_the_old_one_counts(desks: Desks) -> None:
    desk = await desks.of("JX0301")
    base = await draft(desk)
    await new_row(desk, base, **OWN)
    await desk.get(f"{desk.path}/try")
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    for minus in ("-1", "−1", "－１"):
        await desk.send(form, **{levers(desk)["近 6 个月贷款查询"]: minus})
        assert "只能是 0 次 到 500 次，没有 -1" in desk.words, desk.words
        assert "下面先按它原来的值算" in desk.words
        assert "缺：" not in desk.words
    await desk.send(form, **{levers(desk)["近 6 个月贷款查询"]: "６"})
    assert "A11" in desk.words, "wide digits are digits"


async def test_a_county_sees_its_place_in_the_flow_of_head_office(desks: Desks) -> None:
    desk = await desks.of("JX0301")
    base = await draft(desk)
    await desk.get(f"{base}/try")
    assert "本行还没有加规则，这里是只按省联社的规则办的结果" in desk.words
    await desk.get(base)
    await new_row(desk, base, **OWN)
    await desk.get(f"{desk.path}/try")
    boxes = re.findall(
        r'<g class="box([^"]*)">.*?<text x[^>]*>([^<]*)</text><text[^>]*>([^<]*)<', desk.reply.text
    )
    names = {name.removeprefix("✓ "): (kind.split(), note) for kind, name, note in boxes}
    assert {"人", "用途和申请", "征信", "还款能力"} <= set(names), "head office's whole flow"
    assert names["征信"] == (["lit", "own"], "本行加了 1 行")
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    await desk.send(form, **{levers(desk)["近 6 个月贷款查询"]: "6"})
    assert "本行命中 1 行" in desk.words


async def test_the_limit_shows_every_cap_and_the_one_that_binds(desks: Desks) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk, stage="limit")
    await desk.get(f"{base}/try")
    assert "就是它" in desk.words
    assert ("客户申请的金额" in desk.words, "您申请的金额" in desk.words) == (True, False)
    assert "利率是怎么来的" in desk.words


async def test_a_table_goes_out_to_excel_and_back_as_the_same_content(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before = await content(owner, base)
    file = (await desk.http.get(f"{base}/rows.xlsx?table=bureau")).content
    await desk.get(f"{base}/files?table=bureau")
    values = {**desk.page.form(f"{base}/rows").values, "table": "bureau", "pasted": "", "note": "原样导回"}
    back = await desk._arrive(
        await desk.http.post(f"{base}/rows", data=values, files={"sheet": ("征信.xlsx", file)})
    )
    assert back.status_code == 200, desk.words
    assert await content(owner, desk.path) == before
    assert "已存成第 3 版：原样导回（新增 0 行，修改 0 行，删掉 0 行）" in desk.words, desk.words
    path = desk.path
    pasted = "行号\t条件：不存在\n\t1"
    await desk.get(f"{path}/files?table=bureau")
    values = {**desk.page.form(f"{path}/rows").values, "table": "bureau", "pasted": pasted, "note": ""}
    await desk._arrive(await desk.http.post(f"{path}/rows", data=values, files={"sheet": ("", b"")}))
    assert desk.reply.status_code == 422
    assert "看看是不是选错了表，或者没有把列名那一行带上" in desk.words, (
        "one sentence, not one for each column"
    )
    head = [str(each.value or "") for each in openpyxl.load_workbook(io.BytesIO(file)).worksheets[0][1]]
    values = {
        **desk.page.form(f"{path}/rows").values,
        "table": "bureau",
        "note": "",
        "pasted": "\t".join(head),
    }
    await desk._arrive(await desk.http.post(f"{path}/rows", data=values, files={"sheet": ("", b"")}))
    assert "删掉 8 行）" in desk.words, "rows that a sheet leaves out do not go without a word"


async def test_a_wrong_file_is_told_what_it_is_and_what_is_wanted(desks: Desks) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    sheet = (await desk.http.get(f"{base}/rows.xlsx?table=bureau")).content
    for field, path, file, told in (
        ("sheet", "rows", b"", "没有选 Excel 文件，也没有贴内容"),
        ("sheet", "rows", b"%PDF-1.7 x", "给的是 PDF 文件，不是 Excel 文件"),
        ("sheet", "rows", b'{"nodes": []}', "给的是 JSON 文件"),
        ("sheet", "rows", sheet[: len(sheet) // 2], "给的是 Excel 文件（.xlsx），但文件坏了"),
        ("file", "flow", b"", "没有选文件"),
        ("file", "flow", sheet, "给的是 Excel 文件（.xlsx），要的是从这里导出的流程图文件"),
        ("file", "flow", b"\x89PNG\r\n", "给的是图片（PNG），要的是"),
        ("file", "flow", b'{"a": 1}', "它是 JSON，但里面没有节点"),
    ):
        await desk.get(f"{base}/files?table=bureau")
        values = {**desk.page.form(f"{base}/{path}").values, "note": ""}
        await desk._arrive(await desk.http.post(f"{base}/{path}", data=values, files={field: ("甲", file)}))
        assert (desk.reply.status_code, told in desk.words) == (422, True), (told, desk.words[-900:])


async def test_an_effect_that_is_still_counted_shows_how_far_it_is_and_no_zeros(
    desks: Desks, road: Road
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await act(desk, "check")
    panel = desk.reply.text.split('id="effect"')[1].split("</section>")[0]
    assert "在等着算" in panel
    assert "hx-trigger" in panel, "it comes by itself"
    assert "0.0%" not in panel
    await road.drain()
    await desk.get(base)
    panel = desk.reply.text.split('id="effect"')[1].split("</section>")[0]
    assert ("在等着算" in panel, "hx-trigger" in panel, "0.0%" in panel) == (False, False, False), panel


HALF = b'{"nodes": [{"id": "a", "type": "decisionTableNode", "name": "a"}], "edges": []}'


async def test_a_flow_goes_out_as_jdm_and_back_and_what_is_no_flow_is_told(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before = await content(owner, base)
    file = (await desk.http.get(f"{base}/flow.json")).content
    assert json.loads(file)["contentType"] == "application/vnd.gorules.decision"
    await desk.get(f"{base}/files")
    values = desk.page.form(f"{base}/flow").values
    await desk._arrive(await desk.http.post(f"{base}/flow", data=values, files={"file": ("a.json", file)}))
    assert desk.reply.status_code == 200, desk.words
    assert await content(owner, desk.path) == before
    base = desk.path
    for bad in (b"", b"{}", b"[1]", b'{"nodes": [1]}', b'{"nodes": [], "edges": []}', HALF):
        reply = await desk.http.post(f"{base}/flow", data=values, files={"file": ("a.json", bad)})
        assert reply.status_code == 422, bad


async def test_a_tried_case_becomes_a_scenario_and_another_county_does_not_reach_it(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("JX0101")
    await new_row(desk, await draft(desk), **OWN)
    base = desk.path
    await desk.get(f"{base}/try")
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    form.action = f"{base}/scenario"
    await desk.send(form, name="", outcome="approved")
    assert (desk.reply.status_code, "起个名字" in desk.words) == (422, True)
    await desk.send(anew(form), name="没有说结果的")
    assert (desk.reply.status_code, "请选一个应当的结果" in desk.words) == (422, True), "nothing is preset"
    await desk.send(anew(form), name="查询六次的养殖户", outcome="approved")
    assert (desk.reply.status_code, "查询六次的养殖户" in desk.words) == (200, True), desk.words
    await desk.send(anew(form), name="查询六次的养殖户", outcome="approved")
    assert (desk.reply.status_code, "同名" in desk.words) == (409, True)
    await desk.get(f"{HOME}/scenarios")
    stop = next(f for f in desk.page.forms if f.action.endswith("/scenarios") and f.method == "post")
    other = await desks.of("YX0101")
    await other.get(f"{HOME}/scenarios")
    token = next(f.values["csrf_token"] for f in other.page.forms if "csrf_token" in f.values)
    for wish in ("ask", "agree", "keep"):
        mine = {"csrf_token": token, "form_key": ids.new(), "act": wish, "why": "不要了"}
        reply = await other.http.post(stop.action, data={**mine, "scenario": stop.values["scenario"]})
        assert reply.status_code == 404, wish
    held = "select count(*) from strategies.scenarios where institution_id = '4101' and retired_at is null"
    assert await owner.fetchval(held) == 1
    await desk.send(stop, why="和新的规则对不上")
    assert await owner.fetchval(held) == 1, "until another person has agreed"
    second = await desks.of("JX0301")
    await second.get(f"{HOME}/scenarios")
    await second.send(next(f for f in second.page.forms if f.values.get("act") == "agree"))
    assert await owner.fetchval(held) == 0


async def test_a_scenario_that_is_not_as_it_should_be_stands_first_of_them_all(desks: Desks) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await desk.get(f"{base}/try")
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    form.action = f"{base}/scenario"
    await desk.send(form, name="代发客户这回要拒绝", outcome="declined")
    assert desk.reply.status_code == 200, desk.words
    await desk.get(f"{HOME}/scenarios")
    first, second = (desk.words.index(each) for each in ("代发客户这回要拒绝", "代发工资客户，应当通过"))
    assert first < second, "the newest by date, but the one that stops every approval"
