"""子流程 changed in place: a version of head office's opened as one of its sub-flows, and written back as a whole.

The sub-flow belongs to the version: what is saved is a new version of the draft, with the new sub-flow stored beside
it under its hash, and check, approval, effect and replay are the version's. Nobody else who names the old one is
touched.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from backend.core import ids
from backend.db.database import Tx
from backend.domains.decision import service as decisions
from backend.domains.strategies import checks, nesting, service
from backend.domains.strategies.model import (
    INSIDE,
    Content,
    ContentInvalid,
    Finding,
    StrategyMissing,
    UnionContent,
    Version,
)
from backend.domains.strategies.nesting import Flows

MOST_PARTS = 60
"""Documents of one version, each counted wherever it runs: pages and checks go through them all."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a whole version as somebody wrote it; `flows` of it are not stored yet, by hash. `here` is what
    stands where the version was opened."""

    content: Content
    flows: Flows = {}
    here: Content


async def opened(tx: Tx, address: str) -> Version:
    """The version of an address, or one of its sub-flows. Raises `StrategyMissing`, also for another county's."""
    number, *path = address.split(INSIDE)
    if not ids.is_uuid(number):
        raise StrategyMissing()
    version = await service.get(tx, number)
    return await at(tx, version, path) if path else version


async def at(tx: Tx, version: Version, path: Sequence[str]) -> Version:
    """A whole version as the sub-flow of these nodes. Raises `StrategyMissing`."""
    if not isinstance(version.content, UnionContent):
        raise StrategyMissing()
    document = version.content.document
    part = nesting.at(document, await nesting.flows_of(tx, document), path)
    if part is None:
        raise StrategyMissing()
    within = tuple(zip(part.path, part.names, strict=True))
    return msgspec.structs.replace(version, within=within, content=UnionContent(document=part.document))


async def written(
    tx: Tx, version: Version, content: Content, reads: Mapping[str, Sequence[str]], *, trim: bool
) -> Written:
    """What a whole version holds once `content` stands where `version` was opened. `trim`: what nothing in it reads any
    more is not declared; `reads` as in `nesting.trimmed`. Raises `StrategyMissing`, `ContentInvalid` for too many
    rows or sub-flows; of a flow that cannot be read `LookupError`, `TypeError` or `AttributeError`."""
    if not isinstance(content, UnionContent):
        return Written(content=content, here=content)
    whole = (await service.get(tx, version.id)).content if version.within else content
    assert isinstance(whole, UnionContent)
    flows = await nesting.flows_of(tx, whole.document, content.document)
    document = nesting.trimmed(content.document, flows, reads) if trim else content.document
    here = UnionContent(document=document, openings=content.openings)
    path = [node for node, _ in version.within]
    document, fresh = nesting.with_other(whole.document, flows, path, document, reads)
    held = list(islice(nesting.parts(document, {**flows, **fresh}), MOST_PARTS + 1))
    if len(held) > MOST_PARTS:
        said = f"子流程一层层加起来太多，最多 {MOST_PARTS - 1} 个"
        raise ContentInvalid([Finding(kind="document", place="子流程", sentence=said)])
    checks.require_rows(*(each.document for each in held))
    return Written(content=UnionContent(document=document, openings=whole.openings), flows=fresh, here=here)


async def save(tx: Tx, version: Version, made: Written, *, note: str) -> Version:
    """A new version of the draft, opened where `version` was. Raises as `service.save`."""
    for inner in made.flows.values():
        await decisions.store(tx, version.stage, inner)
    saved = await service.save(tx, version.id, made.content, note=note)
    return await at(tx, saved, [node for node, _ in version.within]) if version.within else saved
