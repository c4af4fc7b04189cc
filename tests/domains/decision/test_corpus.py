"""More than a thousand spoiled strategies: refused at save, or without one approval more (issue 3 §9, A3-31)."""

from collections import Counter
from functools import cache
from typing import Any

import msgspec
import pytest

from backend.domains.decision import assess, assessment, bundle, evaluate, facts, lint, model
from backend.domains.decision.contracts import ERROR
from backend.domains.decision.model import DECIDING, Outcome, Stage, StrategyRefused
from tests.domains.decision import corpus, mutations, test_assess
from tests.domains.decision.conftest import CASES, read, with_facts
from tests.domains.decision.corpus import EDITS as EDIT_ACTS
from tests.domains.decision.corpus import Mutation
from tests.domains.decision.test_properties import someone

SEED = 20261126
CORPUS = list(corpus.corpus(SEED))
MALFORMED = [each for each in CORPUS if each.malformed]
EDITS = [each for each in CORPUS if not each.malformed]


@cache
def refused_cases() -> list[model.Case]:
    """Cases the good strategies do not approve: the samples, forty people, and a good case spoiled in one fact."""
    found = [read(path.stem) for path in sorted(CASES.glob("*.json"))] + [someone(seed) for seed in range(40)]
    good = read("approved_payroll")
    names = [name for held in good.sources.values() for name in held.facts]
    found += [with_facts(good, **{name: None}) for name in names[::7]]
    found += [
        with_facts(good, **changed)
        for changed in (
            {"bureau_queries_6m": 9},
            {"bureau_overdue_amount": 100},
            {"identity_match": "name_mismatch"},
            {"blocklist_hit": "watch"},
            {"purpose": "shares", "purpose_forbidden": True},
        )
    ]
    return [case for case in found if _decided(case, bundle.seeded()) is not Outcome.APPROVED]


def _decided(case: model.Case, using: bundle.Bundle) -> Outcome:
    return evaluate.evaluate(case, using).decision.outcome


@cache
def refused_moments(stage: Stage) -> list[model.Case]:
    """Cases in which the good document of this stage allows nothing, or warns."""
    found = [test_assess.case(stage, **{name: None}) for name in test_assess.FINE[stage]]
    for name in test_assess.FINE[stage]:
        fact = facts.catalogue()[name]
        values: tuple[Any, ...] = fact.members or (True, False) if fact.kind in ("enum", "bool") else ()
        found += [test_assess.case(stage, **{name: value}) for value in (*values, fact.low, fact.high)]
    return [case for case in found if not _allows(assess.assess(stage, case, assess.seeded()))]


def _allows(found: assessment.Assessment) -> bool:
    """Whether something may happen now: a message, a drawdown, a contact; or nothing is watched."""
    if found.stage == Stage.EARLY_WARNING:
        return found.outcome == assessment.NONE
    return found.outcome not in (assessment.NOT_ALLOWED, assessment.ASK, assessment.NONE)


def approvals(mutant: Mutation) -> list[model.Case] | None:
    """The cases a mutant lets through that the good one did not; None when it was refused at save."""
    if mutant.stage in DECIDING:
        documents = {**bundle.seeded_documents(), mutant.stage: mutant.document}
        try:
            using = bundle.build(documents, bundle.seeded().card.card, library=mutant.library)
        except StrategyRefused:
            return None
        return [case for case in refused_cases() if _decided(case, using) is Outcome.APPROVED]
    try:
        prepared = assess.prepare(mutant.stage, mutant.document, library=mutant.library)
    except StrategyRefused:
        return None
    return [
        case
        for case in refused_moments(mutant.stage)
        if _allows(assess.assess(mutant.stage, case, {mutant.stage: prepared}))
    ]


def test_the_corpus_is_large_and_the_same_every_time():
    again = list(corpus.corpus(SEED))
    assert [model.canonical(each.document) for each in again[:300]] == [
        model.canonical(each.document) for each in CORPUS[:300]
    ]
    assert len(MALFORMED) >= 1000
    assert {each.name for each in MALFORMED} == set(mutations.MALFORMED)
    assert {each.name for each in EDITS} == set(EDIT_ACTS)
    assert len(refused_cases()) > 40


@pytest.mark.parametrize("base", [each.name for each in corpus.bases()])
def test_every_base_of_the_corpus_is_itself_good(base):
    found = next(each for each in corpus.bases() if each.name == base)
    errors = [
        each
        for each in lint.check(found.stage, found.document, facts.catalogue(), found.library)
        if each.severity == ERROR
    ]
    assert errors == []


def test_no_malformed_strategy_is_stored_or_approves_anybody():
    """0 approvals, whether refused at save or run over every case; at this seed each one is refused."""
    through: Counter[str] = Counter()
    approved = []
    for mutant in MALFORMED:
        found = approvals(mutant)
        if found is not None:
            through[mutant.name] += 1
            approved += [(mutant.base, mutant.name) for _ in found]
    assert approved == []
    assert not through


def test_the_corpus_would_notice_checks_that_look_away(monkeypatch):
    """With the errors of the checks thrown away some of the same mutants do approve: it is not an empty net."""
    read_whole = lint.read

    def blind(*given: Any) -> lint.Reading:
        found = read_whole(*given)
        kept = [each for each in found.findings if each.severity != ERROR]
        return msgspec.structs.replace(found, findings=kept)

    monkeypatch.setattr(lint, "read", blind)
    worst = ("no rows", "cell cut off", "no condition can be met")
    tried = [each for each in MALFORMED if each.name in worst and each.base == Stage.ELIGIBILITY]
    assert any(approvals(each) for each in tried)


def test_an_edit_somebody_may_mean_behaves_and_never_approves_on_missing_facts():
    accepted = 0
    for mutant in EDITS:
        found = approvals(mutant)
        accepted += found is not None
        for case in found or []:
            needed = bundle.seeded() if mutant.stage in DECIDING else None
            if needed is not None:
                assert not evaluate.evaluate(case, needed).decision.gaps
            else:
                assert not assess.assess(mutant.stage, case, assess.seeded()).gaps
    assert accepted > len(EDITS) // 2
