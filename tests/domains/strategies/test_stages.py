"""Strategies of stages outside a decision, and documents that run others (A3-20, A3-25, A6-06)."""

import copy

import pytest

from backend.core import ids
from backend.db.database import Tx
from backend.domains.decision import assess, bundle, gate, moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import MOMENTS, Outcome, Stage
from backend.domains.strategies import scenario_book, service, shipped
from backend.domains.strategies.model import CountyContent, Expected, NotPassed, SecondPerson, UnionContent
from tests.domains.decision import test_assess
from tests.domains.decision import test_nodes as nodes
from tests.domains.decision.conftest import read
from tests.domains.strategies.conftest import (
    ADMIN,
    ANALYST,
    COUNTY_ADMIN,
    COUNTY_ANALYST,
    OFFICER,
    OTHER_ADMIN,
    Stagehand,
    cell,
    previewed,
)

GOOD = read("approved_payroll")


async def live(tx: Tx) -> dict[Stage, assess.Prepared]:
    return {stage: await moments.prepared(tx, "SXD", stage) for stage in MOMENTS}


async def test_the_stages_outside_a_decision_begin_with_the_shipped_documents(tx):
    assert await live(tx) == assess.seeded()


async def test_a_new_early_warning_is_asked_from_its_approval_on_and_can_be_taken_back(hand: Stagehand):
    def earlier(document):
        cell(document, "repayment", "repayment-2", "c1", "[6..30]")
        cell(document, "repayment", "repayment-1", "c1", "[1..5]")

    made = await hand.union(Stage.EARLY_WARNING, earlier)
    held = await live(await hand.as_(OFFICER))
    assert held[Stage.EARLY_WARNING].stage.hash == made.document_hash
    assert {s for s in MOMENTS if held[s] is not assess.seeded()[s]} == {Stage.EARLY_WARNING}
    await service.roll_back(await hand.as_(ADMIN), "*", Stage.EARLY_WARNING, reason="电话太多")
    assert await live(await hand.as_(OFFICER)) == assess.seeded()


PLAN = {"c4": "'hardship'", "r1": "'remind'", "r2": "'sms'", "r3": "10", "r4": "'先发短信问一问'"}


async def test_a_countys_overlay_is_asked_beside_the_unions_from_its_approval_on_in_that_county_alone(
    hand: Stagehand,
):
    made = await hand.overlay(Stage.COLLECTION, CountyContent(rows={"plan": [PLAN]}))
    given = test_assess.case(Stage.COLLECTION, collection_segment="hardship")
    officer = await hand.as_(OFFICER)
    using = await moments.live(officer, "SXD", Stage.COLLECTION)
    said = moments.say(Stage.COLLECTION, given, using)
    assert (said.outcome, said.contact.channel, said.contact.pace_days) == ("remind", "sms", 10)
    assert said.overlay == made.document_hash
    number = await moments.record(officer, given, said, subject="plan")
    other = await hand.as_(OTHER_ADMIN)
    elsewhere = moments.say(Stage.COLLECTION, given, await moments.live(other, "SXD", Stage.COLLECTION))
    assert (elsewhere.outcome, elsewhere.contact.channel) == ("negotiate", "call")
    with pytest.raises(SecondPerson):  # without it the county decides looser
        await service.retire(await hand.as_(COUNTY_ADMIN), made.id, reason="不用了")
    await service.retire(await hand.as_(COUNTY_ANALYST), made.id, reason="不用了")
    tx = await hand.as_(OFFICER)
    assert await moments.replay(tx, number) == (True, True), "by the overlay of then"
    assert (await live(tx))[Stage.COLLECTION] is assess.seeded()[Stage.COLLECTION]


async def test_a_countys_number_of_early_warning_only_warns_earlier(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    later = CountyContent(parameters={"overdue_freeze": 60})
    [said] = (await previewed(tx, "*", Stage.EARLY_WARNING, later)).findings
    assert said.sentence == "逾期天数是 31 的客户，省联社会冻结额度，改成高于 60 以后就不会了"
    await hand.overlay(Stage.EARLY_WARNING, CountyContent(parameters={"overdue_freeze": 15}))
    using = await moments.live(await hand.as_(OFFICER), "SXD", Stage.EARLY_WARNING)
    given = test_assess.case(Stage.EARLY_WARNING, loan_days_past_due=20)
    assert moments.say(Stage.EARLY_WARNING, given, using).outcome == "freeze"


@pytest.mark.parametrize("stage", MOMENTS)
async def test_a_scenario_of_a_moment_that_fails_stops_the_approval(hand: Stagehand, stage: Stage):
    """Head office's own, shipped with version 1: a document that refuses nobody meets them no longer."""
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", stage, reason="试一试")
    document = copy.deepcopy(begun.content.document)
    name, table, row, column, text = MILDER[stage]
    cell(document, table, row, column, text)
    saved = await service.save(tx, begun.id, UnionContent(document=document))
    run = await service.check(tx, saved.id)
    assert name in {each.name for each in run.report.scenarios if each.wrong}, run.report
    with pytest.raises(NotPassed):
        await service.submit(tx, saved.id)
    good = await service.save(tx, saved.id, begun.content)
    run = await service.check(tx, good.id)
    assert (run.failures, len(run.report.scenarios)) == (0, len(shipped.scenarios(stage)))


MILDER = {
    Stage.MARKETING_GATE: ("投诉没办完，不能联系", "person", "person-3", "r2", "'note'"),
    Stage.PRE_SCREEN: ("自己来的人，接着办由人看", "person", "person-3", "r2", "'note'"),
    Stage.DRAWDOWN_CHECK: ("超过可用额度，不放", "drawdown", "drawdown-1", "r2", "'note'"),
    Stage.EARLY_WARNING: ("逾期 15 天，电话核实", "repayment", "repayment-2", "r2", "'watch'"),
    Stage.COLLECTION: ("刚逾期 2 天，在手机银行提醒", "plan", "plan-7", "r2", "'sms'"),
}
"""A scenario of each, and the cell whose change it does not survive."""


async def test_a_scenario_belongs_to_its_stage_and_to_its_institution(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    given = test_assess.case(Stage.COLLECTION, collection_segment="hardship")
    await scenario_book.add(
        tx, "*", "有困难的先发短信", given, Expected(outcome="remind", channel="sms"), stage=Stage.COLLECTION
    )
    assert await scenario_book.of_product(tx, "*") == []
    [now] = await scenario_book.run_live(tx, "*", Stage.COLLECTION)
    assert now.wrong == ["应当提醒，结果是协商", "方式应当是短信，结果是电话"]
    content = CountyContent(rows={"plan": [PLAN]})
    report = await previewed(tx, "*", Stage.COLLECTION, content)
    assert (report.failures, report.scenarios[0].outcome) == (0, "remind")
    harder = CountyContent(rows={"plan": [{**PLAN, "r1": "'visit'", "r2": "'visit'"}]})
    report = await previewed(tx, "*", Stage.COLLECTION, harder)
    assert report.failures == 1, "what is harder is not taken, so the scenario is not met"
    assert await scenario_book.of_product(await hand.as_(OTHER_ADMIN), "*", Stage.COLLECTION) == []


async def test_a_version_that_runs_a_sub_flow_lives_like_any_other(hand: Stagehand, monkeypatch):
    """The sub-flow is stored first and named by its hash; without it the check says so."""
    whole = copy.deepcopy(bundle.seeded_documents()[Stage.ELIGIBILITY])
    cell(whole, "bureau", "bureau-5", "c5", ">= 1")
    entry = next(node for node in whole["nodes"] if node["type"] == "inputNode")
    key = gate.hash_of(whole)
    outer = nodes.graph(entry, [nodes.flow("f", key)], [nodes.line("facts", "f"), nodes.line("f", "result")])
    admin = await hand.as_(ADMIN)
    begun = await service.draft(admin, "*", Stage.ELIGIBILITY, reason="拆成子流程")
    saved = await service.save(admin, begun.id, UnionContent(document=outer))
    assert (await service.check(admin, saved.id)).failures
    assert await decisions.store(admin, Stage.ELIGIBILITY, whole) == key
    live = await hand.through(saved, ADMIN, ANALYST)
    assert live.status == "live"
    officer = await hand.as_(OFFICER)
    capsule = decisions.decide(GOOD, await decisions.bundle_for(officer, "SXD"))
    assert capsule.decision.outcome is Outcome.APPROVED
    stored = await decisions.record(officer, ids.new(), capsule)
    monkeypatch.setattr(bundle, "_built", {})
    assert (await decisions.replay(officer, stored.id)).same_bytes


async def test_a_capsule_file_of_a_county_layer_says_that_its_versions_are_not_here(hand: Stagehand):
    from backend.domains.decision.model import VersionMissing, canonical

    await hand.overlay(Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    officer = await hand.as_(OFFICER)
    capsule = decisions.decide(GOOD, await decisions.bundle_for(officer, "SXD"))
    with pytest.raises(VersionMissing):
        decisions.replay_capsule(canonical(capsule))
