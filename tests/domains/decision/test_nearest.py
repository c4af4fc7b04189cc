"""The nearest lawful change (N5): tried out, never a promise, never a way to look better than one is."""

import copy
import random
from datetime import date
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core import clock, ids
from backend.domains.decision import bundle, evaluate, facts, nearest, scorecard, service
from backend.domains.decision.model import Capsule, Case, Outcome, Stage, canonical
from tests.domains.decision.conftest import CASES, decide, read, with_facts
from tests.domains.decision.documents import rule, single
from tests.domains.decision.test_properties import PLAIN, someone
from tests.domains.strategies.conftest import cell
from tests.domains.strategies.test_never_looser import layered

PEOPLE = 500


def searched(case) -> tuple[Capsule, nearest.Nearest | None]:
    capsule = evaluate.evaluate(case, bundle.seeded())
    return capsule, nearest.nearest(capsule, bundle.seeded())


@cache
def person(seed: int) -> tuple[Capsule, nearest.Nearest | None]:
    return searched(with_facts(someone(seed), **PLAIN) if seed % 2 else someone(seed))


@given(st.integers(0, PEOPLE))
@settings(max_examples=300, deadline=None)
def test_what_is_told_is_what_deciding_again_gives(seed):
    """Doing exactly what is named gives exactly the named offer; nothing is told that is not more than before."""
    capsule, found = person(seed)
    if found is None:
        return
    before = capsule.decision
    after = evaluate.evaluate(nearest.apply(capsule.case, found.changes), bundle.seeded()).decision
    assert after.outcome is Outcome.APPROVED
    assert (after.amount_fen, after.annual_rate_bp, after.term_months) == (
        found.amount_fen,
        found.annual_rate_bp,
        found.term_months,
    )
    assert before.outcome is not Outcome.REFERRED
    if before.outcome is Outcome.APPROVED:
        assert found.amount_fen > before.amount_fen
        assert found.annual_rate_bp <= before.annual_rate_bp
    assert len(found.changes) <= 2
    assert found.tried <= nearest.MOST
    assert "约" in found.text
    assert "重新审批" in found.text


@given(st.integers(0, PEOPLE))
@settings(max_examples=300, deadline=None)
def test_a_search_that_goes_on_from_the_decision_says_the_same_and_the_decision_too(seed):
    """What deciding kept for the search changes neither, byte for byte (the road decides so, a replay without)."""
    capsule, found = person(seed)
    kept = evaluate.Said(told=True)
    again = evaluate.evaluate(capsule.case, bundle.seeded(), said=kept)
    assert canonical(again) == canonical(capsule)
    assert nearest.nearest(again, bundle.seeded(), kept) == found


def test_what_is_seen_before_deciding_changes_no_advice(monkeypatch):
    """A row that no act moves, and the limit asked alone, only spare decisions (N5)."""
    decided, whole = [], evaluate.evaluate
    monkeypatch.setattr(
        evaluate, "evaluate", lambda *given, **more: decided.append(1) or whole(*given, **more)
    )
    monkeypatch.setattr(nearest, "MOST", 10_000)
    spared = dict.fromkeys((Outcome.APPROVED, Outcome.DECLINED), 0)
    shipped = [read(path.stem) for path in sorted(CASES.glob("*.json"))]
    chance = random.Random(5)
    counties = [county for _ in range(20) if (county := layered(chance)) is not None][:3]
    for using in (bundle.seeded(), *counties):
        for case in [*(person(seed)[0].case for seed in range(PEOPLE)), *shipped]:
            capsule = whole(case, using)
            decided.clear()
            short, few = nearest.nearest(capsule, using), len(decided)
            decided.clear()
            with monkeypatch.context() as patched:
                patched.setattr(nearest._Search, "_is_settled", lambda _: False)
                patched.setattr(nearest._Search, "_may_be_enough", lambda *_: True)
                long = nearest.nearest(capsule, using)
            assert (short and msgspec.structs.replace(short, tried=0)) == (
                long and msgspec.structs.replace(long, tried=0)
            ), case
            if capsule.decision.outcome in spared:
                spared[capsule.decision.outcome] += len(decided) - few
    assert all(count > 100 for count in spared.values()), spared


def test_a_row_that_compares_with_what_an_act_moves_settles_nothing():
    """Its column is the product's, which nobody moves; what stands in the cell is not."""
    shortest = read("approved_payroll").sources["product"].facts["product_min_term_months"]
    cell_ = f"< bureau_lenders_open + {shortest}"
    county = single(
        Stage.ELIGIBILITY, ["product_min_term_months"], [[cell_, *rule("CO_OWES")]], "bureau_lenders_open"
    )
    using = bundle.build(
        bundle.seeded_documents(), scorecard.seeded(), overlays={Stage.ELIGIBILITY: county}, keep=False
    )
    capsule = evaluate.evaluate(with_facts(read("approved_payroll"), bureau_lenders_open=1), using)
    assert [reason.code for reason in capsule.decision.reasons] == ["CO_OWES"]
    found = nearest.nearest(capsule, using)
    assert found is not None
    assert [change.act for change in found.changes] == ["lenders"]


@given(st.integers(0, PEOPLE))
@settings(max_examples=300, deadline=None)
def test_only_facts_of_the_list_move_and_only_the_lawful_way(seed):
    capsule, found = person(seed)
    if found is None:
        return
    acts = {act.name: act for act in nearest.actionable()[0].offered}
    changed = nearest.apply(capsule.case, found.changes)
    for source, held in capsule.case.sources.items():
        moved = {name for name, value in held.facts.items() if changed.sources[source].facts[name] != value}
        allowed = {
            name
            for change in found.changes
            for name in ({acts[change.act].fact} | set(acts[change.act].set) | set(acts[change.act].add))
        }
        if any(change.months for change in found.changes):
            moved -= {"birth_on"}  # who waits gets older
        assert moved <= allowed
        for name in moved:
            was, now = held.facts[name], changed.sources[source].facts[name]
            grows = any((a.fact == name and a.grow) or name in a.add for a in acts.values())
            assert now < was or grows, name
            assert now - was <= 12 or not grows


def nearly_too_old(seed: int) -> Case:
    """Somebody who is a month short of too old on the last day of the term asked for."""
    case = with_facts(someone(seed), **PLAIN)
    oldest = case.sources["product"].facts["product_max_age"]
    today, term = clock.local(case.as_of).date(), case.sources["application"].facts["requested_term_months"]
    year, month = divmod(today.year * 12 + today.month - 1 + term + 1, 12)
    return with_facts(case, birth_on=date(year - oldest - 1, month + 1, 1).isoformat())


def test_nobody_is_told_to_wait_until_he_is_too_old():
    """What takes months is decided on as old as the person is then: an age limit passed meanwhile is no approval."""
    waited = 0
    for seed in range(150):
        case = nearly_too_old(seed)
        capsule, found = searched(case)
        codes = {reason.code for reason in capsule.decision.reasons}
        assert "EL_AGE_MAX" not in codes
        younger = searched(with_facts(case, birth_on="1990-01-01"))[1]
        waited += younger is not None and max(change.months for change in younger.changes) > 1
        if found is not None:
            assert max(change.months for change in found.changes) <= 1, (seed, found.text)
    assert waited > 10


def test_waiting_makes_older_by_as_many_months():
    case = with_facts(read("approved_payroll"), birth_on="1990-03-31")
    change = nearest.Change("payroll", {"core_payroll_months": 12}, "", 4, 4)
    changed = nearest.apply(case, [change, nearest.Change("card", {}, "", 3)])
    assert changed.sources["application"].facts["birth_on"] == "1989-11-28"
    assert nearest.apply(case, []) == case


def test_the_list_names_only_known_facts_and_none_that_could_be_made_up():
    told, _ = nearest.actionable()
    offered = {name for act in told.offered for name in ({act.fact} | set(act.set) | set(act.add))}
    assert offered.isdisjoint(told.left_out)
    for name in offered | set(told.left_out):
        assert name in facts.catalogue(), name
    assert "declared_annual_income" in told.left_out
    for act in told.offered:
        assert all((act.why, act.say)), act.name
        fact = facts.catalogue()[act.fact]
        declared = fact.source == "application"
        assert not declared or act.fact in ("requested_amount", "requested_term_months"), act.name


def test_many_people_are_helped_and_some_cannot_be():
    found = [person(seed) for seed in range(200)]
    declined = [advice for capsule, advice in found if capsule.decision.outcome is Outcome.DECLINED]
    assert any(declined)
    assert None in declined
    assert any(advice and len(advice.changes) == 2 for advice in declined)


def test_an_overdue_debt_is_to_be_paid():
    case = with_facts(read("approved_payroll"), core_loan_overdue_days=12)
    _, found = searched(case)
    assert found is not None
    assert [change.act for change in found.changes] == ["own_overdue"]
    assert found.text.startswith("还清在本行到期没还的钱后，额度约可到 ")


def test_of_two_ways_the_easier_is_told_and_no_further_than_needed():
    """A term far too long: the longest allowed one is enough, though the shortest would do as well."""
    case = with_facts(read("approved_payroll"), requested_term_months=48)
    _, found = searched(case)
    assert found is not None
    assert [change.facts for change in found.changes] == [{"requested_term_months": 12}]


@pytest.mark.parametrize(
    "name", ["declined_court", "declined_identity", "declined_student", "declined_under_age"]
)
def test_where_nothing_lawful_helps_nothing_is_told(name):
    assert searched(read(name))[1] is None


def test_a_case_with_a_person_or_with_gaps_gets_no_advice():
    for path in CASES.glob("referred_*.json"):
        assert searched(read(path.stem))[1] is None, path.stem


def test_what_was_kept_back_is_not_advised_on():
    """Nobody is pushed to give a consent: a fact withheld is left alone."""
    for seed in range(60):
        case = someone(seed)
        held = case.sources["data_platform"]
        kept = [name for name in held.facts if facts.catalogue()[name].withheld is not None]
        left = {name: value for name, value in held.facts.items() if name not in kept}
        sources = {
            **case.sources,
            "data_platform": msgspec.structs.replace(held, facts=left, withheld=kept),
        }
        _, found = searched(msgspec.structs.replace(case, sources=sources))
        assert found is None or not {name for change in found.changes for name in change.facts} & set(kept)


def test_a_farmer_without_wages_is_not_told_to_find_an_employer():
    for seed in range(120):
        case = with_facts(someone(seed), **PLAIN, occupation="farmer", core_payroll_months=0)
        _, found = searched(case)
        assert found is None or "payroll" not in {change.act for change in found.changes}


def test_no_advice_of_a_rule_or_the_score_asks_for_another_story_or_for_an_employer():
    """What stands beside a reason is held to the same as the nearest change: the purpose is told as it is, and who has
    no employer is not sent to one."""
    forbidden = {"purpose": "shares", "purpose_forbidden": True, "purpose_in_product": False}
    said = decide(with_facts(read("approved_payroll"), **forbidden))
    (reason,) = (each for each in said.reasons if each.code == "EL_PURPOSE")
    assert "照实" in reason.advice
    assert "换" not in reason.advice
    for name in ("core_payroll_months", "housing_fund_months"):
        assert facts.catalogue()[name].advice.startswith("有单位的"), name


def test_more_money_that_costs_more_is_not_told():
    """Three months of wages would bring more; where the price goes up with them, that is no advice."""
    capsule, found = person(6)
    assert [change.act for change in found.changes] == ["payroll"]
    documents = copy.deepcopy(bundle.seeded_documents())
    cell(documents[Stage.PRICING], "parts", "parts-10", "c4", ">= 3")
    cell(documents[Stage.PRICING], "parts", "parts-10", "r3", "40")
    dearer = bundle.build(documents, scorecard.seeded(), keep=False)
    again = evaluate.evaluate(capsule.case, dearer)
    after = evaluate.evaluate(nearest.apply(capsule.case, found.changes), dearer).decision
    assert after.amount_fen > again.decision.amount_fen
    assert after.annual_rate_bp > again.decision.annual_rate_bp
    told = nearest.nearest(again, dearer)
    assert told is None or told.annual_rate_bp <= again.decision.annual_rate_bp


def test_a_search_ends_after_so_many_decisions(monkeypatch):
    capsule, found = person(194)
    assert found.tried > 5
    monkeypatch.setattr(nearest, "MOST", 5)
    less = nearest.nearest(capsule, bundle.seeded())
    assert less is None or less.tried <= 5


def test_a_search_that_fails_costs_nothing(monkeypatch):
    capsule = evaluate.evaluate(read("declined_low_score"), bundle.seeded())
    monkeypatch.setattr(nearest, "nearest", lambda *_: 1 / 0)
    assert service.nearest_change(capsule, bundle.seeded()) is None


async def test_it_is_kept_with_the_decision(tx):
    capsule, found = searched(with_facts(read("approved_payroll"), core_loan_overdue_days=12))
    recorded = await service.record(tx, ids.new(), capsule, advice=found)
    assert await service.nearest_of(tx, recorded.id) == found
    other = await service.record(tx, ids.new(), capsule)
    assert await service.nearest_of(tx, other.id) is None
