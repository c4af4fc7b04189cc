"""Head office's look at what counties add, and what a county's overlay comes to on head office's tables (N4).

Reading needs head office's reader (every institution) or the county itself; row-level security keeps others out.
"""

import msgspec

from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.decision.model import Stage
from backend.domains.strategies import nesting, overlays, repository, service, unfolding
from backend.domains.strategies.model import UNION, CountyContent, Finding, UnionContent, Version
from backend.domains.strategies.nesting import Flows


class Overlay(msgspec.Struct, frozen=True):
    """A county's overlay; `outgrown`: what of it head office's floor no longer opens. It decides on all the same, for
    it only tightens, until the county renews it (README, "Narrowed bands")."""

    version: Version
    outgrown: tuple[Finding, ...]


async def county_of(tx: Tx, version_id: str) -> str | None:
    """The county whose overlay a version is; None for the union's, and for none at all."""
    found = await repository.owner_of(tx, version_id)
    return None if found == UNION else found


async def of_strategy(tx: Tx, product_code: str, stage: Stage, floor: UnionContent) -> list[Overlay]:
    """What counties add to a strategy, live or approved for a day, held against a floor: the one that is live, or
    one that is only being written."""
    known = facts.catalogue()
    floor = unfolding.laid_out(floor, await nesting.flows_of(tx, floor.document))
    found = []
    for version in await repository.of_counties(tx, product_code, stage):
        assert isinstance(version.content, CountyContent)
        said = overlays.check_county(stage, floor, version.content, known)
        found.append(Overlay(version, tuple(said)))
    return found


async def applies(tx: Tx, version: Version) -> tuple[UnionContent, Flows]:
    """What of a version applies to customers, as one document to read, with its sub-flows by hash: a county's laid over
    what head office has live."""
    if isinstance(version.content, UnionContent):
        return version.content, await nesting.flows_of(tx, version.content.document)
    under = await service.floor(tx, version.product_code, version.stage)
    flows = await nesting.flows_of(tx, under.document)
    numbers = overlays.county_cells(
        version.stage, unfolding.laid_out(under, flows), version.content, facts.catalogue()
    )
    document, made = unfolding.with_layer(under, flows, numbers, version.content)
    return UnionContent(document=document, openings=under.openings), {**flows, **made}
