"""The columns of a table changed (issue 3 §8): what stays keeps its bytes, and the same checks decide what may be."""

import copy
import json

import pytest

from backend.domains.decision import bundle, facts, lint
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, diff, shaping, shipped
from backend.domains.strategies.model import UnionContent
from backend.domains.strategies.shaping import ColumnsWrong

KNOWN = facts.catalogue()
STAGE = Stage.ELIGIBILITY
DOCUMENT = bundle.seeded_documents()[STAGE]


def table(document, number="bureau"):
    return next(n for n in document["nodes"] if n["id"] == number)["content"]


def order(document, number="bureau") -> tuple[str, ...]:
    return shaping.order_of(table(document, number))


def shaped(wanted, number="bureau", document=DOCUMENT):
    return shaping.shaped(STAGE, document, number, wanted, KNOWN)


def wrong(document) -> list[str]:
    return [str(each) for each in lint.check(STAGE, document, KNOWN) if each.severity == "error"]


def declared(document) -> set[str]:
    return set(json.loads(document["nodes"][0]["content"]["schema"])["properties"])


def refused(wanted) -> str:
    with pytest.raises(ColumnsWrong) as caught:
        shaped(wanted)
    return caught.value.text


def changes(document) -> list[str]:
    before, after = UnionContent(document=DOCUMENT), UnionContent(document=document)
    return [each.sentence for each in diff.between(STAGE, before, after, KNOWN)]


def test_the_same_order_is_the_same_document():
    assert shaped(order(DOCUMENT)) is DOCUMENT


def test_a_new_condition_changes_nothing_else_and_is_declared():
    before = copy.deepcopy(DOCUMENT)
    assert "age_years" not in {c["field"] for c in table(DOCUMENT)["inputs"]}
    places = shaping.places(STAGE, table(DOCUMENT), order(DOCUMENT), KNOWN)
    made = shaped(shaping.with_column(places, "+age_years", condition=True))
    assert before == DOCUMENT, "the document given is left alone"
    assert wrong(made) == []
    new = table(made)["inputs"][-1]
    assert (new["field"], new["name"]) == ("age_years", "年龄")
    for rule, old in zip(table(made)["rules"], table(DOCUMENT)["rules"], strict=True):
        assert rule == {**old, new["id"]: ""}
    assert {k: v for k, v in table(made).items() if k not in ("inputs", "rules")} == {
        k: v for k, v in table(DOCUMENT).items() if k not in ("inputs", "rules")
    }
    assert [n for n in made["nodes"] if n["id"] not in ("bureau", "facts")] == [
        n for n in DOCUMENT["nodes"] if n["id"] not in ("bureau", "facts")
    ]
    assert changes(made) == ["征信 年龄：新增列"]


def test_a_column_taken_away_takes_its_cells_what_it_declared_and_what_was_opened_in_it():
    column = next(c for c in table(DOCUMENT)["inputs"] if c["field"] == "bureau_queries_6m")
    made = shaped([each for each in order(DOCUMENT) if each != column["id"]])
    assert all(column["id"] not in rule for rule in table(made)["rules"])
    assert "bureau_queries_6m" in declared(made), "the sentence for the customer still names it"
    guarantee = next(c["id"] for c in table(DOCUMENT)["inputs"] if c["field"] == "bureau_guarantee_balance")
    assert "bureau_guarantee_balance" not in declared(
        shaped([each for each in order(DOCUMENT) if each != guarantee])
    )
    assert any("没有条件，会对每个人生效" in each for each in wrong(made)), (
        "the checks say what it leaves behind"
    )
    said = changes(made)
    assert "征信 近 6 个月贷款查询：删除列" in said
    openings = shipped.openings(STAGE, DOCUMENT)
    opened = [p for p in openings.parameters if (p.table, p.column) == ("bureau", column["id"])]
    left = arranging.without_gone(openings, made)
    assert opened
    assert set(openings.parameters) - set(left.parameters) == set(opened)


def test_columns_move_among_their_own_kind_and_the_difference_says_so():
    places = shaping.places(STAGE, table(DOCUMENT), order(DOCUMENT), KNOWN)
    moved = shaping.moved(places, 0, 1)
    assert (moved[0], moved[1]) == (order(DOCUMENT)[1], order(DOCUMENT)[0])
    made = shaped(moved)
    assert table(made)["rules"] == table(DOCUMENT)["rules"]
    assert wrong(made) == []
    assert changes(made) == ["征信：列换了顺序"]
    last = max(n for n, each in enumerate(places) if each.condition)
    assert shaping.moved(places, last, 1) == order(DOCUMENT), "a condition never moves among the results"
    assert shaping.moved(places, 0, -1) == order(DOCUMENT)


def test_results_the_stage_demands_stay_and_a_missing_one_can_be_added():
    results = [c["id"] for c in table(DOCUMENT)["outputs"]]
    assert "不能去掉" in refused([each for each in order(DOCUMENT) if each != results[0]])
    without = copy.deepcopy(DOCUMENT)
    gone = table(without)["outputs"].pop()
    assert any("结果列不对" in each for each in wrong(without))
    assert shaping.lacking(STAGE, table(without), order(without)) == [("advice", "可以怎么做")]
    for rule in table(without)["rules"]:
        rule.pop(gone["id"])
    made = shaped((*order(without), "=advice"), document=without)
    assert [c["field"] for c in table(made)["outputs"]][-1] == "advice"
    assert any("这里还没有写" in each for each in wrong(made))


@pytest.mark.parametrize(
    "asked, sentence",
    [
        (("+no_such_fact",), "没有这个数据项"),
        (("=bp",), "没有这个数据项或结果"),
        (("c99",), "重新打开"),
        (("+age_years", "+age_years"), "同一列只放一次"),
    ],
)
def test_what_is_no_column_is_refused(asked, sentence):
    assert sentence in refused((*asked, *order(DOCUMENT)))


def test_a_table_keeps_a_condition():
    assert "至少要留一个条件列" in refused([c["id"] for c in table(DOCUMENT)["outputs"]])


def test_only_facts_the_stage_may_look_at_are_offered():
    priced = {each.name for each in shaping.addable(Stage.PRICING, KNOWN)}
    assert "grade" in priced
    assert "age_years" not in priced, "age moves no price"
    assert "grade" not in {each.name for each in shaping.addable(STAGE, KNOWN)}
    assert not any(each.kind == "date" for each in shaping.addable(STAGE, KNOWN))
