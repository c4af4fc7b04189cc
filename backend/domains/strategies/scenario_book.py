"""Keeping scenarios: head office's for its versions, a county's for its overlays (issue 3 §2).

A change is a new scenario in place of the old one, which stays for the check runs that name it.
"""

from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision.model import Case
from backend.domains.strategies import judging, repository, scenarios
from backend.domains.strategies.model import (
    Expected,
    NotYourStrategy,
    Scenario,
    ScenarioMissing,
    ScenarioNameTaken,
    ScenarioResult,
)
from backend.domains.strategies.service import may_write


async def of_product(tx: Tx, product_code: str, stage: str = "") -> list[Scenario]:
    """Those a strategy of the product must meet in the institution of `tx`: the product's and those of all. `stage` ''
    for those of the decision, else one asked at its own moment."""
    return await repository.scenarios(tx, product_code, judging.moment(stage))


async def add(
    tx: Tx, product_code: str, name: str, case: Case, expected: Expected, *, stage: str = ""
) -> str:
    """The id. Raises `NotYourStrategy`, `ScenarioNameTaken`."""
    _require_writer(tx)
    body: dict[str, Any] = {"case": msgspec.to_builtins(case), "expected": msgspec.to_builtins(expected)}
    asked = judging.moment(stage)
    number = await repository.add_scenario(tx, product_code, asked, name.strip(), body)
    if number is None:
        raise ScenarioNameTaken()
    audit.add(tx, "strategy.scenario_added", number, product=product_code)
    return number


async def replace(tx: Tx, scenario_id: str, name: str, case: Case, expected: Expected) -> str:
    """Another case or expectation under a new id. Raises `ScenarioMissing`, and what `add` raises."""
    product_code, stage = await _retire(tx, scenario_id)
    return await add(tx, product_code, name, case, expected, stage=stage)


async def retire(tx: Tx, scenario_id: str) -> None:
    """It is run no more. Raises `ScenarioMissing`, `NotYourStrategy`."""
    await _retire(tx, scenario_id)


async def run_live(tx: Tx, product_code: str, stage: str = "") -> list[ScenarioResult]:
    """How the scenarios stand with what is live now."""
    using = await judging.live_later(tx, product_code, stage)
    return scenarios.run(await of_product(tx, product_code, stage), using())


async def _retire(tx: Tx, scenario_id: str) -> tuple[str, str]:
    _require_writer(tx)
    found = await repository.retire_scenario(tx, scenario_id)
    if found is None:
        raise ScenarioMissing()
    audit.add(tx, "strategy.scenario_retired", scenario_id)
    return found


def _require_writer(tx: Tx) -> None:
    if tx.actor.kind != "system" and not may_write(tx.actor):
        raise NotYourStrategy()
