"""A draft that something newer overtook: it says so, shows what differs, and nothing of it is lost (A3-34)."""

from tests.flows.conftest import Road
from tests.h5.conftest import Desks
from tests.h5.console.test_strategies import HOME, OWN, act, draft, named, new_row
from tests.h5.console.test_strategy_compare import put_live
from tests.h5.console.test_strategy_life import OF, overlay


async def overtaken(desks: Desks):  # type: ignore[no-untyped-def]
    """A county's draft with A13, begun from a version with A11 and A12; what decides now has A11 alone."""
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await overlay(maker, "A11")
    await put_live(maker, second)
    await overlay(maker, "A12")
    await put_live(maker, second)
    await overlay(maker, "A13")
    path = maker.path
    assert "第 1 版在用了" not in maker.words
    await second.get(OF)
    await second.send(second.page.form("/roll-back"), reason="新的一版太严，退回")
    await maker.get(path)
    return maker, path


async def test_a_draft_something_overtook_says_what_changed_and_carries_its_change_over(desks: Desks) -> None:
    maker, path = await overtaken(desks)
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


async def test_a_draft_begun_anew_leaves_the_old_one_to_be_read(desks: Desks) -> None:
    maker, path = await overtaken(desks)
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
