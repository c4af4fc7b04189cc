"""The drawn graph arranged (issue 3 §8): what stays keeps its bytes, and the same checks decide what may be."""

import copy
import json

import pytest

from backend.domains.decision import bundle, facts, lint
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, shipped
from backend.domains.strategies.arranging import Arrangement, ArrangementWrong

KNOWN = facts.catalogue()
DOCUMENT = bundle.seeded_documents()[Stage.ELIGIBILITY]


def lines_of(document) -> frozenset[tuple[str, str, str]]:
    return frozenset((e["sourceId"], e.get("sourceHandle") or "", e["targetId"]) for e in document["edges"])


def as_it_is(document, **other) -> Arrangement:
    spots = {n["id"]: (n["position"]["x"], n["position"]["y"]) for n in document["nodes"]}
    return Arrangement(**({"spots": spots, "gone": frozenset(), "lines": lines_of(document)} | other))


def wrong(document, stage=Stage.ELIGIBILITY) -> list[str]:
    return [str(each) for each in lint.check(stage, document, KNOWN) if each.severity == "error"]


def test_nothing_moved_is_the_same_document():
    assert arranging.arranged(copy.deepcopy(DOCUMENT), as_it_is(DOCUMENT)) == DOCUMENT


def test_a_moved_node_keeps_everything_but_its_position():
    asked = as_it_is(DOCUMENT)
    asked.spots["bureau"] = (990, -40)
    made = arranging.arranged(DOCUMENT, asked)
    changed = [n for n, old in zip(made["nodes"], DOCUMENT["nodes"], strict=True) if n != old]
    assert [(n["id"], n["position"]) for n in changed] == [("bureau", {"x": 990, "y": -40})]
    assert changed[0]["content"] == next(n for n in DOCUMENT["nodes"] if n["id"] == "bureau")["content"]
    assert wrong(made) == []


def test_a_node_taken_out_takes_its_lines_its_facts_and_what_was_opened_in_it_along():
    made = arranging.arranged(DOCUMENT, as_it_is(DOCUMENT, gone=frozenset({"bureau"})))
    assert "bureau" not in {n["id"] for n in made["nodes"]}
    assert not any("bureau" in (e["sourceId"], e["targetId"]) for e in made["edges"])
    declared = json.loads(made["nodes"][0]["content"]["schema"])["properties"]
    assert "bureau_queries_6m" not in declared
    assert wrong(made) == []
    left = arranging.without_gone(shipped.openings(Stage.ELIGIBILITY, DOCUMENT), made)
    assert "bureau" not in left.places
    assert {each.table for each in left.parameters} <= {n["id"] for n in made["nodes"]}


def test_the_input_and_the_output_stay():
    with pytest.raises(ArrangementWrong):
        arranging.arranged(DOCUMENT, as_it_is(DOCUMENT, gone=frozenset({"facts"})))


def test_a_cut_line_is_found_by_the_same_checks_as_on_import():
    made = arranging.arranged(
        DOCUMENT, as_it_is(DOCUMENT, lines=lines_of(DOCUMENT) - {("facts", "", "bureau")})
    )
    assert "征信：从输入走不到这张表" in wrong(made)
    back = arranging.arranged(made, as_it_is(made, lines=lines_of(DOCUMENT)))
    assert wrong(back) == []
    assert len({e["id"] for e in back["edges"]}) == len(back["edges"])


def test_a_new_table_is_joined_and_only_lacks_its_row():
    made = arranging.with_table(
        Stage.ELIGIBILITY, DOCUMENT, "本省补充", [KNOWN["age_years"], KNOWN["bureau_card_used"]]
    )
    found = wrong(made)
    assert "本省补充 第 1 行：没有条件，会对每个人生效" in found
    assert all(each.startswith("本省补充") or each == "输入：信用卡已用 声明了却没有用到" for each in found)
    rule = made["nodes"][-1]["content"]["rules"][0]
    rule.update(c1="< 20", r1="'EL_NEW'", r2="'decline'", r3="'您太年轻'", r4="'过几年再来'", c2="> 10000")
    assert wrong(made) == []


def test_a_switch_with_a_branch_for_each_kind_passes_once_it_is_joined():
    kind = KNOWN["product_kind"]
    made = arranging.with_switch(DOCUMENT, "按产品分", kind, [kind.labels[0]], KNOWN)
    switch = made["nodes"][-1]
    lines = {*lines_of(made), ("facts", "", switch["id"])}
    lines -= {("facts", "", "bureau"), ("facts", "", "capacity")}
    first, rest = (each["id"] for each in switch["content"]["statements"])
    lines |= {(switch["id"], handle, table) for handle in (first, rest) for table in ("bureau", "capacity")}
    made = arranging.arranged(made, as_it_is(made, lines=frozenset(lines)))
    assert wrong(made) == []
    assert wrong(arranging.tidied(made)) == []


@pytest.mark.parametrize(
    ("fact", "branches", "why"),
    [
        ("product_kind", ["没有的"], "没有“没有的”这个选项"),
        ("age_years", [], "一行一条"),
        ("age_years", ["22 到 30"], "不写区间"),
        ("age_years", ["不限"], "每一条分支都要写条件"),
    ],
)
def test_a_branch_nobody_understands_is_said(fact: str, branches: list[str], why: str):
    with pytest.raises(ArrangementWrong) as problem:
        arranging.with_switch(DOCUMENT, "按什么分", KNOWN[fact], branches, KNOWN)
    assert why in problem.value.text


def test_a_stored_document_becomes_a_sub_flow_with_its_facts_declared():
    from backend.domains.decision import gate
    from backend.domains.decision.lint import Library

    inner = arranging.arranged(
        DOCUMENT, as_it_is(DOCUMENT, gone=frozenset({"person", "request", "capacity"}))
    )
    outer = arranging.arranged(DOCUMENT, as_it_is(DOCUMENT, gone=frozenset({"bureau"})))
    key = gate.hash_of(inner)
    made = arranging.with_flow(outer, "征信规则", key, inner)
    said = lint.check(Stage.ELIGIBILITY, made, KNOWN, Library(flows={key: inner}))
    assert [str(each) for each in said if each.severity == "error"] == []


def test_a_tidied_drawing_runs_from_left_to_right_and_nothing_lies_on_another():
    made = arranging.tidied(DOCUMENT)
    spots = {n["id"]: (n["position"]["x"], n["position"]["y"]) for n in made["nodes"]}
    assert all(spots[e["sourceId"]][0] < spots[e["targetId"]][0] for e in made["edges"])
    assert len(set(spots.values())) == len(spots)
    assert [n["content"] for n in made["nodes"] if "content" in n] == [
        n["content"] for n in DOCUMENT["nodes"] if "content" in n
    ]
