"""The gate alone, without the caller that looks for gaps first: a fact that is not there is no half answer."""

import pytest

from backend.domains.decision import bundle, gate
from backend.domains.decision.model import Stage
from tests.domains.decision.test_fail_open import _lowest

SEEDED = bundle.seeded()
STAGES = sorted(SEEDED.stages)


def values_of(stage: Stage) -> dict[str, object]:
    """A harmless value for everything the stage asks for."""
    return {name: _lowest(name) for name in SEEDED.stages[stage].inputs}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("partial", [False, True], ids=["whole", "overlay"])
def test_one_missing_fact_is_unproven_whichever_it_is(stage: Stage, partial: bool) -> None:
    complete = values_of(stage)
    assert complete
    for absent in complete:
        rest = {name: value for name, value in complete.items() if name != absent}
        with pytest.raises(gate.Unproven, match=r"^fact_missing$"):
            gate.evaluate(SEEDED.stages[stage], rest, SEEDED.catalogue, partial=partial)  # type: ignore[arg-type]


def test_no_facts_at_all_are_unproven_too_and_more_than_asked_for_change_nothing() -> None:
    with pytest.raises(gate.Unproven, match=r"^fact_missing$"):
        gate.evaluate(SEEDED.stages[Stage.ELIGIBILITY], {}, SEEDED.catalogue)
    complete = values_of(Stage.ELIGIBILITY)
    hits = gate.evaluate(SEEDED.stages[Stage.ELIGIBILITY], complete, SEEDED.catalogue)  # type: ignore[arg-type]
    more = {**complete, "unheard_of": 1}
    assert gate.evaluate(SEEDED.stages[Stage.ELIGIBILITY], more, SEEDED.catalogue) == hits  # type: ignore[arg-type]
    assert hits
