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
    counties,
    course,
    inside,
    nesting,
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


def test_a_county_s_row_behind_a_branch_is_asked_of_those_who_come_there_alone():
    documents, flows = nested.documents(bundle.seeded_documents())
    union = nested.unions(documents, flows)[Stage.FRAUD_CHECK]
    row = {"_id": "own", "c1": ">= 0", "r1": "'CT'", "r2": "'decline'", "r3": "'本行的规定'", "r4": "''"}
    made = composing.compose(Stage.FRAUD_CHECK, union, CountyContent(rows={"flow-1/velocity": [row]}), KNOWN)
    both = bundle.build(
        documents,
        scorecard.seeded(),
        library=lint.Library(flows),
        overlays={Stage.FRAUD_CHECK: made},
        code="x",
        keep=False,
    )
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


def computing(condition: str = "value_1 > 100") -> tuple[Document, dict[str, Document]]:
    """A sub-flow whose table, or the branch in front of it, looks at what it computes itself."""
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
    return nesting.with_other(document, flows, ["flow-1"], inner, {})


@pytest.mark.parametrize("condition", ["value_1 > 100", ""])
def test_a_table_that_hangs_on_what_its_sub_flow_computes_is_not_opened(condition):
    document, flows = computing(condition)
    content = UnionContent(document=document, openings=Openings(places=(PLACE,)))
    laid = unfolding.laid_out(content, flows)
    assert not [place for place in overlays.tables(laid.document) if place.startswith("flow-1/")]
    (found,) = overlays.check_openings(Stage.ELIGIBILITY, laid, KNOWN)
    assert "用到子流程里算出来的数" in found.sentence


def test_nor_is_one_of_the_flow_s_own_behind_such_a_branch():
    document = calculations.with_calculation(
        SHIPPED[Stage.ELIGIBILITY], "算", [Row("", "两倍年龄", "【年龄】 × 2")]
    )
    document = arranging.inserted(document, "calc-1", "bureau")
    document = nested.branched(document, "bureau", "value_1 > 100")
    document["edges"] = [
        {**edge, "sourceId": "calc-1"} if edge["targetId"] == "split" else edge for edge in document["edges"]
    ]
    opened = UnionContent(document=document, openings=Openings(places=("bureau", "person")))
    (found,) = overlays.check_openings(Stage.ELIGIBILITY, opened, KNOWN)
    assert "在一个按算出来的数分的分支后面" in found.sentence
    assert found.node == "bureau"


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
