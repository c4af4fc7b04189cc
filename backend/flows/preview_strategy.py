"""A quick look at what a version would do: the newest stored decisions of some counties, figures by county, nothing
kept but who looked (A3-34). The large trial, over all cases, is `start_trial`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.core import ids
from backend.core.actor import Actor, system
from backend.domains.audit import service as audit
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Case
from backend.domains.strategies import aside, effects, judging
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import UNION, EffectFigures, NotYourStrategy, Version
from backend.domains.trials import service as trials
from backend.flows.context import Context

SIZES = (20, 50, 100)
"""How many decisions of a county a look takes: one of these, or all of a county that has fewer than the first. Looks of
other numbers beside one another would show the few cases they differ by. So would two of head office on different days:
it is shown the newest only once they fill a block as large as the smallest look."""

Tried = tuple[str, Case, effects.Sides]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one county's decisions; `cases` how many of them, `span` when the oldest and the newest was made."""

    institution_id: str
    cases: int
    span: tuple[datetime, datetime] | None = None
    figures: EffectFigures


async def preview_strategy(
    context: Context, actor: Actor, version_id: str, counties: Sequence[str], most: int
) -> list[Seen]:
    """`most` decisions of each county. The person reads none of them: they are read as a trial reads them, county by
    county, and only sums come back. Raises `NotYourStrategy`, `StrategyMissing`, `StrategyRefused` for a version that
    cannot decide yet, `VersionMissing`."""
    async with context.db.read(actor) as tx:
        version = await strategies.get(tx, version_id)
    if not strategies.may_write(actor) or strategies.owner_of(actor) != version.institution_id:
        raise NotYourStrategy()
    seen = []
    for county in counties:
        figures = EffectFigures()
        cases = await _cases(context, version, county, most)
        await aside.run(effects.count, figures, cases)
        figures.examples.clear()  # single cases are not shown here
        span = (ids.made_at(cases[-1][0]), ids.made_at(cases[0][0])) if cases else None
        seen.append(Seen(institution_id=county, cases=len(cases), span=span, figures=figures))
    async with context.db.begin(actor) as tx:
        looked = {each.institution_id: each.cases for each in seen}
        audit.add(tx, "strategy.previewed", version.id, number=version.number, cases=looked)
    return seen


async def _cases(context: Context, version: Version, county: str, most: int) -> list[Tried]:
    """The county's newest decisions, each with what decides of its product before and after. The version's own product
    is built with or without any: what cannot decide is refused also where nothing was decided yet, and where every
    product decided has a version of its own."""
    async with context.db.read(system(county, "measure")) as tx:
        before = decisions.LAST
        if version.institution_id == UNION:
            blocks = SIZES[0], (await trials.rounding_of(tx)).fewest
            before = await decisions.whole_blocks(tx, version.product_code, *blocks)
        found = await judging.past(tx, version.stage, version.product_code, before=before, most=most)
        found = found[: max((size for size in SIZES if size <= len(found)), default=len(found))]
        bundles = effects.Bundles(tx, version)
        products = {version.product_code, *(case.product for _, case in found)}
        builds = {product: await bundles.later(product) for product in sorted(products)}
    built = {product: await aside.run(build) for product, build in builds.items()}
    return [(number, case, built[case.product]) for number, case in found]
