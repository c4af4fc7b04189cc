"""What other code may ask of trials: make one, read its progress and figures, stop it, take it a chunk further."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import polars as pl

from backend.core import clock, ids
from backend.core.actor import Actor
from backend.db.database import Database, Tx
from backend.domains.audit import service as audit
from backend.domains.regulation import service as regulation
from backend.domains.trials import reasons, repository, small_cells
from backend.domains.trials.judging import Fairness
from backend.domains.trials.model import (
    RUN,
    CountyNotLoaded,
    Kind,
    Measured,
    NothingToTry,
    Plan,
    Run,
    TooManyToday,
    TooManyTrials,
    TrialNotFound,
    TrialOver,
)

county_facts = repository.households
county_signals = repository.signals

RANGE = 50_000
"""Households fetched at a time for a batch."""


MOST_OPEN = 3
"""Trials of an institution the worker has at a time: each takes a core while it runs."""


async def require_room(tx: Tx) -> None:
    """Holds off other starts until the transaction ends. Raises `TooManyTrials`."""
    await repository.lock_room(tx)
    count = await repository.open_runs(tx)
    if count >= MOST_OPEN:
        raise TooManyTrials(count=count)


async def left_today(tx: Tx) -> int:
    """How many more trials on real customers the institution may make today (D3-07)."""
    most = (await regulation.in_force(tx, clock.today())).count("trials.a_day")
    midnight = clock.local(tx.now).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(0, most - await repository.on_customers_since(tx, midnight))


async def require_turn(tx: Tx) -> None:
    """For one on real customers: enough of them would average the rounding away. Holds off other starts until the
    transaction ends. Raises `TooManyToday`."""
    await repository.lock_room(tx)
    if not await left_today(tx):
        raise TooManyToday(count=(await regulation.in_force(tx, clock.today())).count("trials.a_day"))


async def create(
    tx: Tx,
    *,
    kind: Kind,
    strategy: str,
    against: str,
    plan: Plan,
    cases_total: int,
    county: str = "",
    county_name: str = "",
    institutions: Sequence[str] = (),
    strategy_id: str | None = None,
    model_id: str | None = None,
) -> Run:
    """A trial that waits. Raises `NothingToTry` for no cases."""
    if cases_total <= 0:
        raise NothingToTry()
    run_id = ids.new()
    await repository.add_run(
        tx, run_id, kind=kind, stage=plan.stage, strategy=strategy, against=against, county=county,
        county_name=county_name, institutions=list(institutions), plan=plan, cases_total=cases_total,
        strategy_id=strategy_id, model_id=model_id,
    )  # fmt: skip
    of = {"institutions": list(institutions)} if institutions else {}
    audit.add(tx, "trial.asked", run_id, strategy=strategy, against=against, cases=cases_total, **of)
    return await get(tx, run_id)


async def get(tx: Tx, run_id: str) -> Run:
    """Raises `TrialNotFound`, also for another institution's."""
    found = await repository.run(tx, run_id)
    if found is None:
        raise TrialNotFound()
    return found


async def plan_of(tx: Tx, run_id: str) -> Plan:
    found = await repository.plan(tx, run_id)
    if found is None:
        raise TrialNotFound()
    return found


async def listed(
    tx: Tx, most: int = 50, *, strategy_id: str | None = None, model_id: str | None = None
) -> list[Run]:
    """This institution's, the newest first; those of one version or model."""
    return await repository.runs(tx, most, strategy_id, model_id)


async def results(tx: Tx, run_id: str, grouping: str | None = None) -> list[Measured]:
    """All figures, or those of one grouping, to the last customer: for adding up, not for people (`shown`)."""
    return await repository.results(tx, run_id, grouping)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as people may see it. `fewest`: real customers stand behind it, so that a count of 0 is one of fewer
    than these; 0 for a practice county's, which is shown as it is. `words`: what its reason codes say."""

    run: Run
    measured: list[Measured]
    fewest: int
    words: dict[str, str]


async def shown(tx: Tx, run_id: str) -> Shown:
    """For every page, file and command. Raises `TrialNotFound`."""
    run, measured = await get(tx, run_id), await results(tx, run_id)
    words = {} if run.stage else reasons.words(await plan_of(tx, run_id))
    if run.kind == "county":
        return Shown(run=run, measured=measured, fewest=0, words=words)
    rounding = await rounding_of(tx)
    return Shown(
        run=small_cells.told(run, measured, rounding),
        measured=small_cells.hidden(measured, rounding),
        fewest=rounding.fewest,
        words=words,
    )


async def rounding_of(tx: Tx) -> small_cells.Rounding:
    """How figures about real customers are rounded (D3-07)."""

    def draw(text: str) -> int:
        return int.from_bytes(tx.vault.blind("trials.shown", text)[:4])

    fewest = (await regulation.in_force(tx, clock.today())).count("trials.fewest")
    return small_cells.Rounding(fewest, draw)


async def begin(tx: Tx, run: Run) -> Run:
    """The first step begins; one that goes on stays as it is. Raises `TrialOver`."""
    if run.status in RUN.final:
        raise TrialOver()
    if run.status == "waiting" and not await repository.move(tx, run.id, "waiting", "running"):
        return await get(tx, run.id)
    return await get(tx, run.id)


Step = Literal["on", "stop", "taken"]


async def advance(
    tx: Tx, run: Run, cursor: tuple[str, str], cases: int, fairness: Fairness, measured: list[Measured]
) -> Step:
    """Keep a chunk's figures once, whoever brings them. `stop` when somebody asked for it, `taken` when another
    process has the trial (nothing is kept then)."""
    told = (fairness.pairs, fairness.differing, fairness.worst_gap_bp)
    stop = await repository.advance(tx, run.id, cursor, cases, told)
    if stop is None:
        return "taken"
    await repository.add_results(tx, run.id, measured)
    return "stop" if stop else "on"


async def end(tx: Tx, run: Run, status: str, error: str = "") -> Run:
    """Raises `ForbiddenMove` for a status a running trial cannot end in. Ending twice changes nothing."""
    RUN.check("running", status)
    if await repository.move(tx, run.id, "running", status, error=error, ended_at=tx.now):
        audit.add(tx, f"trial.{status}", run.id)
    return await get(tx, run.id)


async def cancel(tx: Tx, run_id: str) -> Run:
    """A waiting trial ends, a running one stops at its next chunk. Raises `TrialNotFound`, `TrialOver`."""
    run = await get(tx, run_id)
    if run.status in RUN.final:
        raise TrialOver()
    await repository.ask_to_stop(tx, run_id)
    if run.status == "waiting":
        await repository.move(tx, run_id, "waiting", "cancelled", ended_at=tx.now)
    audit.add(tx, "trial.cancel", run_id)
    return await get(tx, run_id)


async def counties(tx: Tx) -> list[tuple[str, int]]:
    """(name, households) of the practice counties that are loaded."""
    return await repository.counties(tx)


async def county_named(tx: Tx, name: str) -> tuple[str, int]:
    """(digits, households) of a practice county. Raises `CountyNotLoaded`."""
    found = await repository.county(tx, name)
    if found is None:
        raise CountyNotLoaded(name=name)
    return found


async def whole_county(db: Database, actor: Actor, name: str, wanted: list[str]) -> pl.DataFrame:
    """Some columns of every household of a practice county. Raises `CountyNotLoaded`, also when it is wiped
    meanwhile."""
    async with db.read(actor) as tx:
        county, households = await county_named(tx, name)
    parts = []
    for first in range(0, households, RANGE):
        async with db.read(actor) as tx:
            parts.append(await repository.facts_between(tx, county, first, first + RANGE - 1, wanted))
    found = pl.concat(parts)
    if found.height != households:
        raise CountyNotLoaded(name=name)
    return found


def spread(households: int, limit: int, first: int, count: int) -> list[int]:
    """Household numbers `first` to `first + count` of `limit` spread evenly over a county, without repeats."""
    last = min(limit, first + count)
    return [number * households // limit for number in range(first, last)]
