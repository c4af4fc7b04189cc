"""What must hold for every case, not only for the samples."""

import copy
import random
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core import clock
from backend.domains.decision import bundle, evaluate, facts, gate, model
from backend.domains.decision.model import DECIDING, Outcome, StrategyRefused
from backend.sandbox import synthetic
from tests.benchmarks import bench_decision
from tests.domains.decision.conftest import decide, read, with_facts

GOOD = read("approved_payroll")
SUPPLIED = [(source, name) for source, held in GOOD.sources.items() for name in held.facts]
FORBIDDEN = {"house_purchase", "mortgage_repayment", "shares", "bonds", "futures", "derivatives"}
JUNK: list[Any] = [None, "", "0", "true", 0.5, 1e308, [], {}, [1], {"a": 1}, -(10**15), 10**15, "x" * 50]
JUNK += [float("nan"), float("inf"), -float("inf"), Decimal("NaN"), date(2026, 1, 1), b"0", object()]


def someone(seed: int) -> model.Case:
    """A case of a synthetic person; about a third are approved."""
    draw = random.Random(seed)
    record = synthetic.person(str(seed))
    case = with_facts(GOOD, **record)
    income = int(record["core_inflow_12m"]) or 3_000_000
    return with_facts(
        case,
        birth_on=f"{draw.randint(1958, 2009)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
        requested_amount=draw.randrange(100_000, 24_000_000, 100_000),
        requested_term_months=draw.randint(1, 14),
        declared_annual_income=int(income * draw.uniform(0.6, 1.4)),
        purpose=(purpose := draw.choice(facts.catalogue()["purpose"].members)),
        purpose_forbidden=purpose in FORBIDDEN,
        purpose_in_product=draw.random() < 0.8,
        campaign_discount_bp=draw.choice([0, 0, 20]),
    )


PLAIN = {
    "purpose": "appliance",
    "purpose_forbidden": False,
    "purpose_in_product": True,
    "birth_on": "1985-03-03",
    "requested_term_months": 12,
}


def approved(count: int) -> list[model.Case]:
    found, seed = [], 0
    while len(found) < count:
        case = with_facts(someone(seed), **PLAIN)
        if decide(case).outcome is Outcome.APPROVED:
            found.append(case)
        seed += 1
    return found


APPROVED = approved(12)


@pytest.mark.parametrize("source, name", SUPPLIED)
def test_dropping_or_nulling_any_fact_never_approves(source, name):
    for case in (GOOD, *APPROVED[:3]):
        for value in (..., None):
            decision = decide(with_facts(case, **{name: value}))
            assert decision.outcome is Outcome.REFERRED, name
            assert decision.amount_fen is None


@given(st.sampled_from(SUPPLIED), st.sampled_from(JUNK), st.sampled_from(APPROVED))
@settings(max_examples=400, deadline=None)
def test_mistyping_any_fact_never_approves(place, junk, case):
    fact = facts.catalogue()[place[1]]
    if fact.problem(junk):
        assert decide(with_facts(case, **{place[1]: junk})).outcome is not Outcome.APPROVED


@given(st.sampled_from(APPROVED), st.data())
@settings(max_examples=60, deadline=None)
def test_losing_whole_sources_never_approves(case, data):
    lost = data.draw(st.sets(st.sampled_from(sorted(case.sources)), min_size=1))
    left = {name: held for name, held in case.sources.items() if name not in lost}
    assert decide(msgspec.structs.replace(case, sources=left)).outcome is not Outcome.APPROVED


@pytest.mark.parametrize("source, name", SUPPLIED)
@pytest.mark.parametrize(
    "junk", [float("nan"), Decimal("NaN"), "", [], object()], ids=["nan", "Decimal", "text", "list", "object"]
)
def test_no_fact_may_be_anything_but_what_the_catalogue_says(source, name, junk):
    """Every fact, each way of being wrong: a person decides, and no amount stands."""
    decision = decide(with_facts(GOOD, **{name: junk}))
    assert decision.outcome is Outcome.REFERRED
    assert decision.amount_fen is None
    assert name in {gap.fact for gap in decision.gaps}


@given(st.integers(0, 3000))
@settings(max_examples=300, deadline=None)
def test_changing_what_a_reason_names_raises_the_score(seed):
    """Trust §3: one to four factors of the score, each of them a way up."""
    decision = decide(someone(seed))
    named = [reason.code.removeprefix("SC_").lower() for reason in decision.reasons
             if reason.code.startswith("SC_") and reason.direction == "minus"]  # fmt: skip
    if decision.score is None:
        return
    card = bundle.seeded().card
    parts = {part.name: part for part in card.card.characteristics}
    scored = next(step.facts for step in decision.trace if step.event == "score")
    assert len(named) <= 4
    for name in named:
        part = parts[name]
        best = part.splits[-1] if part.trend == "ascending" else part.splits[0] - 1
        assert card.score({**scored, name: best}).score > decision.score, name


def test_every_decline_has_a_reason_and_a_way_on():
    """By the score one to four; by rules every failing one (A6-02); each with what to do about it."""
    seen = 0
    for seed in range(400):
        decision = decide(someone(seed))
        if decision.outcome is not Outcome.DECLINED:
            continue
        seen += 1
        assert decision.reasons
        assert all(
            reason.text and reason.advice and reason.direction == "minus" for reason in decision.reasons
        )
        by_score = [reason for reason in decision.reasons if reason.code.startswith("SC_")]
        assert len(by_score) <= 4
        assert len({reason.code for reason in decision.reasons}) == len(decision.reasons)
    assert seen > 50


WORSE = {
    "bureau_queries_6m": +1,
    "bureau_overdue_months_24m": +1,
    "bureau_lenders_open": +1,
    "bureau_monthly_repayment": +50_000,
    "bureau_balance": +500_000,
    "core_payroll_months": -6,
    "core_inflow_months_12m": -2,
    "core_deposit_average_6m": -300_000,
    "social_security_months_24m": -6,
    "housing_fund_months": -6,
    "household_years_resident": -5,
    "declared_annual_income": -500_000,
    "bureau_internet_consumer_credit": +5_000_000,
}


@given(st.integers(0, 3000), st.sampled_from(sorted(WORSE)), st.integers(1, 5))
@settings(max_examples=400, deadline=None)
def test_a_worse_fact_never_gets_a_better_answer(seed, name, times):
    """Monotone: no approval out of a decline or referral, never more money, never a lower rate."""
    before = someone(seed)
    fact = facts.catalogue()[name]
    held = before.sources[fact.source].facts
    if not held["bureau_found"] if fact.source == "credit_bureau" else False:
        return
    worse = max(fact.low, min(fact.high, held[name] + WORSE[name] * times))
    first, second = decide(before), decide(with_facts(before, **{name: worse}))
    if second.outcome is Outcome.APPROVED:
        assert first.outcome is Outcome.APPROVED
        assert second.amount_fen <= first.amount_fen
        assert second.annual_rate_bp >= first.annual_rate_bp


@given(st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_keeping_back_what_is_optional_never_helps(seed):
    before = someone(seed)
    source = before.sources["data_platform"]
    optional = [f.name for f in facts.catalogue().facts.values() if f.withheld is not None]
    kept = msgspec.structs.replace(source, withheld=optional)
    first = decide(before)
    second = decide(msgspec.structs.replace(before, sources=before.sources | {"data_platform": kept}))
    assert (second.amount_fen or 0) <= (first.amount_fen or 0)
    assert second.outcome is not Outcome.APPROVED or first.outcome is Outcome.APPROVED


def test_no_approval_ever_exceeds_what_the_parameters_allow():
    seen = 0
    for seed in range(1500):
        case = someone(seed)
        decision = decide(case)
        if decision.outcome is not Outcome.APPROVED:
            assert decision.amount_fen is None
            assert decision.reasons
            continue
        seen += 1
        given_facts = {n: v for held in case.sources.values() for n, v in held.facts.items()}
        assert decision.amount_fen <= min(cap.amount_fen for cap in decision.caps)
        assert decision.amount_fen % evaluate.WHOLE == 0
        assert decision.amount_fen <= given_facts["requested_amount"]
        assert 435 <= decision.annual_rate_bp <= 1200
        assert sum(part.bp for part in decision.price) == decision.annual_rate_bp
    assert seen > 100


def test_a_thousand_random_cases_replay_byte_for_byte():
    """A3-30: same input and same versions, same output; also when read back from its own bytes."""
    again = bundle.build(bundle.seeded_documents(), bundle.seeded().card.card)
    for seed in range(1000):
        first = model.canonical(evaluate.evaluate(someone(seed), bundle.seeded()))
        read_back = msgspec.json.decode(first, type=model.Capsule)
        assert model.canonical(evaluate.evaluate(read_back.case, again)) == first


def test_the_tables_decide_as_the_same_rules_written_by_hand():
    """An independent if/else version of the strategies (the bench's ceiling) agrees on 1,500 people."""
    outcomes = set()
    for seed in range(1500):
        case = someone(seed)
        held = {name: value for source in case.sources.values() for name, value in source.facts.items()}
        decision = decide(case)
        by_hand = bench_decision.plain_rules(held, clock.local(case.as_of).date(), bundle.seeded())
        assert (decision.outcome, decision.amount_fen, decision.annual_rate_bp) == by_hand, seed
        outcomes.add(decision.outcome)
    assert outcomes == set(Outcome)


def _mutate(document: Any, draw: random.Random) -> None:
    """Change one thing somewhere in a document."""
    spots: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)):
            spots.append((value, key))
            if isinstance(value[key], (dict, list)):
                walk(value[key])

    walk(document)
    held, key = draw.choice(spots)
    act = draw.randrange(4)
    if act == 0:
        del held[key]
    elif act == 1 and isinstance(held, list):
        held.append(copy.deepcopy(held[key]))
    elif act == 2 and isinstance(held[key], str) and held[key]:
        cut = draw.randrange(len(held[key]))
        held[key] = (
            held[key][:cut] + draw.choice(["", "x", "'", "1", " and", "/0", "$"]) + held[key][cut + 1 :]
        )
    else:
        held[key] = draw.choice([None, "", "1/0", "true", 0, [], {}, "'x'", "> '8'", "rand(2)", "null"])


def test_a_thousand_mutated_strategies_are_refused_or_never_approve_on_bad_facts():
    """Whatever a hand or a fault does to a table: refused at load, or silence still means referral."""
    draw = random.Random(7)
    seeds = bundle.seeded_documents()
    spoiled = [with_facts(GOOD, **{name: None}) for _, name in SUPPLIED]
    refused = 0
    for _ in range(1000):
        stage = draw.choice(DECIDING)
        documents = dict(seeds)
        documents[stage] = copy.deepcopy(seeds[stage])
        _mutate(documents[stage], draw)
        try:
            mutant = bundle.build(documents, bundle.seeded().card.card)
        except StrategyRefused:
            refused += 1
            continue
        for case in draw.sample(spoiled, 5):
            assert decide(case, mutant).outcome is not Outcome.APPROVED
        evaluate.evaluate(GOOD, mutant)  # and it never raises
    assert refused > 500


def test_the_engine_is_handed_only_checked_facts():
    """Every input of every stage is in the catalogue, so nothing unchecked can reach zen."""
    for compiled in bundle.seeded().stages.values():
        assert isinstance(compiled, gate.CompiledStage)
        assert all(name in facts.catalogue() for name in compiled.inputs)
