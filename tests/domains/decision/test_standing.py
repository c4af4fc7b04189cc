"""What a decision makes of a source that something stood in for (N19): trusted so far, never against the customer."""

import msgspec
import pytest

from backend.domains.decision import bundle, evaluate, model
from backend.domains.decision.model import Outcome, Standing
from tests.domains.decision.conftest import decide, read, with_facts
from tests.domains.decision.test_properties import APPROVED

GOOD = read("approved_payroll")


def standing(case: model.Case, rung: str, cap_fen: int | None = None) -> model.Case:
    given = msgspec.structs.replace(
        case.sources["core_banking"], standing=Standing(rung=rung, cap_fen=cap_fen)
    )
    return msgspec.structs.replace(case, sources={**case.sources, "core_banking": given})


def test_a_case_of_before_keeps_its_bytes():
    """`standing` is not written where it is not set: capsules of version 1 replay byte-identical."""
    text = model.canonical(GOOD)
    assert b"standing" not in text
    assert model.canonical(msgspec.json.decode(text, type=model.Case)) == text


def test_a_standing_is_kept_in_the_capsule_and_replays():
    capsule = evaluate.evaluate(standing(GOOD, "substitute", 3_000_000), bundle.seeded())
    text = model.canonical(capsule)
    assert b'"standing":{"cap_fen":3000000,"rung":"substitute"}' in text
    again = msgspec.json.decode(text, type=model.Capsule)
    assert model.canonical(evaluate.evaluate(again.case, bundle.seeded())) == text


@pytest.mark.parametrize("rung", ["fresh", "cached"])
def test_a_fresh_or_a_cached_answer_decides_like_any_other(rung):
    assert decide(standing(GOOD, rung)) == decide(GOOD)


@pytest.mark.parametrize("cap_fen", [0, -1, 99_999, 100_000, 3_000_000, 10**13])
@pytest.mark.parametrize("number", range(len(APPROVED)))
def test_no_approval_above_what_a_substitute_carries_and_no_refusal_for_it(number, cap_fen):
    case = APPROVED[number]
    before, after = decide(case), decide(standing(case, "substitute", cap_fen))
    assert after.outcome is not Outcome.DECLINED
    if after.outcome is Outcome.APPROVED:
        assert after.amount_fen is not None
        assert before.amount_fen is not None
        assert after.amount_fen == min(before.amount_fen, cap_fen // evaluate.WHOLE * evaluate.WHOLE)
        assert after.completeness_bp == before.completeness_bp
        assert "standing_core_banking" in {cap.name for cap in after.caps}, "every cap is visible (A6-03)"
    else:
        assert after.amount_fen is None
        assert cap_fen < 3_000_000


def test_a_substitute_that_may_not_decide_leaves_it_to_a_person():
    decision = decide(standing(GOOD, "substitute", 0))
    assert decision.outcome is Outcome.REFERRED
    assert "DATA_STOOD_IN" in {reason.code for reason in decision.reasons}


def test_a_substitute_never_turns_a_refusal_or_a_gap_into_more():
    assert decide(standing(with_facts(GOOD, core_account_frozen=True), "substitute", 10**12)).outcome is (
        Outcome.DECLINED
    )
    assert decide(standing(with_facts(GOOD, core_inflow_12m=None), "substitute", 10**12)).outcome is (
        Outcome.REFERRED
    )
