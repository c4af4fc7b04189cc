"""Expressions, switches, scorecards, models and sub-flows in a document: what passes, what is proven, what is drawn."""

import copy
import json
from typing import Any

import msgspec
import pytest
import zen

from backend.domains.decision import bundle, contracts, evaluate, facts, gate, lint, model, path
from backend.domains.decision.lint import Library
from backend.domains.decision.model import Outcome, Stage, StrategyRefused
from tests.domains.decision.conftest import with_facts
from tests.domains.decision.documents import (
    CATALOGUE,
    INNER,
    KEY,
    KIND,
    LENDERS,
    QUERIES,
    Steady,
    branched,
    chained,
    custom,
    entry,
    expression,
    findings,
    flow,
    graph,
    line,
    outer,
    ran,
    rule,
    rules,
    single,
    switch,
    with_model,
)


def test_an_expression_gives_a_name_later_tables_use():
    got = ran(chained(), {QUERIES: 7, LENDERS: 5})
    assert [(hit.row, hit.facts) for hit in got.hits] == [("t-1", {"asked": 12}), ("t-2", {"busy": True})]
    assert [(step.event, step.table, step.output) for step in got.way] == [
        ("value", "sum", {"asked": 12, "busy": True})
    ]
    assert ran(chained(), {QUERIES: 0, LENDERS: 0}).hits == []


def test_a_switch_takes_one_branch_and_proves_it():
    document = branched(f"{KIND} == 'consumer'", f"{KIND} == 'business'")
    assert findings(document) == []
    got = ran(document, {QUERIES: 9, KIND: "business"})
    assert [hit.table for hit in got.hits] == ["t1"]
    assert [(step.event, step.table, step.row) for step in got.way] == [("branch", "s", "s-1")]


@pytest.mark.parametrize(
    "conditions, sentence",
    [
        ((f"{KIND} == 'consumer'",), "产品类别为 经营时没有一条分支可走"),
        ((f"{QUERIES} < 5", f"{QUERIES} > 5"), "近 6 个月贷款查询 5 次时没有一条分支可走"),
        ((f"{QUERIES} < 5", f"{QUERIES} < 3", "*"), "永远走不到这一条"),
        ((f"{QUERIES} < 5", "*", f"{QUERIES} > 6"), "“其余”要放在最后"),
        ((f"{QUERIES} <", "*"), "没有写完"),
        (("", "*"), "是空的"),
        ((f"{QUERIES} + 1", "*"), "成立或不成立"),
        (("rand(2) > 1", "*"), "不能使用函数 rand"),
        ((f"{QUERIES} > {LENDERS}", f"{QUERIES} <= {LENDERS}"), "没有一条分支可走"),
    ],
)
def test_a_switch_that_leaves_a_case_out_or_a_branch_unused_is_refused(conditions, sentence):
    assert any(sentence in each for each in findings(branched(*conditions)))


def test_a_branch_without_a_way_on_is_refused():
    document = branched(f"{QUERIES} < 5", "*", handles=1)
    assert any("这一条分支后面没有路" in each for each in findings(document))
    document = branched(f"{QUERIES} < 5", "*")
    document["edges"] = [e for e in document["edges"] if e.get("sourceHandle") != "s-1"]
    document["edges"].append(line("s", "result", "s-1"))
    assert any("没有结果的路等于放过" in each for each in findings(document))


def test_a_default_that_nothing_is_left_for_is_a_warning():
    found = lint.check(Stage.ELIGIBILITY, branched(f"{QUERIES} < 5", f"{QUERIES} >= 5", "*"), CATALOGUE)
    assert [each.severity for each in found] == [contracts.WARNING]


def test_a_name_is_known_only_where_every_way_has_given_it():
    """A name from one branch is not there when the other was taken."""
    nodes = [
        switch("s", f"{QUERIES} < 5", "*"),
        expression("e", {"asked": f"{QUERIES} + 1"}),
        rules("t", ["asked", QUERIES], [["> 3", "", *rule("A")]]),
    ]
    lines = [
        line("facts", "s"),
        line("s", "e", "s-0"),
        line("s", "t", "s-1"),
        line("e", "t"),
        line("t", "result"),
    ]
    document = graph(entry(QUERIES), nodes, lines)
    assert any("列“asked”用的数据项没有在输入里声明" in each for each in findings(document))


def test_ways_that_meet_again_are_fine():
    nodes = [
        switch("s", f"{QUERIES} < 5", "*"),
        expression("few", {"more": f"{QUERIES} * 2"}),
        rules("t", [QUERIES], [["> 2", *rule("A")]]),
        rules("u", ["more"], [["> 6", *rule("B")]]),
    ]
    lines = [
        line("facts", "s"),
        line("s", "few", "s-0"),
        line("s", "t", "s-1"),
        line("few", "t"),
        line("few", "u"),
    ]
    document = graph(entry(QUERIES), nodes, [*lines, line("t", "result"), line("u", "result")])
    assert findings(document) == []
    assert [hit.table for hit in ran(document, {QUERIES: 4}).hits] == ["t", "u"]
    assert [hit.table for hit in ran(document, {QUERIES: 9}).hits] == ["t"]


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({"asked": f"{QUERIES} / {LENDERS}"}, "除号后面的数可能是 0"),
        ({"asked": f"{QUERIES} / 3"}, "可能不是整数"),
        ({"asked": f"{QUERIES} * 100000000000000000"}, "太大"),
        ({QUERIES: "1"}, "已经有了"),
        ({"年龄": "1"}, "名字只能用字母"),
        ({"not": "1"}, "名字只能用字母"),
        ({"_value_x": "1"}, "名字只能用字母"),
        ({"asked": "len('张三')"}, "不能使用函数"),
        ({"asked": ""}, "是空的"),
    ],
)
def test_an_expression_that_may_fail_is_refused(values, sentence):
    document = chained()
    document["nodes"][1] = expression("sum", {"busy": "true", **values})
    assert any(sentence in each for each in findings(document))


@pytest.mark.parametrize(
    "setting",
    [{"inputField": "x"}, {"outputPath": "x"}, {"executionMode": "loop"}, {"passThrough": False}, {"z": 1}],
)
def test_settings_of_an_expression_that_move_the_facts_are_refused(setting):
    document = chained()
    document["nodes"][2] = rules("t", ["asked", "busy", QUERIES], [["> 9", "true", "> 3", *rule("A")]])
    document["nodes"][1]["content"].update(setting)
    assert findings(document)


def test_a_model_answers_in_process():
    library = Library(models={"m" * 64: Steady(60)})
    assert findings(with_model(), library) == []
    got = ran(with_model(), {QUERIES: 1}, library)
    assert [(hit.row, hit.facts) for hit in got.hits] == [("t-1", {"points": 60})]
    assert [(step.event, step.table, step.output) for step in got.way] == [("value", "m", {"points": 60})]


def test_what_went_into_a_model_is_still_there_after_it():
    """In zen a custom node's answer replaces the facts; a reject column after it would match nobody."""
    lost = zen.ZenEngine(
        {"loader": lambda _: content, "customHandler": lambda request: {"output": {"points": 60}}}
    )
    document = with_model()
    document["nodes"][2] = rules("t", ["points", QUERIES], [["", "> 3", *rule("P")]])
    content = zen.ZenDecisionContent(json.dumps({**document, "nodes": [bare(n) for n in document["nodes"]]}))
    assert lost.evaluate("k", {QUERIES: 9})["result"]["t"] == []
    document["nodes"][2] = rules("t", ["points", QUERIES], [["> 50", "> 3", *rule("P")]])
    got = ran(document, {QUERIES: 9}, Library(models={"m" * 64: Steady(60)}))
    assert [hit.row for hit in got.hits] == ["t-1"]


def bare(node: dict[str, Any]) -> dict[str, Any]:
    """Without the declaration of facts, so that zen alone is seen."""
    return {**node, "content": {"schema": ""}} if node["type"] == "inputNode" else node


@pytest.mark.parametrize("answer", [None, 101, -1, "60", 60.5, True, float("nan"), ValueError("x"), [60]])
def test_a_model_that_gives_no_proper_answer_leaves_the_stage_unproven(answer):
    with pytest.raises(gate.Unproven):
        ran(with_model(), {QUERIES: 1}, Library(models={"m" * 64: Steady(answer)}))


@pytest.mark.parametrize(
    "more",
    [{"model": "n" * 64}, {"output": QUERIES}, {"low": "0"}, {"low": 5, "high": 4}, {"url": "http://x"}],
)
def test_a_model_node_that_is_not_of_a_registered_model_is_refused(more):
    assert findings(with_model(**more), Library(models={"m" * 64: Steady(60)}))
    assert findings(with_model(), lint.NOTHING)


def test_a_scorecard_serves_as_a_node():
    card = bundle.seeded().card
    nodes = [custom("m", card.hash, high=1500), rules("t", ["points"], [["< 500", *rule("P")]])]
    nodes[0]["content"]["kind"] = "scorecard"
    names = sorted(set(card.inputs))
    document = graph(entry(*names), nodes, [line("facts", "m"), line("m", "t"), line("t", "result")])
    values = {name: CATALOGUE[name].low for name in names}
    got = ran(document, values, Library(models={card.hash: card}))
    assert got.way[0].output == {"points": card.score(values).score}


def test_a_sub_flow_gives_its_rows_under_its_own_name():
    got = ran(outer(), {QUERIES: 12, LENDERS: 4}, Library(flows={KEY: INNER}))
    assert [(hit.table, hit.row) for hit in got.hits] == [
        ("f/rules", "rules-1"),
        ("f/rules", "rules-2"),
        ("t", "t-1"),
    ]


def test_a_sub_flow_is_checked_like_any_document_and_must_be_a_stored_one():
    broken = copy.deepcopy(INNER)
    broken["nodes"][1]["content"]["rules"][0]["c1"] = "> 3 and"
    key = gate.hash_of(broken)
    assert any(
        "子流程 f › rules 第 1 行" in each for each in findings(outer(key), Library(flows={key: broken}))
    )
    assert any("没有这个子流程" in each for each in findings(outer(), lint.NOTHING))
    assert any("保存过的一版" in each for each in findings(outer(), Library(flows={KEY: broken})))
    assert any("保存过的一版" in each for each in findings(outer("a name"), Library(flows={"a name": INNER})))
    label = CATALOGUE[QUERIES].label
    assert any(label in each for each in findings(outer(KEY, LENDERS), Library(flows={KEY: INNER})))


def test_sub_flows_in_a_circle_or_too_deep_are_refused():
    documents: dict[str, Any] = {KEY: INNER}
    key = KEY
    for _ in range(8):
        nested = graph(entry(QUERIES), [flow("f", key)], [line("facts", "f"), line("f", "result")])
        key = gate.hash_of(nested)
        documents[key] = nested
    found = findings(documents[key], Library(flows=documents))
    assert any("绕成了圈，或套得太深" in each for each in found)


def test_a_document_calling_itself_never_runs_for_ever():
    itself = graph(entry(QUERIES), [flow("f", "x" * 64)], [line("facts", "f"), line("f", "result")])
    assert findings(itself, Library(flows={"x" * 64: itself}))


def test_nodes_in_a_circle_are_refused():
    document = chained()
    document["edges"].append(line("sum", "sum"))
    assert "连线：连线绕成了圈" in findings(document)
    document = chained()
    document["nodes"].insert(1, expression("again", {"z": "1"}))
    document["edges"] += [line("sum", "again"), line("again", "sum")]
    assert "连线：连线绕成了圈" in findings(document)


@pytest.mark.parametrize(
    "stage", [Stage.ELIGIBILITY, Stage.DRAWDOWN_CHECK, Stage.EARLY_WARNING, Stage.COLLECTION]
)
@pytest.mark.parametrize("where", ["node", "content", "config", "model"])
def test_a_key_step_is_never_decided_by_a_partner(stage, where):
    """D1-10."""
    steady = Steady(60)
    document = with_model()
    made = document["nodes"][1]
    if where == "node":
        made["partner"] = "某合作方"
    elif where == "content":
        document["nodes"][2]["content"]["partner"] = "某合作方"
    elif where == "config":
        made["content"]["config"]["partner"] = "某合作方"
    else:
        steady.partner = True
    found = findings(document, Library(models={"m" * 64: steady}), stage)
    assert any("不能交给合作方" in each for each in found)


@pytest.mark.parametrize("stage", [Stage.FRAUD_CHECK, Stage.PRE_SCREEN, Stage.MARKETING_GATE])
def test_the_result_of_no_stage_is_given_by_a_partner(stage):
    """D1-10: a fraud check refuses people, too. A partner may be asked there, but a table of the bank's answers."""
    document = with_model()
    document["nodes"][2]["partner"] = "某合作方"
    models = Library(models={"m" * 64: Steady(60)})
    assert any("不能交给合作方" in each for each in findings(document, models, stage))
    asked = with_model()
    asked["nodes"][1]["partner"] = "某合作方"
    refused = any("不能交给合作方" in each for each in findings(asked, models, stage))
    assert refused is (stage is Stage.PRE_SCREEN)


def test_a_fact_from_a_partner_decides_no_key_step():
    """D1-10."""
    known = msgspec.json.decode(CATALOGUE.text)
    known.append({**known[-2], "name": "partner_score", "label": "合作方评分", "source": "partner_api"})
    catalogue = facts.Catalogue(msgspec.json.encode(known))
    document = single(Stage.ELIGIBILITY, [QUERIES], [["> 3", *rule("A")]])
    schema = {
        "type": "object",
        "required": ["partner_score"],
        "properties": {"partner_score": {"type": "integer"}},
    }
    document["nodes"][0]["content"]["schema"] = json.dumps(schema)
    document["nodes"][1]["content"]["inputs"][0]["field"] = "partner_score"
    assert any("来自合作方" in str(each) for each in lint.check(Stage.ELIGIBILITY, document, catalogue))
    assert lint.check(Stage.FRAUD_CHECK, document, catalogue) == []


def test_one_result_means_one_way():
    grade = ["'A'", "'pass'"]
    nodes = [rules(n, ["score"], [["", *grade]], Stage.RATING) for n in ("t", "u")]
    lines = [line("facts", "t"), line("facts", "u"), line("t", "result"), line("u", "result")]
    found = findings(graph(entry("score"), nodes, lines), stage=Stage.RATING)
    assert any("只能有一个结果" in each for each in found)


def test_facts_that_lie_to_the_engine_leave_branches_and_values_unproven():
    """Behind the schema: what the check would have refused is handed straight to zen."""
    for document, values in ((chained(), {QUERIES: 5, LENDERS: 5}), (branched(f"{QUERIES} < 5", "*"), {})):
        compiled = gate.compile_stage(Stage.ELIGIBILITY, document, CATALOGUE)
        fine = {QUERIES: 5, KIND: "consumer", LENDERS: 5, **values}
        gate.run(compiled, fine, CATALOGUE)
        for bad in (None, "5", 10**15, 2.5, True, []):
            with pytest.raises(gate.Unproven):
                gate.run(compiled, {**fine, QUERIES: bad}, CATALOGUE)


def test_a_result_without_its_branch_witness_is_unproven():
    compiled = gate.compile_stage(Stage.ELIGIBILITY, branched(f"{QUERIES} < 5", "*"), CATALOGUE)
    witnessed = {"_branch_0_s": {"taken": True}, "t0": [{"_row": "_witness"}]}
    assert gate._read(compiled, witnessed, {}).hits == []
    for wrong in (
        {"t0": [{"_row": "_witness"}]},
        {**witnessed, "_branch_1_s": {"taken": True}},
        {**witnessed, "t1": [{"_row": "_witness"}]},
        {"_branch_0_s": {"taken": True}},
        {"_branch_1_s": {"taken": True}, "t0": [{"_row": "_witness"}]},
        {},
        None,
    ):
        with pytest.raises(gate.Unproven):
            gate._read(compiled, wrong, {})


def _drawn_eligibility() -> dict[str, Any]:
    """The seeded eligibility with a switch before one of its tables."""
    document = bundle.seeded_documents()[Stage.ELIGIBILITY]
    document["nodes"].append(switch("who", "bureau_found", "*"))
    for edge in document["edges"]:
        if edge["targetId"] == "bureau":
            edge.update({"sourceId": "who", "sourceHandle": "who-0"})
    twin = copy.deepcopy(next(node for node in document["nodes"] if node["id"] == "bureau"))
    twin.update({"id": "thin", "name": "没有征信记录"})
    document["nodes"].append(twin)
    document["edges"] += [line("facts", "who"), line("who", "thin", "who-1"), line("thin", "result")]
    entry_node = next(node for node in document["nodes"] if node["type"] == "inputNode")
    declared = json.loads(entry_node["content"]["schema"])
    if "bureau_found" not in declared["properties"]:
        declared["required"].append("bureau_found")
        declared["properties"]["bureau_found"] = {"type": "boolean"}
        entry_node["content"]["schema"] = json.dumps(declared)
    return document


def test_the_way_of_a_decision_lights_up_nodes_lines_and_rows(good):
    documents = bundle.seeded_documents()
    documents[Stage.ELIGIBILITY] = document = _drawn_eligibility()
    used = bundle.build(documents, bundle.seeded().card.card)
    capsule = evaluate.evaluate(with_facts(good, bureau_queries_6m=9), used)
    assert capsule.decision.outcome is Outcome.DECLINED
    way = path.lit(document, capsule.decision.trace, Stage.ELIGIBILITY)
    assert {"facts", "who", "bureau", "result"} <= way.nodes
    assert "thin" not in way.nodes
    assert {"who-bureauwho-0", "facts-who"} & way.lines
    assert way.rows == {"bureau": ("bureau-4",)}
    read_back = msgspec.json.decode(model.canonical(capsule), type=model.Capsule)
    assert model.canonical(evaluate.evaluate(read_back.case, used)) == model.canonical(capsule)


def test_a_document_of_tables_only_leaves_no_new_marks_in_the_trace(good):
    """Stored capsules stay as they were (A3-30)."""
    trace = evaluate.evaluate(good, bundle.seeded()).decision.trace
    assert {step.event for step in trace} <= {"row", "score", "complete"}
    way = path.lit(bundle.seeded_documents()[Stage.RATING], trace, Stage.RATING)
    assert way.nodes == {"facts", "grades", "result"}


def test_a_stage_that_did_not_end_lights_up_nothing(good):
    trace = evaluate.evaluate(with_facts(good, bureau_queries_6m=None), bundle.seeded()).decision.trace
    assert (
        path.lit(bundle.seeded_documents()[Stage.ELIGIBILITY], trace, Stage.ELIGIBILITY).nodes == frozenset()
    )


def test_positions_and_what_an_editor_adds_do_not_matter_but_everything_else_does():
    document = chained()
    document["nodes"][1] |= {"measured": {"width": 1}, "selected": True, "dragging": False}
    document["edges"][0] |= {"animated": True, "sourceHandle": None, "targetHandle": None}
    assert findings(document) == []
    for node, key in ((0, "data"), (1, "script"), (2, "hooks")):
        odd = copy.deepcopy(chained())
        odd["nodes"][node][key] = "x"
        assert any("看不懂的设置" in each for each in findings(odd))


def test_ids_as_the_editor_makes_them_are_fine():
    text = json.dumps(chained())
    for plain in ("sum", "t"):
        text = text.replace(f'"{plain}"', f'"0f9d1c3a-7b7e-4c60-9d55-5b2b8a6d7e{plain[0]}1"')
    document = json.loads(text)
    assert findings(document) == []
    assert len(ran(document, {QUERIES: 7, LENDERS: 5}).hits) == 2


def test_every_document_that_is_refused_is_refused_with_a_sentence():
    with pytest.raises(StrategyRefused) as caught:
        gate.compile_stage(Stage.ELIGIBILITY, branched(f"{QUERIES} <"), CATALOGUE)
    assert all("：" in each for each in caught.value.findings)
