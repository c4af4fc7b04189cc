"""Sub-flows of a version's own: made of its tables, changed in place, told apart, decided by, replayed (issue 3 §8)."""

import copy
import json

import pytest

from backend.core import ids
from backend.domains.decision import bundle, evaluate, facts, gate, lint, scorecard
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Decision, Outcome, Stage
from backend.domains.strategies import (
    arranging,
    beside,
    carrying,
    course,
    diff,
    enclosing,
    inside,
    nesting,
    service,
)
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.model import (
    ContentInvalid,
    Document,
    Finding,
    Openings,
    StrategyMissing,
    UnionContent,
    Version,
)
from tests.domains.decision.conftest import read, with_facts
from tests.domains.decision.test_properties import someone
from tests.domains.strategies.conftest import ADMIN, ANALYST, COUNTY_ADMIN, OFFICER, Stagehand

STAGE = Stage.ELIGIBILITY
KNOWN = facts.catalogue()
SHIPPED = bundle.seeded_documents()
GOOD = read("approved_payroll")
LARGE = with_facts(GOOD, household_members=12)
ROW = {"c1": "> 74", "r1": "'EL_OLD'", "r2": "'refer'", "r3": "'要请人看一下'", "r4": "'请带上家里人'"}
NONE = Openings()


def moved(document: Document, *tables: str) -> tuple[Document, dict[str, Document]]:
    made, inner = enclosing.with_tables(document, "搬进去的", tables, NONE)
    return made, {gate.hash_of(inner): inner}


def filled(document: Document, cell: str = "> 74") -> Document:
    """The sub-flow with its row written."""
    inner = copy.deepcopy(document)
    (table,) = (node for node in inner["nodes"] if node["type"] == "decisionTableNode")
    table["content"]["rules"] = [{**table["content"]["rules"][0], **ROW, "c1": cell}]
    return inner


def with_own(
    document: Document, cell: str = "> 74", fact: str = "age_years"
) -> tuple[Document, dict[str, Document]]:
    made, inner = enclosing.with_new(STAGE, document, "年长的客户", [KNOWN[fact]])
    return nesting.with_other(made, {gate.hash_of(inner): inner}, ["flow-1"], filled(inner, cell), {})


def said(before, after, flows) -> list[str]:
    sides = (UnionContent(document=each) for each in (before, after))
    return [each.sentence for each in diff.between(STAGE, *sides, KNOWN, flows=flows)]


@pytest.mark.parametrize(
    ("stage", "tables"),
    [(STAGE, ("request", "capacity")), (STAGE, ("bureau",)), (Stage.FRAUD_CHECK, ("identity", "velocity"))],
)
def test_tables_moved_into_a_sub_flow_decide_every_case_as_before(stage, tables):
    document = SHIPPED[stage]
    made, flows = moved(document, *tables)
    assert not [
        each for each in lint.check(stage, made, KNOWN, lint.Library(flows)) if each.severity == "error"
    ]
    inner = next(iter(flows.values()))
    old = {node["id"]: node for node in document["nodes"]}
    kept = [node for node in inner["nodes"] if node["type"] == "decisionTableNode"]
    assert kept == [old[node["id"]] for node in kept], "each keeps its bytes"
    other = bundle.build(
        {**SHIPPED, stage: made}, scorecard.seeded(), library=lint.Library(flows), keep=False
    )
    seen = set()
    for case in [GOOD, *(someone(seed) for seed in range(150))]:
        one, two = (evaluate.evaluate(case, each).decision for each in (bundle.seeded(), other))
        assert plain(one) == plain(two)
        seen.add(one.outcome)
    assert len(seen) > 1


def plain(decision: Decision) -> object:
    """What a decision says, in no order but the reasons' own severity."""
    reasons = sorted((each.code, each.severity, each.text) for each in decision.reasons)
    caps = [(each.name, each.amount_fen, each.binding) for each in decision.caps]
    return decision.outcome, decision.grade, decision.amount_fen, decision.annual_rate_bp, reasons, caps


def test_what_would_not_decide_as_before_is_not_moved():
    document = SHIPPED[STAGE]
    for tables, openings, why in (
        ((), NONE, "请勾"),
        (("nothing", "facts", "result"), NONE, "请勾"),
        (("person", "request", "bureau", "capacity"), NONE, "至少留一张"),
        (("bureau",), Openings(places=("bureau",)), "向县行开放着"),
    ):
        assert why in refused(document, tables, openings)
    using = copy.deepcopy(document)
    using["nodes"].append(
        {
            "id": "calc",
            "type": "expressionNode",
            "name": "算",
            "content": {
                "expressions": [{"id": "calc-1", "key": "twice", "value": "age_years * 2"}],
                "passThrough": True,
            },
        }
    )
    using = arranging.inserted(using, "calc", "capacity")
    (table,) = (node for node in using["nodes"] if node["id"] == "capacity")
    assert "接在不同的步骤后面" in refused(using, ("capacity", "bureau"))
    table["content"]["inputs"][0]["field"] = "twice"
    assert "用到这张图算出来的数" in refused(using, ("capacity",))
    (one,) = (n["id"] for n in SHIPPED[Stage.LIMIT]["nodes"] if n["type"] == "decisionTableNode")
    assert "至少留一张" in refused(SHIPPED[Stage.LIMIT], (one,))


def refused(document: Document, tables: tuple[str, ...], openings: Openings = NONE) -> str:
    with pytest.raises(ArrangementWrong) as told:
        enclosing.with_tables(document, "搬", tables, openings)
    return told.value.text


def test_what_the_sub_flow_reads_is_declared_outside_and_no_longer_than_it_reads_it():
    made, inner = enclosing.with_new(STAGE, SHIPPED[STAGE], "看人数", [KNOWN["household_members"]])
    assert "household_members" in nesting.declared(made)
    flows = {gate.hash_of(inner): inner}
    (table,) = (node for node in inner["nodes"] if node["type"] == "decisionTableNode")
    looks = {**table["content"], "inputs": [{"id": "c1", "name": "年龄", "field": "age_years"}]}
    nodes = [{**node, "content": looks} if node is table else node for node in inner["nodes"]]
    other = arranging.declaring_less(arranging.declaring({**inner, "nodes": nodes}, ["age_years"], KNOWN))
    whole, fresh = nesting.with_other(made, flows, ["flow-1"], other, {})
    assert list(fresh.values()) == [other]
    assert "household_members" not in nesting.declared(whole)
    assert set(nesting.declared(whole)) == set(nesting.declared(SHIPPED[STAGE]))


def test_a_difference_names_what_changed_inside_and_silence_is_never_wrong():
    first, one = with_own(SHIPPED[STAGE])
    assert "年长的客户：新增节点" in said(SHIPPED[STAGE], first, one)
    assert any(
        each.startswith("年长的客户 › 规则 第 1 行：新增行，年龄 高于 74")
        for each in said(SHIPPED[STAGE], first, one)
    )
    second, two = with_own(SHIPPED[STAGE], "> 73")
    flows = {**one, **two}
    assert said(first, second, flows) == [
        "年长的客户 › 规则 第 1 行“要请人看一下” 年龄：高于 74 岁 改为 高于 73 岁"
    ]
    assert said(first, first, flows) == []
    (table,) = (each for each in beside.tables(STAGE, first, second, KNOWN, flows) if each.changed)
    assert (table.name, table.count("changed")) == ("年长的客户 › 规则", 1)
    gone = said(first, SHIPPED[STAGE], flows)
    assert "年长的客户：删除节点" in gone

    inner = copy.deepcopy(next(iter(one.values())))
    inner["nodes"][-1]["position"] = {"x": 1, "y": 2}
    drawn, three = nesting.with_other(first, one, ["flow-1"], inner, {})
    assert drawn != first
    assert said(first, drawn, {**flows, **three}) == [], "where a box stands decides nothing"
    inner = copy.deepcopy(next(iter(one.values())))
    inner["nodes"][-1]["name"] = "别的名字"
    other, four = nesting.with_other(first, one, ["flow-1"], inner, {})
    assert said(first, other, {**flows, **four}), "anything else is told, if only as what cannot be read"
    assert said(first, second, {}) == ["年长的客户：原来的内容 改为 新的内容"], "of what is not stored here"


def test_findings_stand_at_their_cells_inside_with_the_names_of_that_flow():
    found = [
        Finding(
            kind="document",
            place="甲 › 规则 第 1 行",
            sentence="一",
            node="flow-1/table-1",
            row="r",
            column="c",
        ),
        Finding(kind="document", place="甲 › 输入", sentence="二", node="flow-1"),
        Finding(kind="document", place="规则 第 1 行", sentence="三", node="table-1", row="r"),
        Finding(kind="document", place="甲子流程", sentence="四", node="flow-10/table-1"),
    ]
    seen = nesting.seen_from(found, [("flow-1", "甲")])
    assert [(each.node, each.row, each.place) for each in seen] == [
        ("table-1", "r", "规则 第 1 行"),
        ("", "", "输入"),
        ("", "", "规则 第 1 行"),
        ("", "", "甲子流程"),
    ]
    assert nesting.seen_from(found, [("flow-1", "甲")], others=False) == seen[:2]
    assert nesting.seen_from(found, ()) == found


async def opened(hand: Stagehand, document: Document, flows: dict[str, Document]) -> Version:
    """A draft that holds it."""
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", STAGE, reason="年长的客户要人看")
    for each in flows.values():
        await decisions.store(tx, STAGE, each)
    assert isinstance(begun.content, UnionContent)
    return await service.save(tx, begun.id, UnionContent(document=document, openings=begun.content.openings))


async def change(hand: Stagehand, version: Version, cell: str) -> Version:
    """Its sub-flow written over, as the pages do."""
    tx = await hand.as_(ADMIN)
    place = await inside.opened(tx, f"{version.id}~flow-1")
    assert isinstance(place.content, UnionContent)
    content = UnionContent(document=filled(place.content.document, cell))
    made = await inside.written(tx, place, content, {}, trim=True)
    ready = await service.to_preview(tx, "*", STAGE, made.content, made.flows)
    assert not ready.report().failures, "checked as a whole before anything of it is stored"
    return await inside.save(tx, place, made, note="改了子流程")


async def test_a_version_with_a_changed_sub_flow_is_approved_decides_and_replays_as_it_was(
    hand: Stagehand, monkeypatch
):
    draft = await opened(hand, *with_own(SHIPPED[STAGE], "> 19", "household_members"))
    saved = await change(hand, draft, "> 11")
    assert saved.address == f"{saved.id}~flow-1"
    assert saved.label == f"准入 第 {saved.number} 版 › 年长的客户"
    tx = await hand.as_(ADMIN)
    whole = await service.get(tx, saved.id)
    assert whole.document_hash != draft.document_hash
    assert (await inside.opened(tx, f"{draft.id}~flow-1")).content != saved.content, "the older version stays"
    first = await hand.through(whole, ADMIN, ANALYST)
    officer = await hand.as_(OFFICER)
    capsule = decisions.decide(LARGE, await decisions.bundle_for(officer, "SXD"))
    assert capsule.decision.outcome is Outcome.REFERRED
    assert {each.code for each in capsule.decision.reasons} >= {"EL_OLD"}
    stored = await decisions.record(officer, ids.new(), capsule)

    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", STAGE, reason="放回去")
    second = await change(hand, begun, "> 19")
    tx = await hand.as_(ADMIN)
    told = await course.changes_of(tx, await service.get(tx, second.id), first)
    assert [each.sentence for each in told] == [
        "年长的客户 › 规则 第 1 行“要请人看一下” 家庭人口：高于 11 人 改为 高于 19 人"
    ]
    await hand.through(await service.get(tx, second.id), ADMIN, ANALYST)
    officer = await hand.as_(OFFICER)
    capsule = decisions.decide(LARGE, await decisions.bundle_for(officer, "SXD"))
    assert capsule.decision.outcome is Outcome.APPROVED
    monkeypatch.setattr(bundle, "_built", {})
    assert (await decisions.replay(officer, stored.id)).same_bytes

    county = await hand.as_(COUNTY_ADMIN)
    looked = await inside.opened(county, f"{first.id}~flow-1")
    assert looked.within == (("flow-1", "年长的客户"),), "a county reads what head office approved"


async def test_what_a_sub_flow_says_to_customers_is_checked_and_its_rows_count(hand: Stagehand):
    document, flows = with_own(SHIPPED[STAGE])
    draft = await opened(hand, document, flows)
    tx = await hand.as_(ADMIN)
    place = await inside.opened(tx, f"{draft.id}~flow-1")
    assert isinstance(place.content, UnionContent)
    bad = json.loads(
        json.dumps(place.content.document).replace(
            "\\u8981\\u8bf7\\u4eba\\u770b\\u4e00\\u4e0b", "\\u5305\\u8fc7"
        )
    )
    made = await inside.written(tx, place, UnionContent(document=bad), {}, trim=True)
    saved = await inside.save(tx, place, made, note="包过")
    run = await service.check(tx, saved.id)
    (found,) = (each for each in run.report.findings if "对客户不能说" in each.sentence)
    assert (found.place, found.node) == ("年长的客户 › 规则 第 1 行 给客户的话", "flow-1/table-1")
    (table,) = (n for n in bad["nodes"] if n["type"] == "decisionTableNode")
    table["content"]["rules"] *= 1_000
    with pytest.raises(ContentInvalid) as told:
        await inside.written(tx, place, UnionContent(document=bad), {}, trim=True)
    assert "最多 1,000 行" in told.value.text


async def test_more_sub_flows_than_anybody_reads_are_not_saved(hand: Stagehand):
    """The same text counts wherever it runs: a few lines could name millions."""
    document, flows = with_own(SHIPPED[STAGE])
    key = next(iter(flows))
    node = next(each for each in document["nodes"] if each["id"] == "flow-1")
    many = [{**node, "id": f"flow-{n}"} for n in range(1, 30)]
    middle = {**document, "nodes": [*(n for n in document["nodes"] if n["id"] != "flow-1"), *many]}
    again = [{**node, "id": f"flow-{n}", "content": {"key": gate.hash_of(middle)}} for n in range(1, 30)]
    outer = {**document, "nodes": [*(n for n in document["nodes"] if n["id"] != "flow-1"), *again]}
    draft = await opened(hand, document, {**flows, gate.hash_of(middle): middle})
    assert key in await nesting.flows_of(await hand.as_(ADMIN), outer)
    with pytest.raises(ContentInvalid) as told:
        await inside.written(await hand.as_(ADMIN), draft, UnionContent(document=outer), {}, trim=False)
    assert "子流程一层层加起来太多" in told.value.text


async def test_a_calculation_inside_keeps_its_own_name_in_what_the_checks_say(hand: Stagehand):
    """Outside and inside, the same letters stand behind different names."""
    from backend.domains.strategies import calculations
    from backend.domains.strategies.calculations import Row

    document, flows = with_own(SHIPPED[STAGE])
    inner = next(iter(flows.values()))
    inner = calculations.with_calculation(inner, "里面的算式", [Row("", "里面的数", "【年龄】 × 2")])
    inner = arranging.inserted(inner, "calc-1", "table-1")
    document = calculations.with_calculation(document, "外面的算式", [Row("", "外面的数", "【年龄】 × 3")])
    document = arranging.inserted(document, "calc-1", "bureau")
    inner = json.loads(json.dumps(inner).replace("age_years * 2", "age_years * unknown"))
    document, fresh = nesting.with_other(document, flows, ["flow-1"], inner, {})
    draft = await opened(hand, document, {**flows, **fresh})
    run = await service.check(await hand.as_(ADMIN), draft.id)
    mine = [each for each in run.report.findings if each.node.startswith("flow-1/")]
    assert mine
    assert all("外面的数" not in each.place + each.sentence for each in mine)
    assert any("里面的数" in each.place for each in mine)
    assert all("value_1" not in each.place + each.sentence for each in mine)


async def test_a_draft_that_was_overtaken_is_told_what_changed_inside_meanwhile(hand: Stagehand):
    await hand.through(await opened(hand, *with_own(SHIPPED[STAGE], "> 120")), ADMIN, ANALYST)
    tx = await hand.as_(ADMIN)
    second = await change(hand, await service.draft(tx, "*", STAGE, reason="收一收"), "> 119")
    await hand.through(await service.get(await hand.as_(ADMIN), second.id), ADMIN, ANALYST)
    tx = await hand.as_(ADMIN)
    mine = await service.draft(tx, "*", STAGE, reason="我的")
    assert await carrying.stale(tx, mine) is None
    await service.roll_back(tx, "*", STAGE, reason="太严")
    found = await carrying.stale(tx, mine)
    assert found is not None
    assert [each.sentence for each in found.meanwhile] == [
        "年长的客户 › 规则 第 1 行“要请人看一下” 年龄：高于 119 岁 改为 高于 120 岁"
    ]


@pytest.mark.parametrize(
    "address", ["{id}~nothing", "{id}~bureau", "{id}~flow-1~flow-1", "{id}~", "~flow-1", "x~flow-1"]
)
async def test_a_sub_flow_that_is_not_there_is_not_found(hand: Stagehand, address: str):
    draft = await opened(hand, *with_own(SHIPPED[STAGE]))
    with pytest.raises(StrategyMissing):
        await inside.opened(await hand.as_(ADMIN), address.format(id=draft.id))


async def test_a_countys_overlay_has_no_sub_flow(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    begun = await service.draft(tx, "*", STAGE, reason="收紧")
    with pytest.raises(StrategyMissing):
        await inside.opened(tx, f"{begun.id}~flow-1")
