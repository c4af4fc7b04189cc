"""Strategies of stages outside a decision, and documents that run others (A3-20, A3-25, A6-06)."""

import copy

import pytest

from backend.core import ids
from backend.domains.decision import assess, bundle, gate
from backend.domains.decision import service as decisions
from backend.domains.decision.model import MOMENTS, Outcome, Stage
from backend.domains.strategies import service
from backend.domains.strategies.model import CountyContent, UnionContent
from tests.domains.decision import test_nodes as nodes
from tests.domains.decision.conftest import read
from tests.domains.strategies.conftest import ADMIN, ANALYST, COUNTY_ADMIN, OFFICER, Stagehand, cell

GOOD = read("approved_payroll")


async def test_the_stages_outside_a_decision_begin_with_the_shipped_documents(tx):
    held = await decisions.moments_for(tx, "SXD")
    assert {stage: each.stage.hash for stage, each in held.items()} == {
        stage: each.stage.hash for stage, each in assess.seeded().items()
    }


async def test_a_new_early_warning_is_asked_from_its_approval_on_and_can_be_taken_back(hand: Stagehand):
    def earlier(document):
        cell(document, "repayment", "repayment-1", "r2", "'call'")

    live = await hand.union(Stage.EARLY_WARNING, earlier)
    officer = await hand.as_(OFFICER)
    held = await decisions.moments_for(officer, "SXD")
    assert held[Stage.EARLY_WARNING].stage.hash == live.document_hash
    assert {s for s in MOMENTS if held[s] is not assess.seeded()[s]} == {Stage.EARLY_WARNING}
    await service.roll_back(await hand.as_(ADMIN), "*", Stage.EARLY_WARNING, reason="电话太多")
    officer = await hand.as_(OFFICER)
    assert await decisions.moments_for(officer, "SXD") == assess.seeded()


async def test_a_county_has_no_overlay_where_no_stage_would_ask_it(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    report = await service.preview(tx, "*", Stage.COLLECTION, CountyContent(parameters={"x": 1}))
    assert [each.sentence for each in report.findings] == ["这一步现在由省联社统一，县行不能另设"]


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
