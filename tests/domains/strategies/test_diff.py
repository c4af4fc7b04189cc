"""The difference of two versions as a risk officer reads it (A3-33)."""

import copy

from backend.domains.decision import bundle, facts
from backend.domains.decision.model import Stage, canonical
from backend.domains.strategies import changes, checks, course, diff, service, shipped
from backend.domains.strategies.model import CountyContent, Openings, UnionContent
from tests.domains.decision import corpus
from tests.domains.strategies.conftest import ADMIN, COUNTY_ADMIN, Stagehand, cell

KNOWN = facts.catalogue()
ELIGIBILITY = bundle.seeded_documents()[Stage.ELIGIBILITY]


def content(document, openings=None) -> UnionContent:
    return UnionContent(document=document, openings=openings or Openings())


def changed(edit) -> list[str]:
    document = copy.deepcopy(ELIGIBILITY)
    edit(document)
    return [
        each.sentence
        for each in diff.between(Stage.ELIGIBILITY, content(ELIGIBILITY), content(document), KNOWN)
    ]


def table(document, number):
    return next(n for n in document["nodes"] if n["id"] == number)["content"]


def test_nothing_changed_is_nothing_said():
    assert changed(lambda _: None) == []


def test_a_cell_is_told_by_its_place_before_and_after():
    assert changed(lambda d: cell(d, "bureau", "bureau-3", "c3", "> 3")) == [
        "征信 第 3 行“近 1 个月有 {近 1 个月贷款查询} 次贷…” 近 1 个月贷款查询：高于 4 次 改为 高于 3 次"
    ]
    assert changed(lambda d: cell(d, "bureau", "bureau-8", "c8", "> 30000000")) == [
        "征信 第 8 行“您替别人担保的金额比较大” 对外担保余额：高于 500,000 元 改为 高于 300,000 元"
    ]
    assert changed(lambda d: cell(d, "bureau", "bureau-8", "r2", "'decline'")) == [
        "征信 第 8 行“您替别人担保的金额比较大” 处理：转人工 改为 拒绝"
    ]
    assert changed(lambda d: cell(d, "request", "request-3", "c3", "'other', 'travel'")) == [
        "用途和申请 第 3 行“这笔钱怎么用，还要再问一下” 资金用途：别的用途 改为 别的用途、旅游"
    ]


def test_rows_added_and_removed_are_told_whole():
    def edit(document):
        rules = table(document, "capacity")["rules"]
        rules.append({**rules[0], "_id": "capacity-9", "c1": "", "c2": "< 1200000", "r1": "'EL_MORE'"})
        del rules[0]

    said = changed(edit)
    assert said[0].startswith(
        "还款能力 第 3 行：新增行，认可的年收入 低于 12,000 元；原因码 EL_MORE；处理 拒绝"
    )
    assert said[1].startswith("还款能力 原第 1 行：删除行，本行贷款逾期天数 高于 0")


def test_a_table_less_is_told():
    def edit(document):
        document["nodes"] = [n for n in document["nodes"] if n["id"] != "capacity"]
        document["edges"] = [e for e in document["edges"] if "capacity" not in (e["sourceId"], e["targetId"])]

    assert changed(edit) == ["还款能力：删除表"]


def test_the_order_counts_where_the_first_match_wins():
    rating = bundle.seeded_documents()[Stage.RATING]
    other = copy.deepcopy(rating)
    table(other, "grades")["rules"].reverse()
    assert [each.kind for each in diff.between(Stage.RATING, content(rating), content(other), KNOWN)] == [
        "moved"
    ]


def test_what_is_opened_to_counties_is_part_of_the_difference():
    opened = shipped.openings(Stage.ELIGIBILITY, ELIGIBILITY)
    said = [
        each.sentence
        for each in diff.between(Stage.ELIGIBILITY, content(ELIGIBILITY), content(ELIGIBILITY, opened), KNOWN)
    ]
    assert "向县行开放 近 6 个月贷款查询到几次拒绝：新增参数，4 到 8" in said
    assert "向县行开放 征信：新增开放的位置" in said


async def test_a_countys_change_is_told_in_the_words_of_the_unions_table(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="收紧")
    row = {"c4": ">= 3", "r1": "'CT'", "r2": "'refer'", "r3": "'本行再看一下'", "r4": "'等电话'"}
    saved = await service.save(
        tx, begun.id, CountyContent(parameters={"queries_6m": 5}, rows={"bureau": [row]})
    )
    found = await course.changes_of(tx, saved, await course.compared_with(tx, saved))
    assert [each.sentence for each in found] == [
        "近 6 个月贷款查询到几次拒绝：新增参数，不低于 5（省联社 不低于 8，可选 4 到 8）",
        "征信 本行第 1 行：新增行，近 6 个月贷款查询 不低于 3 次；原因码 CT；处理 转人工；给客户的话 本行再看一下；"
        "可以怎么做 等电话",
    ]
    assert [each.kind for each in await course.changes_of(tx, saved, begun)] == ["added", "added"]


async def test_a_draft_of_any_shape_is_compared_without_an_error(hand: Stagehand):
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="试试")
    for document in (
        {"nodes": [{"id": "x", "type": "decisionTableNode"}], "edges": []},
        {"nodes": [], "edges": [{}]},
    ):
        begun = await service.save(tx, begun.id, UnionContent(document=document))
        assert await course.changes_of(tx, begun, await course.compared_with(tx, begun))
        assert (await service.check(tx, begun.id)).failures


def _undrawn(document):
    try:
        return {
            **document,
            "nodes": [{k: v for k, v in n.items() if k != "position"} for n in document["nodes"]],
        }
    except (TypeError, AttributeError, LookupError):  # nodes of no shape have no drawing either
        return document


def test_whatever_the_hash_tells_apart_the_difference_shows():
    """A change nobody sees is a change nobody approved."""
    whole = {base.name: base.document for base in corpus.bases()}
    seen, unseen = 0, set()
    for mutation in corpus.corpus(7, per_act=4):
        before, after = whole[mutation.base], mutation.document
        if canonical(_undrawn(before)) == canonical(_undrawn(after)):
            continue
        seen += 1
        if not diff.between(mutation.stage, content(before), content(after), KNOWN):
            unseen.add((mutation.base, mutation.name))
    assert seen >= 1000
    assert unseen == set()


def test_a_column_that_looks_at_another_fact_is_told_by_both_names():
    def edit(document):
        column = next(c for c in table(document, "bureau")["inputs"] if c["field"] == "bureau_written_off")
        column["field"] = "student_signal"

    was, now = (KNOWN[name].label for name in ("bureau_written_off", "student_signal"))
    assert f"征信 看的数据项：{was} 改为 {now}" in changed(edit)


def test_a_setting_beside_another_change_is_told_too():
    def edit(document):
        cell(document, "bureau", "bureau-3", "c3", "> 3")
        table(document, "bureau")["hitPolicy"] = "first"

    assert f"征信：{changes.OBSCURE}" in changed(edit)


def test_an_invisible_character_is_a_change():
    assert len(changed(lambda d: cell(d, "bureau", "bureau-3", "c1", "\x1c"))) == 1


def test_a_line_that_was_drawn_or_cut_is_told_from_where_to_where() -> None:
    before = checks.shipped(Stage.ELIGIBILITY)
    after = copy.deepcopy(before)
    cut = after["edges"].pop(0)
    after["edges"].append({"id": "new", "type": "edge", "sourceId": "person", "targetId": "bureau"})
    found = diff.between(
        Stage.ELIGIBILITY, UnionContent(document=before), UnionContent(document=after), facts.catalogue()
    )
    names = {n["id"]: n["name"] for n in before["nodes"]}
    assert [each.sentence for each in found] == [
        "流程图：新增连线，人 → 征信",
        f"流程图：删除连线，{names[cut['sourceId']]} → {names[cut['targetId']]}",
    ]
