"""A draft that something newer overtook: it says so, shows what differs, and nothing of it is lost (A3-34)."""

import re

import asyncpg

from h5.console import strategy_carried
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import HOME, OWN, act, draft, named, new_row
from tests.h5.console.test_strategy_arrange import document_of
from tests.h5.console.test_strategy_columns import fields, heads, press
from tests.h5.console.test_strategy_compare import put_live
from tests.h5.console.test_strategy_life import OF, overlay
from tests.h5.console.test_strategy_nodes import place
from tests.h5.console.test_strategy_openings import field_of
from tests.h5.console.test_strategy_scores import place as place_score


async def overtaken(desks: Desks, *, submitted: bool = False):  # type: ignore[no-untyped-def]
    """A county's draft with A13, begun from a version with A11 and A12; what decides now has A11 alone."""
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await overlay(maker, "A11")
    await put_live(maker, second)
    await overlay(maker, "A12")
    await put_live(maker, second)
    await overlay(maker, "A13")
    if submitted:
        await act(maker, "check")
        await act(maker, "submit")
    path = maker.path
    assert "第 1 版在用了" not in maker.words
    await second.get(OF)
    await second.send(second.page.form("/roll-back"), reason="新的一版太严，退回")
    await maker.get(path)
    return maker, second, path


async def test_a_draft_something_overtook_says_what_changed_and_carries_its_change_over(desks: Desks) -> None:
    maker, _, path = await overtaken(desks)
    said = maker.words.split("起草以后，第")[1].split("把这份草稿的改动搬过去")[0]
    assert "在用了" in said
    assert "删除行" in said, said
    assert "A12" in said, "what went meanwhile"
    await act(maker, "carry")
    assert maker.reply.status_code == 200, maker.words
    assert maker.path != path
    tables = maker.words.split("检查和审批")[0]
    assert ("A11" in tables, "A12" in tables, "A13" in tables) == (True, False, True), tables
    assert "起草以后" not in maker.words
    await act(maker, "check")
    assert "检查通过" in maker.words
    assert "提交审批" in maker.words


async def test_a_draft_overtaken_before_its_second_person_offers_no_approval(desks: Desks) -> None:
    maker, second, path = await overtaken(desks, submitted=True)
    await second.get(path)
    assert "所以现在不能审批：先把改动搬过去，再检查、提交" in second.words, second.words
    assert "请起草的人来办" in second.words, second.words
    offered = re.findall(r'name="act" value="(\w+)"', second.reply.text)
    assert ("approve" in offered, "reject" in offered, "carry" in offered) == (False, True, True), offered
    await act(second, "approve", reason="同意")
    assert second.reply.status_code == 409
    assert "请起草的人在这一版的页面上点“把这份草稿的改动搬过去”" in second.words, second.words
    await maker.get(path)
    await act(maker, "carry")
    await put_live(maker, second)
    assert "在用" in second.words, second.words


async def test_a_draft_begun_anew_leaves_the_old_one_to_be_read(desks: Desks) -> None:
    maker, _, path = await overtaken(desks)
    await act(maker, "anew")
    tables = maker.words.split("检查和审批")[0]
    assert ("A11 转人工" in tables, "A13 转人工" in tables) == (True, False)
    assert path in maker.page.links
    await maker.get(path)
    assert "A13" in maker.words, "nothing is lost"
    assert "后来有人接着改了" in maker.words


async def test_a_row_written_on_a_draft_someone_went_on_with_goes_onto_the_newest(desks: Desks) -> None:
    maker, other = await desks.of("JX0101"), await desks.of("JX0301")
    base = await draft(maker)
    await maker.get(f"{base}/row?table=bureau&row=new")
    mine = maker.page.form(f"{base}/row")
    cells = named(maker, OWN)
    await other.get(base)
    await new_row(other, base, **{**OWN, "原因码": "A12"})
    await maker.send(mine, act="save", **cells)
    assert maker.reply.status_code == 409
    assert "您写的还在上面" in maker.words
    newest = other.path
    assert f'formaction="{newest}/row"' in maker.reply.text
    kept = maker.page.form(f"{base}/row")
    kept.action = f"{newest}/row"
    await maker.send(kept, act="save")
    assert maker.reply.status_code == 200, maker.words
    assert ("A11" in maker.words, "A12" in maker.words) == (True, True)


async def test_rules_of_head_office_that_changed_under_a_draft_ask_for_one_button(
    desks: Desks, road: Road
) -> None:
    maker, union, second = [await desks.of(each) for each in ("JX0101", "SL0001", "SL0002")]
    base = await draft(maker)
    await maker.send(maker.page.form(f"{base}/parameters"), knob_1="6", note="近半年查询收紧")
    path = maker.path
    await draft(union)
    await union.get(f"{union.path}/row?table=bureau&row=bureau-4")
    await union.send(union.page.form("/row"), act="save", **named(union, {"可以怎么做": "过半年再试"}))
    await act(union, "check")
    await road.drain()
    await put_live(union, second)
    assert second.words.count("生效：") == 1, second.words
    await maker.get(path)
    assert "省联社的规则变了" in maker.words
    await act(maker, "carry")
    assert "省联社的规则变了" not in maker.words
    assert "不低于 6" in maker.words
    await act(maker, "check")
    assert "检查通过" in maker.words, maker.words
    assert HOME in maker.path


async def test_a_checked_number_that_head_office_overtook_is_told_before_anybody_approves_it(
    desks: Desks, road: Road
) -> None:
    """Checked while up to 8 was open; then head office declines from 7 on, and opens no more than that."""
    maker, county_second = await desks.of("JX0101"), await desks.of("JX0301")
    union, second = await desks.of("SL0001"), await desks.of("SL0002")
    base = await draft(maker)
    await maker.send(maker.page.form(f"{base}/parameters"), knob_1="8", knob_2="4", note="收紧")
    await act(maker, "check")
    path = maker.path
    assert "提交审批" in maker.words
    await draft(union)
    await union.get(f"{union.path}/row?table=bureau&row=bureau-4")
    await union.send(union.page.form("/row"), act="save", **named(union, {"近 6 个月贷款查询": "不低于 7"}))
    await union.get(f"{union.path}/openings")
    high = field_of(union, "近 6 个月贷款查询到几次拒绝", "high")
    await union.send(union.page.form("/openings"), **{high: "7"}, note="跟着收紧")
    await stop_scenario(union, second, "近 6 个月查询 7 次，还可以办")
    await act(union, "check")
    await road.drain()
    await put_live(union, second)
    submit = next(f for f in maker.page.forms if f.values.get("act") == "submit")
    await maker.get(path)
    assert "检查通过以后，省联社改了规则。有 1 处要改" in maker.words, maker.words
    assert 'href="#knobs"' in maker.reply.text
    assert [f for f in maker.page.forms if f.values.get("act") == "submit"] == []
    await maker.send(submit)
    assert (maker.reply.status_code, "有 1 处要改" in maker.words) == (409, True), maker.words
    await maker.get(path)
    await maker.send(maker.page.form(f"{path}/parameters"), knob_1="7", note="照新的范围")
    await act(maker, "check")
    await act(maker, "submit")
    await road.drain()
    await county_second.get(maker.path)
    await act(county_second, "approve", reason="同意")
    assert "在用" in county_second.words, county_second.words


async def test_a_scenario_that_stops_a_version_leads_to_where_it_is_mended(desks: Desks) -> None:
    maker, second = await desks.of("SL0001"), await desks.of("SL0002")
    await draft(maker)
    path = maker.path
    await maker.get(f"{path}/row?table=bureau&row=bureau-5")
    await maker.send(maker.page.form("/row"), act="save", **named(maker, {"近 24 个月最深逾期": "不低于 4"}))
    path = maker.path
    await act(maker, "check")
    name = re.search(r'<a href="([^"]+)#(s-[^"]+)">场景“([^”]+)”</a>', maker.reply.text)
    assert name, maker.words
    assert "提出停用，另一个人同意以后回来再检查一遍" in maker.words
    await stop_scenario(maker, second, name[3])
    await maker.get(path)
    await act(maker, "check")
    assert "检查通过" in maker.words, maker.words


async def stop_scenario(maker: Desk, second: Desk, name: str) -> None:
    """Proposed by one, agreed to by the other; the maker's page is then as it was."""
    path = maker.path.removesuffix("/openings").removesuffix("/act")
    await maker.get(f"{HOME}/scenarios?product=*&stage=")
    row = re.search(rf'id="s-([^"]+)"><th scope="row">{name}', maker.reply.text)
    assert row, "its place in the page"
    for desk, wish in ((maker, "ask"), (second, "agree")):
        await desk.get(f"{HOME}/scenarios?product=*&stage=")
        form = next(
            f for f in desk.page.forms if f.values.get("scenario") == row[1] and f.values["act"] == wish
        )
        await desk.send(form, **({"why": "规则收紧了"} if wish == "ask" else {}))
    await maker.get(path)


async def test_numbers_typed_on_a_draft_someone_went_on_with_are_brought_onto_the_newest(
    desks: Desks,
) -> None:
    maker, other = await desks.of("JX0101"), await desks.of("JX0301")
    base = await draft(maker)
    mine = maker.page.form(f"{base}/parameters")
    await other.get(base)
    await other.send(other.page.form("/parameters"), knob_1="6", knob_2="4", note="同事收紧")
    newest = other.path
    await maker.send(mine, knob_0="2", knob_1="5", note="近一个月查询收紧")
    assert maker.reply.status_code == 409
    assert "您写的已经搬到这一版上，还没有存" in maker.words, maker.words
    assert "现在放的是您写的：近 6 个月贷款查询到几次拒绝" in maker.words
    kept = maker.page.form("/parameters")
    assert kept.action == f"{newest}/parameters"
    assert [kept.values[f"knob_{n}"] for n in (0, 1, 2)] == ["2", "5", "4"]
    assert kept.values["note"] == "近一个月查询收紧"
    await maker.send(kept)
    assert maker.reply.status_code == 200, maker.words
    for said in ("本行：高于 2", "本行：不低于 5", "本行：高于 4"):
        assert said in maker.words, maker.words


async def test_what_is_opened_is_brought_onto_the_newest_though_rows_came_meanwhile(desks: Desks) -> None:
    maker, other = await desks.of("SL0001"), await desks.of("SL0002")
    base = await draft(maker)
    await maker.get(f"{base}/openings")
    mine = maker.page.form("/openings")
    low = field_of(maker, "近 6 个月贷款查询到几次拒绝", "low")
    lenders = field_of(maker, "有余额的贷款机构超过几家拒绝", "low")
    await other.get(f"{base}/openings")
    await other.send(other.page.form("/openings"), **{low: "5", lenders: "4"}, note="同事收一收")
    await new_row(
        other, other.path.removesuffix("/openings"), "person",
        **{"年龄": "高于 74", "原因码": "EL_OLD_2", "处理": "转人工", "给客户的话": "要看一下", "可以怎么做": "等电话"},
    )  # fmt: skip
    newest = other.path
    await maker.send(mine, **{low: "6"}, note="最低 6 次")
    assert maker.reply.status_code == 409
    assert "您写的已经搬到这一版上" in maker.words, maker.words
    assert "现在放的是您写的：征信 第 4 行 近 6 个月贷款查询" in maker.words, maker.words
    kept = maker.page.form("/openings")
    assert kept.action == f"{newest}/openings"
    assert low != field_of(maker, "近 6 个月贷款查询到几次拒绝", "low"), "a number came in front of it"
    assert kept.values[field_of(maker, "近 6 个月贷款查询到几次拒绝", "low")] == "6"
    assert kept.values[field_of(maker, "有余额的贷款机构超过几家拒绝", "low")] == "4"
    assert kept.values["note"] == "最低 6 次"
    await maker.send(kept)
    assert maker.reply.status_code == 200, maker.words
    await maker.get(maker.path.removesuffix("/openings"))
    assert "4 到 8 改为 6 到 8" in maker.words, maker.words


async def test_columns_typed_on_a_draft_someone_went_on_with_are_brought_onto_the_newest(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    maker, other = await desks.of("SL0001"), await desks.of("SL0002")
    base = await draft(maker)
    await maker.get(f"{base}/columns?table=bureau")
    await press(maker, "add", fact="年龄")
    await press(maker, "add", fact="在本地居住年数")
    await press(maker, f"gone:{heads(maker).index('c8')}")
    mine = maker.page.form("/columns")
    await other.get(f"{base}/columns?table=bureau")
    await press(other, "add", fact="年龄")
    await press(other, "up:1")
    await other.send(other.page.form("/columns"), act="save", note="同事也要看年龄")
    theirs = fields(await document_of(owner, other.path), "inputs")
    await maker.send(mine, act="save", note="去掉担保，看居住年数")
    assert maker.reply.status_code == 409
    assert "您写的已经搬到这一版上，还没有存" in maker.words, maker.words
    kept = maker.page.form("/columns")
    assert kept.action == f"{other.path}/columns"
    assert kept.values["note"] == "去掉担保，看居住年数"
    await maker.send(kept, act="save")
    assert maker.reply.status_code == 200, maker.words
    made = fields(await document_of(owner, maker.path), "inputs")
    gone = next(each for each in theirs if each not in made)
    assert gone == "bureau_guarantee_balance"
    assert made == [*(each for each in theirs if each != gone), "household_years_resident"]
    assert made.count("age_years") == 1, "both wanted it"


async def test_a_calculation_typed_on_a_draft_someone_went_on_with_is_brought_onto_the_newest(
    desks: Desks,
) -> None:
    maker, other = await desks.of("SL0001"), await desks.of("SL0002")
    await place(maker, await draft(maker))
    base = maker.path.removesuffix("/arrange")
    await maker.get(f"{base}/node?node=calc-1")
    mine = maker.page.form("/node")
    assert [mine.values[f"name_{n}"] for n in range(3)] == ["查询和机构数", "查得多", ""]
    await other.get(f"{base}/node?node=calc-1")
    theirs = {
        "value_1": "【近 6 个月贷款查询】 高于 7",
        "name_2": "查询翻倍",
        "value_2": "【近 6 个月贷款查询】 × 2",
    }
    await other.send(other.page.form("/node"), act="save", **theirs)
    assert other.reply.status_code == 200, other.words
    mine.action += "/check"
    await maker.send(mine, act="check", value_1="【近 6 个月贷款查询】 高于 6")
    mine.action = mine.action.removesuffix("/check")
    assert "这份草稿有人接着改了" in maker.words, maker.words
    new = {"name_2": "年龄翻倍", "value_2": "【年龄】 × 2"}
    await maker.send(mine, act="save", note="放宽", value_1="【近 6 个月贷款查询】 高于 6", **new)
    assert maker.reply.status_code == 409
    assert "您写的已经搬到这一版上，还没有存" in maker.words, maker.words
    assert "现在放的是您写的：查得多" in maker.words, maker.words
    kept = maker.page.form("/node")
    assert kept.action == f"{other.path}/node"
    rows = [(kept.values[f"name_{n}"], kept.values[f"value_{n}"]) for n in range(4)]
    assert rows[1:] == [
        ("查得多", "【近 6 个月贷款查询】 高于 6"),
        ("查询翻倍", "【近 6 个月贷款查询】 × 2"),
        ("年龄翻倍", "【年龄】 × 2"),
    ]
    assert kept.values["note"] == "放宽"
    await maker.send(kept, act="save")
    assert maker.reply.status_code == 200, maker.words
    for said in ("高于 6", "查询翻倍", "年龄翻倍"):
        assert said in maker.words, maker.words


async def test_a_row_of_a_calculation_taken_away_here_or_there_stays_away(desks: Desks) -> None:
    """Emptied by the one who typed; taken away by the colleague, and typed over: it comes again as a new row."""
    maker, other = await desks.of("SL0001"), await desks.of("SL0002")
    await place(maker, await draft(maker))
    base = maker.path.removesuffix("/arrange")
    await maker.get(f"{base}/node?node=calc-1")
    mine = maker.page.form("/node")
    await other.get(f"{base}/node?node=calc-1")
    form = other.page.form("/node")
    await other.send(form, act="save", name_0="", value_0="")
    await maker.send(mine, act="save", value_0="【年龄】 × 3", name_1="", value_1="")
    assert maker.reply.status_code == 409
    kept = maker.page.form("/node")
    assert [
        (kept.values[f"id_{n}"], kept.values[f"name_{n}"], kept.values[f"value_{n}"]) for n in (0, 1)
    ] == [
        ("", "查询和机构数", "【年龄】 × 3"),
        ("", "", ""),
    ]


async def test_a_score_chosen_on_a_draft_someone_went_on_with_is_brought_onto_the_newest(
    desks: Desks,
) -> None:
    maker, other = await desks.of("SL0001"), await desks.of("SL0002")
    await place_score(maker, await draft(maker))
    base = maker.path.removesuffix("/arrange")
    await maker.get(f"{base}/score?node=score-1")
    mine = maker.page.form("/score")
    await other.get(base)
    await new_row(other, base, **{**OWN, "原因码": "A12"})
    await maker.send(mine, act="save", result="守信的分", note="换个名字")
    assert maker.reply.status_code == 409
    assert "您写的已经搬到这一版上，还没有存" in maker.words, maker.words
    kept = maker.page.form("/score")
    assert (kept.action, kept.values["result"]) == (f"{other.path}/score", "守信的分")
    await maker.send(kept, act="save")
    assert maker.reply.status_code == 200, maker.words
    assert ("守信的分" in maker.words, "A12" in maker.words) == (True, True)


def test_an_order_both_changed_is_the_one_typed_with_what_came_meanwhile():
    both = strategy_carried.order
    assert both("abc", "cab", "abc") == (["c", "a", "b"], False)
    assert both("abc", "abc", "bac") == (["b", "a", "c"], False)
    assert both("abc", "acb", "bac") == (["a", "c", "b"], True)
    assert both("abc", "ab+", "abxc") == (["a", "b", "+", "x"], False)
    assert both("abc", "+abc", "bc") == (["+", "b", "c"], False)


def test_fields_only_one_of_both_changed_count_for_that_one():
    opened, typed = {"a": "1", "b": "1", "c": "1", "d": "1"}, {"a": "2", "b": "1", "c": "2", "d": "2"}
    newest = {"a": "1", "b": "3", "c": "3", "d": "2", "e": "9"}
    made, both = strategy_carried.together(opened, typed, newest)
    assert made == {"a": "2", "b": "3", "c": "2", "d": "2", "e": "9"}
    assert both == ("c",)


async def test_a_draft_that_everybody_wrote_in_says_that_nobody_is_left_to_approve_it(desks: Desks) -> None:
    """The county of the demo has two who may: the second one's hand in it takes the second person away."""
    maker, other = await desks.of("JX0101"), await desks.of("JX0301")
    base = await draft(maker)
    await new_row(maker, base, **OWN)
    await act(maker, "check")
    await act(maker, "submit")
    assert "要由另一个人审批：孙风" in maker.words, maker.words
    assert "没有人能批了" not in maker.words
    await other.get(maker.path)
    await other.send(other.page.form("/parameters"), knob_1="6", note="我也改一点")
    assert "没有人能批了。请作废这份草稿" in other.words, other.words
