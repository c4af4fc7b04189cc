"""How a version came about and what it changed, for its page (A3-33)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import facts
from backend.domains.strategies import changes, diff, nesting, repository, service
from backend.domains.strategies.model import ALL_PRODUCTS, Content, Move, UnionContent, Version

LOOKED_AT = timedelta(days=4)
"""How long a version that was brought back is shown for a second look: the next working day, over a weekend too."""


async def changes_of(
    tx: Tx, version: Version, before: Version | None, models: Mapping[str, str] | None = None
) -> list[changes.Change]:
    """What a version changes against `before` (`compared_with`); from head office's shipped document, or a county's
    nothing, where that is None. `models` as in `diff.between`."""
    under = await service.laid_out_floor(tx, version.product_code, version.stage)
    plain = await service.floor(tx, version.product_code, version.stage)
    held: Content | None = before.content if before else plain if version.layer == "union" else None
    sides = [each.document for each in (held, version.content) if isinstance(each, UnionContent)]
    flows = await nesting.flows_of(tx, *sides)
    return diff.between(version.stage, held, version.content, facts.catalogue(), under, models, flows)


class Back(msgspec.Struct, frozen=True):
    """A live version one person brought back alone, or the end of another did: somebody looks at it afterwards. Also
    one that ended with nothing to come back."""

    version: Version
    who: str
    why: str
    at: datetime


async def brought_back(tx: Tx) -> list[Back]:
    """Those of the last days: of all counties for head office's reader, else of head office and this county."""
    return await _shown(tx, await repository.brought_back(tx, tx.now - LOOKED_AT))


async def not_returned(tx: Tx) -> list[Back]:
    """Versions that ended in the last days, without the one before them in their place; for the same readers."""
    return await _shown(tx, await repository.not_returned(tx, tx.now - LOOKED_AT))


async def _shown(tx: Tx, rows: list[tuple[str, str, str, datetime]]) -> list[Back]:
    found = []
    for number, who, why, at in rows:
        if (version := await repository.any_of(tx, number)) is not None:
            found.append(Back(version, who, why, at))
    return found


class Saved(msgspec.Struct, frozen=True):
    """One save on the way to a version: what its writer said of it."""

    note: str
    who: str
    at: datetime


async def saves(tx: Tx, version: Version) -> list[Saved]:
    """Of the version and the drafts it came from, the newest first; without those that say nothing."""
    return [Saved(note, who, at) for note, who, at in await repository.saves(tx, version.id)]


async def compared_with(tx: Tx, version: Version) -> Version | None:
    """What people compare a version with: before it is live what is; then, and when it is retired, what it replaced.
    None: there was nothing."""
    if version.status not in ("live", "retired"):
        return await repository.live(tx, version.institution_id, version.product_code, version.stage)
    before = await repository.replaced(tx, version)
    if before is None and version.product_code != ALL_PRODUCTS:
        return await repository.live(tx, version.institution_id, ALL_PRODUCTS, version.stage)
    return before


async def course(tx: Tx, version: Version) -> list[Move]:
    """The moves of a version, its submission (`submitted`, which moves no status) after its check. Who submitted is
    in the audit chain; '' where this reader's chain does not say."""
    moves = await service.moves(tx, version.id)
    if version.submitted_at is None:
        return moves
    said = [each.actor for each in await audit.of(tx, version.id) if each.action == "strategy.submit"]
    sent = Move(
        from_status="checked",
        to_status="submitted",
        who=said[-1] if said else "",
        why="",
        at=version.submitted_at,
    )
    at = max((n for n, each in enumerate(moves, 1) if each.to_status == "checked"), default=len(moves))
    return [*moves[:at], sent, *moves[at:]]
