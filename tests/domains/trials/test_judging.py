"""A trial's outcome is the live one, case by case; its groups and swaps add up (A3-33, A3-36, A9-09, D3-03)."""

import random
from typing import Any

import msgspec
import polars as pl
import pytest

from backend.domains.decision import bundle, evaluate, facts, model, service
from backend.domains.trials import cases, judging, report, tallying
from backend.domains.trials.model import Measured, Rules, rules_of
from tests.domains.decision.test_service import stricter
from tests.domains.trials import conftest as given


def harder() -> Rules:
    documents = stricter(bundle.seeded_documents())
    return rules_of({"": given.recipe_of(bundle.build(documents, bundle.seeded().card.card))})


@pytest.mark.slow
def test_ten_thousand_outcomes_are_those_of_live_decisions() -> None:
    """Each case is decided as the road decides it, stored as it is stored, and tried from both ends."""
    frame = given.facts(10_000)
    plan = given.seeded_plan()
    judge, using = judging.Judge(plan), bundle.seeded()
    live = [service.decide(case, using) for case in cases.of_frame(frame, given.shelf())]
    stored = [(str(n), "4101", model.canonical(capsule), "") for n, capsule in enumerate(live)]
    tried = judge.county(frame, given.NAME).frame
    again = judge.history(stored).frame
    expected = pl.DataFrame(
        {
            "outcome": [str(capsule.decision.outcome) for capsule in live],
            "amount_fen": [capsule.decision.amount_fen or 0 for capsule in live],
            "annual_rate_bp": [capsule.decision.annual_rate_bp or 0 for capsule in live],
            "grade": [capsule.decision.grade or "" for capsule in live],
            "reason": [
                capsule.decision.reasons[0].code if capsule.decision.reasons else "" for capsule in live
            ],
        }
    )
    assert set(expected["outcome"]) == {"approved", "declined", "referred"}
    for judged, side in ((tried, "draft"), (again, "draft"), (again, "base")):
        for name in expected.columns:
            assert judged[f"{side}_{name}"].equals(expected[name]), (side, name)


def test_every_fact_of_the_county_passes_the_gate() -> None:
    """No case of the county has a gap of type, range or contradiction."""
    using = bundle.seeded()
    for case in cases.of_frame(given.facts(2_000, seed=8), given.shelf()):
        assert facts.check(case, using.needed, using.catalogue).gaps == []


def test_a_missing_fact_is_a_referral_and_never_an_approval() -> None:
    frame = given.facts(300)
    without = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("bureau_queries_6m"))
    judge = judging.Judge(given.seeded_plan())
    assert "approved" in set(judge.county(frame, "x").frame["draft_outcome"])
    assert "approved" not in set(judge.county(without, "x").frame["draft_outcome"])


def by(measured: list[Measured], grouping: str, side: str) -> dict[str, Measured]:
    return {m.member: m for m in measured if m.grouping == grouping and m.side == side}


def test_groups_add_up_and_swaps_explain_the_difference() -> None:
    frame = given.facts(1_500)
    judge = judging.Judge(given.seeded_plan(base=harder()))
    judged = judge.county(frame, given.NAME).frame
    measured = tallying.tally(judged)
    draft, base = by(measured, "all", "draft")[""], by(measured, "all", "base")[""]
    swap_in = by(measured, "all", "swap_in")[""]
    assert (draft.cases, base.cases) == (1_500, 1_500)
    assert draft.approved + draft.referred + draft.declined == 1_500
    assert draft.approved == base.approved + swap_in.cases
    assert by(measured, "all", "swap_out") == {}
    assert swap_in.cases > 50
    for grouping in ("county", "product", "age_band", "sex", "occupation", "education", "town", "village"):
        groups = by(measured, grouping, "draft").values()
        for name in tallying.SUMS:
            assert sum(getattr(m, name) for m in groups) == getattr(draft, name), (grouping, name)
    reasons = by(measured, "reason", "draft").values()
    assert sum(m.declined for m in reasons) == sum(m.cases for m in reasons) == draft.declined > 0
    approved = judged.filter(pl.col("draft_outcome") == "approved")
    assert draft.bad == approved["defaulted"].sum()
    assert draft.amount_fen == approved["draft_amount_fen"].sum()
    assert draft.mean_rate_bp == round(
        (approved["draft_amount_fen"] * approved["draft_annual_rate_bp"]).sum() / draft.amount_fen
    )


def test_sums_of_chunks_are_sums_of_the_whole() -> None:
    frame = given.facts(900)
    judge = judging.Judge(given.seeded_plan(base=harder()))
    whole = tallying.tally(judge.county(frame, given.NAME).frame)
    added: dict[tuple[str, str, str], dict[str, int]] = {}
    for first in (0, 300, 600):
        for each in tallying.tally(judge.county(frame.slice(first, 300), given.NAME).frame):
            sums = added.setdefault((each.grouping, each.member, each.side), dict.fromkeys(tallying.SUMS, 0))
            for name in tallying.SUMS:
                sums[name] += getattr(each, name)
    assert added == {
        (m.grouping, m.member, m.side): {name: getattr(m, name) for name in tallying.SUMS} for m in whole
    }


def test_expected_loss_follows_the_scores_scale() -> None:
    scale = {"score": 600, "odds": 50, "points_to_double": 20}
    assert judging.default_bp(600, scale) == round(10_000 / 51)
    assert judging.default_bp(620, scale) == round(10_000 / 101)
    assert judging.default_bp(None, scale) == 10_000
    frame = given.facts(600)
    judged = judging.Judge(given.seeded_plan()).county(frame, "x").frame
    approved = judged.filter(pl.col("draft_outcome") == "approved")
    rate = approved["draft_loss_fen"].sum() / approved["draft_amount_fen"].sum()
    assert 0 < rate < 0.05
    assert judged.filter(pl.col("draft_outcome") != "approved")["draft_loss_fen"].sum() == 0


def test_like_pairs_get_the_same_price() -> None:
    """D3-03: age, family and work change neither limit nor rate of an approval."""
    judged = judging.Judge(given.seeded_plan()).county(given.facts(400), "x")
    assert judged.fairness.pairs > 20
    assert (judged.fairness.differing, judged.fairness.worst_gap_bp) == (0, 0)


def test_an_unequal_price_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = evaluate.evaluate

    def dearer_for_farmers(case: model.Case, using: Any, **more: Any) -> model.Capsule:
        capsule = real(case, using, **more)
        decision = capsule.decision
        if decision.annual_rate_bp and case.sources["application"].facts["occupation"] == "farmer":
            worse = msgspec.structs.replace(decision, annual_rate_bp=decision.annual_rate_bp + 50)
            return msgspec.structs.replace(capsule, decision=worse)
        return capsule

    monkeypatch.setattr(evaluate, "evaluate", dearer_for_farmers)
    fairness = judging.Judge(given.seeded_plan()).county(given.facts(400), "x").fairness
    assert fairness.differing > 0
    assert fairness.worst_gap_bp == 50


def test_a_twin_differs_only_in_what_may_not_price() -> None:
    case = next(cases.of_frame(given.facts(1), given.shelf()))
    known = facts.catalogue()
    other = judging.twin(case, random.Random(1))
    for source, held in case.sources.items():
        for name, value in held.facts.items():
            if other.sources[source].facts[name] != value:
                assert not known[name].price, name


def test_a_purpose_leads_to_its_product_and_terms_to_those_offered() -> None:
    found = list(cases.of_frame(given.facts(400), given.shelf()))
    for case in found:
        asked, product = case.sources["application"].facts, case.sources["product"].facts
        assert asked["requested_term_months"] in (3, 6, 12)
        assert product["product_min_amount"] <= asked["requested_amount"] <= product["product_max_amount"]
        assert product["purpose_in_product"] == (asked["purpose"] != "other")
    assert {case.product for case in found} == {"SXD", "JYXY"}


def test_rows_for_pages_show_both_sides_largest_first() -> None:
    judge = judging.Judge(given.seeded_plan(base=harder()))
    measured = tallying.tally(judge.county(given.facts(600), given.NAME).frame)
    rows = report.rows(measured, "occupation")
    assert [row.cases for row in rows] == sorted((row.cases for row in rows), reverse=True)
    assert {row.label for row in rows} >= {"种植养殖", "上班或打工"}
    changed = [row for row in rows if row.swap_in]
    assert changed
    assert all(row.change_bp is not None and row.change_bp > 0 for row in changed)


def test_a_countys_layer_comes_into_its_trials() -> None:
    """N4: a recipe built again has the versions it was made of, the overlay's among them, and decides as it does."""
    documents = bundle.seeded_documents()
    overlay = stricter(bundle.seeded_documents())[model.Stage.ELIGIBILITY]
    layered = bundle.build(
        documents, bundle.seeded().card.card, overlays={model.Stage.ELIGIBILITY: overlay}, keep=False
    )
    recipe = given.recipe_of(layered)
    assert judging.build(recipe).versions == layered.versions != bundle.seeded().versions
    frame = given.facts(400)
    plan = msgspec.structs.replace(
        given.seeded_plan(), draft=rules_of({"": recipe}), base=given.seeded_plan().draft
    )
    measured = tallying.tally(judging.Judge(plan).county(frame, "x").frame)
    draft, base = by(measured, "all", "draft")[""], by(measured, "all", "base")[""]
    assert draft.approved < base.approved
    assert by(measured, "all", "swap_in") == {}


@pytest.mark.parametrize(
    ("approved", "cases_", "approval"),
    [(21, 54, 3889), (5, 12, 4167), (1, 3, 3333), (0, 7, 0), (7, 7, 10_000)],
)
def test_a_share_is_to_the_nearest_hundredth_of_a_percent(approved: int, cases_: int, approval: int) -> None:
    found = Measured(
        grouping="", member="", side="draft", cases=cases_, approved=approved, referred=0, declined=cases_ - approved,
        amount_fen=300, rate_amount=0, loss_fen=2, matured=3, bad=2,
    )  # fmt: skip
    assert (found.approval_bp, found.loss_bp, found.bad_bp) == (approval, 67, 6667)
