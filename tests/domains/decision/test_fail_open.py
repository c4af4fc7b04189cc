"""Every case of findings.md in which zen-engine fails open: refused at load or referred, never approved.

Each test first shows that zen itself really lets the case through, so that a fixed engine is noticed.
"""

import copy
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import zen

from backend.domains.decision import bundle, facts, gate, lint, scorecard
from backend.domains.decision.model import Case, Outcome, Stage, StrategyRefused
from tests.domains.decision.conftest import decide, with_facts

QUERIES = "bureau_queries_6m"


def node(document: Any, number: str) -> Any:
    return next(each for each in document["nodes"] if each["id"] == number)


def rows(document: Any, number: str) -> list[dict[str, str]]:
    return node(document, number)["content"]["rules"]


def column(document: Any, number: str, field: str) -> str:
    return next(c["id"] for c in node(document, number)["content"]["inputs"] if c["field"] == field)


def zen_hits(document: Any, **changed: object) -> Any:
    """What zen alone makes of harmless facts with some changed."""
    entry = next(each for each in document["nodes"] if each["type"] == "inputNode")["content"]
    context = {name: _lowest(name) for name in json.loads(entry["schema"])["properties"]} | changed
    entry["schema"], kept = "", entry["schema"]
    content = zen.ZenDecisionContent(json.dumps(document))
    entry["schema"] = kept
    return zen.ZenEngine({"loader": lambda _: content}).evaluate("k", context)["result"]


def refused(stage: Stage, document: Any) -> str:
    with pytest.raises(StrategyRefused) as caught:
        gate.compile_stage(stage, document, facts.catalogue())
    return " ".join(caught.value.findings)


@pytest.fixture
def eligibility(documents):
    return documents[Stage.ELIGIBILITY]


@pytest.mark.parametrize("value", [None, ..., "9", 9.0, True, [9], Decimal(9), date(2026, 1, 1), -1, 10**9])
def test_a_null_missing_or_mistyped_fact_in_a_reject_column_is_referred(good, eligibility, value):
    if value is None:
        assert not zen_hits(eligibility, **{QUERIES: None})["bureau"]  # zen: no row matches, so "pass"
    decision = decide(with_facts(good, **{QUERIES: value}))
    assert decision.outcome is Outcome.REFERRED
    assert QUERIES in {gap.fact for gap in decision.gaps}


def test_a_broken_cell_is_refused_at_load(eligibility):
    cell = column(eligibility, "bureau", QUERIES)
    broken = rows(eligibility, "bureau")[3]
    assert broken[cell] == ">= 8"
    broken[cell] = ">= 8 and"
    assert zen_hits(eligibility, **{QUERIES: 9})["bureau"] == []  # zen skips the row in silence
    assert "征信 第 4 行" in refused(Stage.ELIGIBILITY, eligibility)


def test_a_graph_cut_in_two_is_refused_at_load(eligibility):
    cut = copy.deepcopy(eligibility)
    cut["edges"] = [edge for edge in cut["edges"] if edge["sourceId"] != "bureau"]
    assert "bureau" not in zen_hits(cut, **{QUERIES: 9})  # zen: no answer and no error
    assert "到不了输出" in refused(Stage.ELIGIBILITY, cut)
    cut = copy.deepcopy(eligibility)
    cut["edges"] = [edge for edge in cut["edges"] if edge["targetId"] != "bureau"]
    assert "走不到" in refused(Stage.ELIGIBILITY, cut)


def test_a_graph_without_lines_or_tables_is_refused_at_load(eligibility):
    assert refused(Stage.ELIGIBILITY, eligibility | {"edges": []})
    empty = eligibility | {"nodes": [n for n in eligibility["nodes"] if n["type"] != "decisionTableNode"]}
    assert "没有决策表" in refused(Stage.ELIGIBILITY, empty | {"edges": []})


@pytest.mark.parametrize("cell", ["> 1/0", "> 8 / product_min_age", "> 1/(2-2)"])
def test_a_division_that_may_be_by_zero_is_refused(eligibility, cell):
    assert zen.evaluate_expression("1/0", {}) is None
    rows(eligibility, "bureau")[3][column(eligibility, "bureau", QUERIES)] = cell
    assert "除号后面" in refused(Stage.ELIGIBILITY, eligibility)


@pytest.mark.parametrize(
    "cell", ["> len('张三')", "> rand(9)", "> date('now')", "contains($, 'a')", "> d().year()"]
)
def test_functions_that_count_bytes_draw_lots_or_read_the_clock_are_refused(eligibility, cell):
    assert zen.evaluate_expression("len('张三')", {}) == 6
    rows(eligibility, "bureau")[3][column(eligibility, "bureau", QUERIES)] = cell
    assert refused(Stage.ELIGIBILITY, eligibility)


@pytest.mark.parametrize("cell", ["> 年龄", "> $root['年龄']", "> bureau_querys_6m", "> null"])
def test_a_name_zen_would_read_as_null_is_refused(eligibility, cell):
    rows(eligibility, "bureau")[3][column(eligibility, "bureau", QUERIES)] = cell
    assert refused(Stage.ELIGIBILITY, eligibility)


@pytest.mark.parametrize("cell", ["> '8'", "'8'", "true", "> core_known", "== purpose"])
def test_a_number_column_compared_with_something_else_is_refused(eligibility, cell):
    rows(eligibility, "bureau")[3][column(eligibility, "bureau", QUERIES)] = cell
    assert refused(Stage.ELIGIBILITY, eligibility)


def test_a_column_whose_fact_nobody_supplies_is_refused(eligibility):
    for each in node(eligibility, "bureau")["content"]["inputs"]:
        if each["field"] == QUERIES:
            each["field"] = "bureau_queries_9m"
    assert "没有在输入里声明" in refused(Stage.ELIGIBILITY, eligibility)


def test_script_nodes_are_refused(eligibility):
    script = {"id": "js", "type": "functionNode", "name": "脚本", "content": {"source": "while(true){}"}}
    assert "脚本" in refused(Stage.ELIGIBILITY, eligibility | {"nodes": [*eligibility["nodes"], script]})


@pytest.mark.parametrize(
    "kind", ["customNode", "expressionNode", "switchNode", "decisionNode", "httpNode", ""]
)
def test_nodes_that_could_replace_the_context_are_refused(eligibility, kind):
    other = {"id": "other", "type": kind, "name": "别的", "content": {}}
    assert refused(Stage.ELIGIBILITY, eligibility | {"nodes": [*eligibility["nodes"], other]})


@pytest.mark.parametrize(
    "setting",
    [{"passThrough": True}, {"inputField": "items"}, {"executionMode": "loop"}, {"hitPolicy": "first"}],
)
def test_table_settings_that_hide_rows_are_refused(eligibility, setting):
    node(eligibility, "bureau")["content"].update(setting)
    assert refused(Stage.ELIGIBILITY, eligibility)


def test_no_result_key_is_referred_not_approved(good, documents):
    """A compiled stage whose table gives nothing back: the witness is missing."""
    stage = bundle.seeded().stages[Stage.FRAUD_CHECK]
    values = {name: _lowest(name) for name in stage.inputs}
    blind = gate.CompiledStage(
        stage=stage.stage, hash=stage.hash, inputs=stage.inputs, tables=("nowhere",), looks={}, leans={}
    )
    with pytest.raises(gate.Unproven, match="no_witness"):
        gate.evaluate(blind, values, facts.catalogue())


def _lowest(name: str) -> object:
    fact = facts.catalogue()[name]
    return {"bool": False, "enum": fact.members[0] if fact.members else ""}.get(fact.kind, fact.low)


@pytest.mark.parametrize("bad", [None, "9", 10**15])
def test_behind_the_check_stand_a_schema_and_a_witness_row(bad):
    """Defence in depth: a wrong value handed straight to the engine leaves the table unproven, twice over."""
    catalogue = facts.catalogue()
    stage = bundle.seeded().stages[Stage.ELIGIBILITY]
    values = {name: _lowest(name) for name in stage.inputs}
    gate.evaluate(stage, values, catalogue)
    with pytest.raises(gate.Unproven, match="engine_error"):  # the schema
        gate.evaluate(stage, values | {QUERIES: bad}, catalogue)
    running = gate.instrumented(bundle.seeded_documents()[Stage.ELIGIBILITY], catalogue)
    assert _witnessed(zen_hits(running, **values)["bureau"])
    assert not _witnessed(zen_hits(running, **(values | {QUERIES: bad}))["bureau"])


def _witnessed(hits: list[dict[str, str]]) -> bool:
    return any(hit["_row"] == "_witness" for hit in hits)


def test_a_limit_or_price_table_without_a_required_part_is_referred(good, documents):
    for stage, table, key in ((Stage.LIMIT, "caps", "obligations"), (Stage.PRICING, "parts", "risk")):
        spoiled = copy.deepcopy(documents)
        kept = [rule for rule in rows(spoiled[stage], table) if rule["r1"] != f"'{key}'"]
        node(spoiled[stage], table)["content"]["rules"] = kept
        if stage is Stage.LIMIT:
            _drop(spoiled[stage], "requested_term_months", "bureau_monthly_repayment", "bureau_card_used")
        else:
            node(spoiled[stage], table)["content"]["inputs"] = [
                c for c in node(spoiled[stage], table)["content"]["inputs"] if c["field"] != "grade"
            ]
            for rule in kept:
                rule.pop("c1")
            _drop(spoiled[stage], "grade")
        decision = decide(good, bundle.build(spoiled, bundle.seeded().card.card))
        assert decision.outcome is Outcome.REFERRED
        assert any(step.output.get("code") == "part_missing" for step in decision.trace)


def _drop(document: Any, *names: str) -> None:
    entry = next(each for each in document["nodes"] if each["type"] == "inputNode")["content"]
    schema = json.loads(entry["schema"])
    schema["required"] = [name for name in schema["required"] if name not in names]
    for name in names:
        schema["properties"].pop(name)
    entry["schema"] = json.dumps(schema)


def test_an_amount_that_comes_out_as_a_fraction_of_a_fen_is_referred(good, documents):
    for rule in rows(documents[Stage.LIMIT], "caps"):
        if rule["r1"] == "'income'":
            rule["r3"] = "usable_annual_income / 7"
    decision = decide(good, bundle.build(documents, bundle.seeded().card.card))
    assert decision.outcome is Outcome.REFERRED
    assert any(step.output.get("code") == "output_mistyped" for step in decision.trace)


def test_a_score_nobody_thought_of_is_refused_at_load_with_the_value(documents):
    rating = documents[Stage.RATING]
    rows(rating, "grades").pop(2)
    assert "评分 575 分时没有一行适用" in refused(Stage.RATING, rating)


def test_a_fact_that_may_not_move_a_price_is_refused_in_pricing(documents):
    """D3-03."""
    pricing = documents[Stage.PRICING]
    entry = node(pricing, "facts")["content"]
    schema = json.loads(entry["schema"])
    schema["required"].append("age_years")
    schema["properties"]["age_years"] = {"type": "integer"}
    entry["schema"] = json.dumps(schema)
    assert "年龄 不能影响评级、额度或利率" in refused(Stage.PRICING, pricing)


def test_a_rule_without_conditions_or_of_no_effect_is_refused(eligibility):
    empty = copy.deepcopy(eligibility)
    first = rows(empty, "person")[0]
    first.update({key: "" for key in first if key.startswith("c")})
    assert "会对每个人生效" in refused(Stage.ELIGIBILITY, empty)
    never = copy.deepcopy(eligibility)
    rows(never, "bureau")[3][column(never, "bureau", QUERIES)] = "[9..8]"
    assert "永远不会生效" in refused(Stage.ELIGIBILITY, never)


def test_an_unknown_choice_or_verdict_is_refused(eligibility):
    wrong = copy.deepcopy(eligibility)
    rows(wrong, "request")[1][column(wrong, "request", "purpose")] = "!= 'others'"
    assert "没有“others”这个选项" in refused(Stage.ELIGIBILITY, wrong)
    wrong = copy.deepcopy(eligibility)
    rows(wrong, "request")[0]["r2"] = "'deny'"
    assert "只能是 拒绝、转人工、只提示" in refused(Stage.ELIGIBILITY, wrong)


@pytest.mark.parametrize(
    "junk", [None, [], {}, "x", 1, {"nodes": [], "edges": []}, {"nodes": [{}], "edges": [{}]}]
)
def test_what_is_no_graph_at_all_is_refused(junk):
    for stage in Stage:
        assert lint.check(stage, junk, facts.catalogue())


def test_findings_name_the_place_and_speak_chinese(eligibility):
    rows(eligibility, "bureau")[3][column(eligibility, "bureau", QUERIES)] = "> x"
    findings = lint.check(Stage.ELIGIBILITY, eligibility, facts.catalogue())
    assert [str(finding) for finding in findings] == [
        "征信 第 4 行 近 6 个月贷款查询：没有叫“x”的数据项，或没有在输入里声明"
    ]


@pytest.mark.parametrize("score", [-(2**63), -1, 1_501, 2**53, 2**63 - 1])
def test_a_score_beyond_all_scores_grants_and_refuses_nobody(score: int, good: Case):
    """A model that overflows gives one; "at least 700" would be true of it."""

    class Overflowing:
        def __getattr__(self, name: str) -> Any:
            return getattr(bundle.seeded().card, name)

        def score(self, values: Any) -> scorecard.Scored:
            return scorecard.Scored(score, (), ())

    used = copy.copy(bundle.seeded())
    used.card = Overflowing()  # type: ignore[assignment]
    decided = decide(good, used)
    assert (decided.outcome, decided.grade) == (Outcome.REFERRED, None)
