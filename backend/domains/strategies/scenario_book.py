"""Keeping scenarios: head office's for its versions, a county's for its overlays (issue 3 §2).

A scenario never changes. It is stopped by two people, one of whom says why: whoever writes a rule must not take
the case away that holds it (A3-34). What was stopped stays, for the check runs that name it and who approves next.
"""

from datetime import datetime
from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision.model import Case
from backend.domains.strategies import judging, repository, scenarios
from backend.domains.strategies.model import (
    Expected,
    NotYourStrategy,
    OwnScenarioStop,
    ReasonMissing,
    Scenario,
    ScenarioMissing,
    ScenarioNameTaken,
    ScenarioResult,
)
from backend.domains.strategies.service import SHORTEST_REASON, may_write


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


async def ask_to_stop(tx: Tx, scenario_id: str, why: str) -> None:
    """For another person to agree to; until then it is run. Raises `ReasonMissing`, `ScenarioMissing`,
    `NotYourStrategy`."""
    _require_writer(tx)
    if len(why.strip()) < SHORTEST_REASON:
        raise ReasonMissing(fields={"why": ReasonMissing.message})
    if not await repository.ask_scenario_stop(tx, scenario_id, why.strip()):
        raise ScenarioMissing()
    audit.add(tx, "strategy.scenario_stop_asked", scenario_id, why=why.strip())


async def stop(tx: Tx, scenario_id: str) -> None:
    """The other person's yes: it is run no more. Raises `OwnScenarioStop`, `ScenarioMissing`, `NotYourStrategy`."""
    _require_writer(tx)
    if not await repository.stop_scenario(tx, scenario_id):
        if await repository.asked_to_stop(tx, scenario_id) == str(tx.actor):
            raise OwnScenarioStop()
        raise ScenarioMissing()
    audit.add(tx, "strategy.scenario_retired", scenario_id)


async def keep(tx: Tx, scenario_id: str) -> None:
    """The wish is refused, or taken back. Raises `ScenarioMissing`, `NotYourStrategy`."""
    _require_writer(tx)
    if not await repository.keep_scenario(tx, scenario_id):
        raise ScenarioMissing()
    audit.add(tx, "strategy.scenario_kept", scenario_id)


async def stops_asked(tx: Tx) -> list[tuple[str, str, int]]:
    """(product, stage, how many) of the wishes that wait for the person of `tx` as the second one."""
    return await repository.stops_asked(tx) if may_write(tx.actor) else []


async def stopped(
    tx: Tx, product_code: str, stage: str = "", *, since: datetime | None = None, most: int = 20
) -> list[Scenario]:
    """Those that are run no more, the newest first."""
    found = await repository.stopped_scenarios(tx, product_code, judging.moment(stage), most)
    return [each for each in found if since is None or (each.retired_at and each.retired_at >= since)]


async def run_live(tx: Tx, product_code: str, stage: str = "") -> list[ScenarioResult]:
    """How the scenarios stand with what is live now."""
    using = await judging.live_later(tx, product_code, stage)
    return scenarios.run(await of_product(tx, product_code, stage), using())


def _require_writer(tx: Tx) -> None:
    if tx.actor.kind != "system" and not may_write(tx.actor):
        raise NotYourStrategy()
