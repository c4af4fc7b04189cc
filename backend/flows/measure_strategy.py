"""影响测算: try a version on stored past answers, step by step, so that it can be watched (A3-34)."""

import asyncio
import time

from backend.core.actor import everywhere, system
from backend.core.errors import Unavailable
from backend.domains.decision import service as decisions
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.strategies import effects, judging, service
from backend.domains.strategies.model import Effect, Version
from backend.flows.context import Context

STEP = 100  # cases between two looks at whether anybody still waits for it
SECONDS = 40.0
"""One delivery of the worker; what is left goes on with the next."""


class StillMeasuring(Unavailable):
    code = "strategy_still_measuring"
    message = "影响还在测算，过一会儿再看"


async def measure_strategy(
    context: Context, institution_id: str, version_id: str, *, instead_of: str = "", seconds: float = SECONDS
) -> Effect | None:
    """The trial as far as it came; goes on where it stopped. One nobody waits for any more is left there;
    None where it never began.

    `institution_id`: head office's ('0000') or the county's. `instead_of`: a trial that is no longer new enough.
    Raises `StillMeasuring` when the time was not enough.
    """
    actor, until = system(institution_id, "measure"), time.monotonic() + seconds
    async with context.db.read(actor) as tx:
        version = await service.get(tx, version_id)
    if not effects.wanted(version):
        return None
    counties = await _counties(context, institution_id)
    total = await _total(context, version, counties)
    async with context.db.begin(actor) as tx:
        effect = await effects.begin(tx, version, total, instead_of)
    for county in counties:
        while effect.finished_at is None and await _step(context, institution_id, effect, version, county):
            effect, wanted = await _again(context, institution_id, effect)
            if not wanted:
                return effect
            if time.monotonic() > until:
                raise StillMeasuring()
    async with context.db.begin(actor) as tx:
        await effects.advance(tx, effect, effect.cases_done, effect.figures, finished=True)
        return await effects.get(tx, effect.id)


async def newer(context: Context, institution_id: str, version: Version, effect: Effect) -> int:
    """How many cases came since a trial took its newest; 0 where it does not say which that was."""
    if effect.figures.span is None:
        return 0
    found = 0
    for county in await _counties(context, institution_id):
        after = effect.figures.newest.get(county, decisions.FIRST)
        async with context.db.read(system(county, "measure")) as tx:
            found += await judging.count_past(tx, version.stage, version.product_code, after=after)
    return found


async def _counties(context: Context, institution_id: str) -> list[str]:
    if institution_id != HEAD_OFFICE:
        return [institution_id]
    async with context.db.read(everywhere("measure")) as tx:
        return [each.id for each in await institutions.all_live(tx)]


async def _total(context: Context, version: Version, counties: list[str]) -> int:
    total = 0
    for county in counties:
        async with context.db.read(system(county, "measure")) as tx:
            total += min(effects.MOST, await judging.count_past(tx, version.stage, version.product_code))
    return total


async def _again(context: Context, institution_id: str, effect: Effect) -> tuple[Effect, bool]:
    """How far it is by now, and whether anybody still waits for it."""
    async with context.db.read(system(institution_id, "measure")) as tx:
        version = await service.get(tx, effect.version_id)
        return await effects.get(tx, effect.id), effects.wanted(version)


async def _step(context: Context, institution_id: str, effect: Effect, version: Version, county: str) -> bool:
    """Some cases of one county; False when there are no more."""
    figures, done = effect.figures, effect.cases_done
    before = figures.resume_before.get(county, decisions.LAST)
    async with context.db.read(system(county, "measure")) as tx:
        found = await judging.past(tx, version.stage, version.product_code, before=before, most=STEP)
        bundles = effects.Bundles(tx, version)
        cases = [(number, case, await bundles.of(case.product)) for number, case in found]
    counted = figures.counted.get(county, 0)
    if not cases or counted >= effects.MOST:
        return False
    await asyncio.to_thread(effects.count, figures, cases)
    figures.newest.setdefault(county, cases[0][0])
    figures.resume_before[county] = cases[-1][0]
    figures.counted[county] = counted + len(cases)
    async with context.db.begin(system(institution_id, "measure")) as tx:
        await effects.advance(tx, effect, done + len(cases), figures, finished=False)
    return True
