"""What counties may set inside sub-flows: asked of the same customers, opened, decided by, compared, replayed (N4)."""

import json

import pytest

from backend.core import ids
from backend.domains.decision import bundle, contracts, county, evaluate, facts, gate, lint, scorecard
from backend.domains.decision import service as decisions
from backend.domains.decision.model import COUNTY, Outcome, Stage
from backend.domains.strategies import (
    arranging,
    beside,
    calculations,
    checks,
    composing,
    computing,
    counties,
    course,
    inside,
    nesting,
    openings,
    overlays,
    service,
    unfolding,
)
from backend.domains.strategies.calculations import Row
from backend.domains.strategies.model import (
    CountyContent,
    Document,
    NotPassed,
    Openings,
    Parameter,
    UnionContent,
)
from tests.domains.decision.conftest import read, with_facts
from tests.domains.strategies import nested
from tests.domains.strategies.conftest import (
    ADMIN,
    ANALYST,
    COUNTY_ADMIN,
    COUNTY_ANALYST,
    OFFICER,
    Stagehand,
    stop_scenarios,
)
from tests.domains.strategies.test_sub_flows import with_own

KNOWN = facts.catalogue()
SHIPPED = checks.shipped_documents()
GOOD = read("approved_payroll")
PLACE = "flow-1/table-1"
MINE = {"c1": "> 50", "r1": "'CT_OLD'", "r2": "'decline'", "r3": "'本行另有规定'", "r4": "'问问客户经理'"}
OLDEST = Parameter(
    id="oldest",
    label="年龄高于多少转人工",
    table=PLACE,
    row="table-1-1",
    column="c1",
    low=60,
    high=74,
    tighter="lower",
)


def _beside(
    documents: dict[Stage, Document], stage: Stage, made: Document, flows: dict[str, Document]
) -> bundle.Bundle:
    """What decides a case by these documents and, beside them, a county's for one stage."""
    return bundle.build(
        documents,
        scorecard.seeded(),
        library=lint.Library(flows),
        overlays={stage: made},
        code="x",
        keep=False,
    )


def test_a_county_s_row_behind_a_branch_is_asked_of_those_who_come_there_alone():
    documents, flows = nested.documents(bundle.seeded_documents())
    union = nested.unions(documents, flows)[Stage.FRAUD_CHECK]
    row = {"_id": "own", "c1": ">= 0", "r1": "'CT'", "r2": "'decline'", "r3": "'本行的规定'", "r4": "''"}
    made = composing.compose(Stage.FRAUD_CHECK, union, CountyContent(rows={"flow-1/velocity": [row]}), KNOWN)
    both = _beside(documents, Stage.FRAUD_CHECK, made, flows)
    for number, outcome in ((1, Outcome.APPROVED), (2, Outcome.DECLINED)):
        found = evaluate.evaluate(with_facts(GOOD, device_customers_30d=number), both).decision
        assert found.outcome is outcome, (
            number,
            found.reasons,
            [s for s in found.trace if s.layer == COUNTY],
        )
        tables = {step.table for step in found.trace if step.layer == COUNTY and step.event == "row"}
        assert tables == ({"flow-1--velocity"} if number == 2 else set())
    assert composing.places(union.document)["flow-1--velocity"] == "flow-1/velocity"


@pytest.mark.parametrize("stage", list(SHIPPED))
def test_what_is_composed_of_a_branch_in_a_sub_flow_passes_the_checks_and_says_nothing_to_others(stage):
    table, node = next(iter(overlays.tables(SHIPPED[stage]).items()))
    fields = [column["field"] for column in node["content"]["inputs"]]
    field = next((each for each in fields if KNOWN[each].kind not in ("bool", "enum")), fields[0])
    condition = {"bool": field, "enum": f"{field} == '{(KNOWN[field].members or ('',))[-1]}'"}.get(
        KNOWN[field].kind, f"{field} > {KNOWN[field].low + 1}"
    )
    document, flows = nested.wrapped(nested.branched(SHIPPED[stage], table, condition))
    assert not [x for x in lint.check(stage, document, KNOWN, lint.Library(flows)) if x.severity == "error"]
    union = unfolding.laid_out(UnionContent(document=document), flows)
    row = {**node["content"]["rules"][0], "_id": "own"}
    made = composing.compose(stage, union, CountyContent(rows={f"flow-1/{table}": [row]}), KNOWN)
    assert not [each for each in lint.check(stage, made, KNOWN) if each.severity == "error"]
    compiled = gate.compile_stage(stage, made, KNOWN)
    values = {
        name: {"bool": False, "enum": (KNOWN[name].members or ("",))[0]}.get(
            KNOWN[name].kind, KNOWN[name].low
        )
        for name in compiled.inputs
    }
    assert {hit.row for hit in gate.evaluate(compiled, values, KNOWN, partial=True)} == {county.SILENT}


def test_nothing_is_composed_otherwise_where_there_is_neither_sub_flow_nor_branch():
    """Overlays that decide already keep their very document."""
    union = UnionContent(document=SHIPPED[Stage.ELIGIBILITY])
    assert unfolding.laid_out(union, {}) is union
    row = {"_id": "own", "c4": ">= 3", "r1": "'CT'", "r2": "'refer'", "r3": "'问一下'", "r4": "''"}
    made = composing.compose(Stage.ELIGIBILITY, union, CountyContent(rows={"bureau": [row]}), KNOWN)
    assert [node["id"] for node in made["nodes"]] == ["facts", "bureau", "result"]
    assert [edge["id"] for edge in made["edges"]] == ["in-bureau", "out-bureau"]


def computing_flow(condition: str, *, model: bool = False) -> tuple[Document, dict[str, Document]]:
    """A sub-flow whose table, or the branch in front of it, looks at what it computes, or a model in it gives."""
    document, flows = with_own(SHIPPED[Stage.ELIGIBILITY])
    inner = next(iter(flows.values()))
    inner = calculations.with_calculation(inner, "算", [Row("", "两倍年龄", "【年龄】 × 2")])
    inner = arranging.inserted(inner, "calc-1", "table-1")
    if condition:
        inner = nested.branched(inner, "table-1", condition)
        edges = [
            {**edge, "sourceId": "calc-1"} if edge["targetId"] == "split" else edge for edge in inner["edges"]
        ]
        inner = {**inner, "edges": edges}
    else:
        inner = json.loads(json.dumps(inner).replace('"field": "age_years"', '"field": "value_1"'))
    if model:
        config = {"model": "0" * 64, "output": "value_1", "low": 0, "high": 200}
        asked = {"type": "customNode", "content": {"kind": "scorecard", "config": config}}
        inner["nodes"] = [{**node, **asked} if node["id"] == "calc-1" else node for node in inner["nodes"]]
    return nesting.with_other(document, flows, ["flow-1"], inner, {})


def decided(document: Document, flows: dict[str, Document], place: str, row: dict[str, str], **given: object):
    """(the composed document, the outcome of a good case with these facts) with a county's row in a table."""
    union = unfolding.laid_out(UnionContent(document=document, openings=Openings(places=(place,))), flows)
    assert overlays.check_openings(Stage.ELIGIBILITY, union, KNOWN) == []
    content = CountyContent(rows={place: [{**row, "_id": "own"}]})
    assert overlays.check_county(Stage.ELIGIBILITY, union, content, KNOWN) == []
    made = composing.compose(Stage.ELIGIBILITY, union, content, KNOWN)
    both = _beside({**SHIPPED, Stage.ELIGIBILITY: document}, Stage.ELIGIBILITY, made, flows)
    return made, evaluate.evaluate(with_facts(GOOD, **given), both).decision.outcome


@pytest.mark.parametrize(
    ("condition", "cell", "born", "outcome"),
    [
        ("value_1 > 100", "> 50", "1971-03-05", Outcome.DECLINED),  # 55, twice is 110
        ("value_1 > 100", "> 20", "1991-03-05", Outcome.APPROVED),  # 35: does not come by the branch
        ("", "> 100", "1971-03-05", Outcome.DECLINED),
        ("", "> 100", "1991-03-05", Outcome.APPROVED),
    ],
)
def test_a_county_s_row_over_what_a_sub_flow_computes_is_asked_of_the_same_customers(
    condition, cell, born, outcome
):
    document, flows = computing_flow(condition)
    made, found = decided(document, flows, PLACE, {**MINE, "c1": cell}, birth_on=born)
    assert found is outcome
    assert [node["name"] for node in made["nodes"] if node["type"] == "expressionNode"] == ["省联社算的数"]


def test_the_same_of_a_table_of_the_flow_s_own():
    document = calculations.with_calculation(
        SHIPPED[Stage.ELIGIBILITY], "算", [Row("", "两倍年龄", "【年龄】 × 2")]
    )
    document = arranging.inserted(document, "calc-1", "bureau")
    document = nested.branched(document, "bureau", "value_1 > 100")
    document["edges"] = [
        {**edge, "sourceId": "calc-1"} if edge["targetId"] == "split" else edge for edge in document["edges"]
    ]
    row = {"c4": ">= 0", "r1": "'CT'", "r2": "'decline'", "r3": "'本行的规定'", "r4": "''"}
    for born, outcome in (("1971-03-05", Outcome.DECLINED), ("1991-03-05", Outcome.APPROVED)):
        assert decided(document, {}, "bureau", row, birth_on=born)[1] is outcome


def test_two_documents_that_give_the_same_name_are_kept_apart():
    """`value_1` is twice the age inside and the number of inquiries outside; the county writes in both."""
    document, flows = computing_flow("")
    document = calculations.with_calculation(document, "查询", [Row("", "查询", "【近 6 个月贷款查询】 + 0")])
    document = arranging.inserted(document, "calc-1", "bureau")
    nodes = [
        json.loads(json.dumps(node).replace('"field": "bureau_queries_6m"', '"field": "value_1"'))
        if node["id"] == "bureau"
        else node
        for node in document["nodes"]
    ]
    document = {**document, "nodes": nodes}
    column = next(
        c["id"] for c in overlays.tables(document)["bureau"]["content"]["inputs"] if c["field"] == "value_1"
    )
    union = unfolding.laid_out(UnionContent(document=document), flows)
    for place, label in ((PLACE, "两倍年龄"), ("bureau", "查询")):
        assert computing.words(union.document, place, KNOWN)["value_1"].label == label
    outer = {"_id": "out", column: "> 3", "r1": "'CT_Q'", "r2": "'refer'", "r3": "'问一下'", "r4": "''"}
    content = CountyContent(rows={PLACE: [{**MINE, "_id": "in", "c1": "> 100"}], "bureau": [outer]})
    made = composing.compose(Stage.ELIGIBILITY, union, content, KNOWN)
    both = _beside({**SHIPPED, Stage.ELIGIBILITY: document}, Stage.ELIGIBILITY, made, flows)
    for born, queries, outcome in (
        ("1971-03-05", 0, Outcome.DECLINED),
        ("1991-03-05", 4, Outcome.REFERRED),
        ("1991-03-05", 0, Outcome.APPROVED),
    ):
        case = with_facts(GOOD, birth_on=born, bureau_queries_6m=queries)
        assert evaluate.evaluate(case, both).decision.outcome is outcome, (born, queries)


def test_a_number_compared_with_what_is_computed_can_be_opened_and_only_tightened():
    document, flows = computing_flow("")
    union = unfolding.laid_out(UnionContent(document=document), flows)
    (found,) = (
        each for each in openings.openable(Stage.ELIGIBILITY, union.document, KNOWN) if each.table == PLACE
    )
    assert (found.number, found.label) == (74, "两倍年龄高于多少转人工")
    number = Parameter(
        id="twice", label=found.label, table=PLACE, row=found.row, column=found.column, low=60, high=74,
        tighter=found.tighter,
    )  # fmt: skip
    union = UnionContent(document=union.document, openings=Openings(parameters=(number,)))
    assert overlays.check_openings(Stage.ELIGIBILITY, union, KNOWN) == []
    (looser,) = overlays.check_county(
        Stage.ELIGIBILITY, union, CountyContent(parameters={"twice": 80}), KNOWN
    )
    assert looser.sentence == "两倍年龄是 75 的客户，省联社会转人工，改成高于 80 以后就不会了"
    made = composing.compose(Stage.ELIGIBILITY, union, CountyContent(parameters={"twice": 60}), KNOWN)
    (table,) = overlays.tables(made).values()
    assert [rule[found.column] for rule in table["content"]["rules"]] == ["> 60"]


def test_what_a_model_gives_opens_nothing_neither_inside_nor_outside():
    """A county's document asks no model."""
    for condition in ("value_1 > 100", ""):
        document, flows = computing_flow(condition, model=True)
        laid = unfolding.laid_out(UnionContent(document=document, openings=Openings(places=(PLACE,))), flows)
        assert not [place for place in overlays.tables(laid.document) if place.startswith("flow-1/")]
        (found,) = overlays.check_openings(Stage.ELIGIBILITY, laid, KNOWN)
        assert "用到子流程里评分卡、模型给的分" in found.sentence
        inner = next(each for each in flows.values() if any(n["id"] == "calc-1" for n in each["nodes"]))
        opened = UnionContent(document=inner, openings=Openings(places=("table-1",)))
        (found,) = overlays.check_openings(Stage.ELIGIBILITY, opened, KNOWN)
        assert "评分卡、模型给的分" in found.sentence
        assert found.node == "table-1"


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"content": None},
        {"content": {"expressions": [1]}},
        {"content": {"expressions": [{"key": "a"}]}},
        {"type": "customNode", "content": {"config": 1}},
    ],
)
def test_a_draft_with_a_node_that_is_not_written_out_opens_what_it_can(node):
    """A file may hold anything; the checks of the flow tell of it, not a page that breaks."""
    document = {**SHIPPED[Stage.ELIGIBILITY]}
    broken = {"id": "calc-1", "type": "expressionNode", "name": "算", **node}
    document["nodes"] = [*document["nodes"], broken]
    opened = UnionContent(document=document, openings=Openings(places=("bureau",)))
    assert overlays.check_openings(Stage.ELIGIBILITY, opened, KNOWN) == []
    assert openings.openable(Stage.ELIGIBILITY, document, KNOWN)


def test_a_county_s_row_for_everyone_in_a_table_of_yes_and_no_alone_speaks_for_everyone():
    document = arranging.with_table(Stage.LIMIT, SHIPPED[Stage.LIMIT], "有无征信", [KNOWN["bureau_found"]])
    number = document["nodes"][-1]["id"]
    (column,) = document["nodes"][-1]["content"]["inputs"]
    head = {"_id": "hq", column["id"]: "true", "r1": "'extra'", "r2": "'有征信'", "r3": "900000000"}
    document["nodes"][-1]["content"]["rules"] = [head]
    union = UnionContent(document=document, openings=Openings(places=(number,)))
    row = {"_id": "own", "r1": "'county'", "r2": "'本行上限'", "r3": "1000000"}
    made = composing.compose(Stage.LIMIT, union, CountyContent(rows={number: [row]}), KNOWN)
    assert not [each for each in lint.check(Stage.LIMIT, made, KNOWN) if each.severity == "error"]
    both = _beside({**SHIPPED, Stage.LIMIT: document}, Stage.LIMIT, made, {})
    assert "bureau_found" not in both.overlays[Stage.LIMIT].inputs, "nobody is asked yes or no"
    said = evaluate.evaluate(GOOD, both).decision
    assert [cap.amount_fen for cap in said.caps if cap.layer == COUNTY] == [1_000_000]


async def opened(hand: Stagehand, **other: object) -> None:
    """Head office's version with a sub-flow whose table and number are open, all the way to live."""
    document, flows = with_own(SHIPPED[Stage.ELIGIBILITY])
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="年长的客户由县里看")
    for inner in flows.values():
        await decisions.store(tx, Stage.ELIGIBILITY, inner)
    content = UnionContent(document=document, openings=Openings(parameters=(OLDEST,), places=(PLACE,)))
    saved = await service.save(tx, begun.id, content)
    told = await course.changes_of(tx, saved, await course.compared_with(tx, saved))
    sentences = [each.sentence for each in told]
    assert any("年龄高于多少转人工" in each and "60 到 74" in each for each in sentences), sentences
    assert any("年长的客户 › 规则" in each and "向县行开放" in each for each in sentences), sentences
    await hand.through(saved, ADMIN, ANALYST)


async def test_a_county_tightens_inside_a_sub_flow_and_it_is_checked_decided_compared_and_replayed(
    hand: Stagehand, monkeypatch
):
    await opened(hand)
    older = with_facts(GOOD, birth_on="1971-03-05")
    officer = await hand.as_(OFFICER)
    using = await decisions.bundle_for(officer, "SXD")
    assert decisions.decide(older, using).decision.outcome is Outcome.APPROVED

    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    bad = await service.save(tx, begun.id, CountyContent(parameters={"oldest": 80}))
    run = await service.check(tx, bad.id)
    (found,) = (each for each in run.report.findings if each.kind == "looser")
    assert (found.node, "年龄是 75" in found.sentence) == (PLACE, True), found
    wrong = {**MINE, "c1": "> 500"}
    bad = await service.save(tx, bad.id, CountyContent(rows={PLACE: [wrong]}))
    run = await service.check(tx, bad.id)
    assert {each.node for each in run.report.findings if each.blocks} == {PLACE}, run.report.findings
    assert any("本行第 1 行" in each.place for each in run.report.findings)

    saved = await service.save(tx, bad.id, CountyContent(parameters={"oldest": 60}, rows={PLACE: [MINE]}))
    await hand.through(saved, COUNTY_ADMIN, COUNTY_ANALYST)
    officer = await hand.as_(OFFICER)
    capsule = decisions.decide(older, await decisions.bundle_for(officer, "SXD"))
    assert capsule.decision.outcome is Outcome.DECLINED
    assert [(r.code, r.layer) for r in capsule.decision.reasons if r.code == "CT_OLD"] == [("CT_OLD", COUNTY)]
    stored = await decisions.record(officer, ids.new(), capsule)
    monkeypatch.setattr(bundle, "_built", {})
    assert (await decisions.replay(officer, stored.id)).same_bytes

    tx = await hand.as_(COUNTY_ADMIN)
    live = await service.get(tx, saved.id)
    told = [each.sentence for each in await course.changes_of(tx, live, None)]
    assert any("年长的客户 › 规则" in each for each in told), told
    assert any("高于 60" in each and "省联社 高于 74" in each for each in told), told
    laid, flows = await counties.applies(tx, live)
    under = await service.floor(tx, "*", Stage.ELIGIBILITY)
    both = {**flows, **await nesting.flows_of(tx, under.document)}
    tables = beside.tables(Stage.ELIGIBILITY, under.document, laid.document, KNOWN, both)
    (changed,) = (each for each in tables if each.changed)
    assert (changed.name, changed.count("changed"), changed.count("added")) == ("年长的客户 › 规则", 1, 1)


async def test_a_sub_flow_that_loses_the_table_leaves_what_decides_and_asks_the_county_to_renew(
    hand: Stagehand,
):
    await opened(hand)
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
    mine = await service.save(tx, begun.id, CountyContent(rows={PLACE: [MINE]}))
    live = await hand.through(mine, COUNTY_ADMIN, COUNTY_ANALYST)

    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="不再向县里开放")
    assert isinstance(begun.content, UnionContent)
    place = await inside.opened(tx, f"{begun.id}~flow-1")
    assert isinstance(place.content, UnionContent)
    renamed = json.loads(json.dumps(place.content.document).replace('"table-1"', '"table-2"'))
    made = await inside.written(tx, place, UnionContent(document=renamed), {}, trim=True)
    saved = await inside.save(tx, place, made, note="换一张表")
    run = await service.check(tx, saved.id)
    assert any("有一张开放的表不在子流程里了" in each.sentence for each in run.report.findings)
    with pytest.raises(NotPassed):
        await service.submit(tx, saved.id)
    whole = await service.get(tx, saved.id)
    assert isinstance(whole.content, UnionContent)
    closed = await service.save(tx, saved.id, UnionContent(document=whole.content.document))
    await stop_scenarios(tx, "*")
    await hand.through(closed, ADMIN, ANALYST)

    tx = await hand.as_(COUNTY_ADMIN)
    (said,) = await checks.outdated(tx, await service.get(tx, live.id))
    assert said.sentence == "省联社没有开放在这张表里加行"
    officer = await hand.as_(OFFICER)
    older = with_facts(GOOD, birth_on="1971-03-05")
    found = decisions.decide(older, await decisions.bundle_for(officer, "SXD")).decision
    assert found.outcome is Outcome.DECLINED, "what was approved decides on, for it only tightens"
    assert set(contracts.SEVERITIES) >= {each.severity for each in found.reasons}
