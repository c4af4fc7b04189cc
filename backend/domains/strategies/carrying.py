"""A draft that something newer overtook while it was written: what it was begun from no longer decides (A3-34).

Nothing of it is lost: its changes can be carried onto what decides now, or it is begun anew and stays to be read.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from backend.db.database import Tx
from backend.domains.decision import facts, gate
from backend.domains.strategies import (
    aside,
    checks,
    composing,
    diff,
    merging,
    nesting,
    overlays,
    repository,
    service,
)
from backend.domains.strategies.changes import Change
from backend.domains.strategies.model import (
    Content,
    CountyContent,
    StrategyMoved,
    UnionContent,
    Version,
)


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """`before` is what the draft was begun from (None: nothing, or what came with the code), `now` what decides; both
    are the same version where only head office's rules under a county's draft have changed. `meanwhile` is what
    changed from one to the other, `both` what the draft changed too. Not `overtaken`: begun on purpose from an old
    version, and what decided then still does; every other one is approved by nobody."""

    before: Version | None
    now: Version | None
    meanwhile: tuple[Change, ...] = ()
    both: tuple[str, ...] = ()
    overtaken: bool = True


async def stale(tx: Tx, version: Version, models: Mapping[str, str] | None = None) -> Stale | None:
    """None: the draft stands on what decides, or is none any more; or it is another layer's, whose drafts this reader
    does not see."""
    if version.status not in ("draft", "checked") or service.owner_of(tx.actor) != version.institution_id:
        return None
    before, now = await _begun_from(tx, version), await _now(tx, version)
    under = await service.laid_out_floor(tx, version.product_code, version.stage)
    if (before.id if before else None) == (now.id if now else None):
        if isinstance(version.content, CountyContent):
            composed = await aside.run(
                composing.compose, version.stage, under, version.content, facts.catalogue()
            )
            if gate.hash_of(composed) != version.document_hash:
                return Stale(before=before, now=before)
        return None
    held, current = _content(version, before), _content(version, now)
    known, sides = facts.catalogue(), [each for each in (held, current) if isinstance(each, UnionContent)]
    flows = await nesting.flows_of(tx, *(each.document for each in sides))
    return Stale(
        before=before,
        now=now,
        meanwhile=tuple(diff.between(version.stage, held, current, known, under, models, flows)),
        both=merging.merged(held, version.content, current, _names(under)).both,
        overtaken=await repository.overtaken(tx, version),
    )


class Coming(msgspec.Struct, frozen=True):
    """What a day that was agreed on brings: `over` are versions that will take the place of this one, `undoes` whether
    this one, approved and waiting, will take back what went live since it was begun."""

    over: tuple[Version, ...] = ()
    undoes: bool = False


async def coming(tx: Tx, version: Version) -> Coming:
    """Two people agreed on it, so it happens; whoever of them looks at either version is told before it does. One
    that waits itself has only later ones over it, in the order the clock moves them."""
    theirs = service.owner_of(tx.actor) == version.institution_id
    if not theirs or version.status not in ("draft", "checked", "approved", "live"):
        return Coming()
    waiting = await repository.coming(tx, version)
    if version.status != "approved":
        return Coming(tuple(waiting))
    later = [each for each in waiting if _turn(each) > _turn(version)]
    return Coming(tuple(later), await repository.overtaken(tx, version))


def _turn(version: Version) -> tuple[datetime, int]:
    assert version.effective_from is not None
    return version.effective_from, version.number


async def carry(tx: Tx, version_id: str) -> Version:
    """The draft's changes on top of what decides now; its authors stay. Raises `StrategyMissing`, `StrategyMoved`,
    `NotYourStrategy`."""
    version = await service.get(tx, version_id)
    found = await stale(tx, version)
    if found is None:
        raise StrategyMoved(label=version.status_label)
    under = await service.laid_out_floor(tx, version.product_code, version.stage)
    sides = [_content(version, each) for each in (found.before, found.now)]
    content = merging.merged(sides[0], version.content, sides[1], _names(under)).content
    note = f"把第 {version.number} 版的改动搬到{_called(found.now)}上"
    return await service.save(tx, version_id, content, note=note, onto=found.now.id if found.now else None)


async def begin_anew(tx: Tx, version_id: str) -> Version:
    """A draft of what decides now; the old one is superseded and can still be read. Raises as `carry`."""
    version = await service.get(tx, version_id)
    found = await stale(tx, version)
    if found is None:
        raise StrategyMoved(label=version.status_label)
    note = f"从{_called(found.now)}重新起草，第 {version.number} 版留着备查"
    content = _content(version, found.now)
    return await service.save(tx, version_id, content, note=note, onto=found.now.id if found.now else None)


async def _begun_from(tx: Tx, version: Version) -> Version | None:
    """The first version behind a draft that decided."""
    base = version.base_id
    while base is not None:
        held = await service.get(tx, base)
        if held.status in ("live", "retired"):
            return held
        base = held.base_id
    return None


async def _now(tx: Tx, version: Version) -> Version | None:
    return await repository.live(tx, version.institution_id, version.product_code, version.stage)


def _content(version: Version, stands_on: Version | None) -> Content:
    if stands_on is not None:
        return stands_on.content
    if version.layer == "county":
        return CountyContent()
    return UnionContent(document=checks.shipped(version.stage))


def _called(now: Version | None) -> str:
    return f"在用的第 {now.number} 版" if now else "现在的规则"


def _names(under: UnionContent) -> dict[str, str]:
    tables = {number: node["name"] for number, node in overlays.tables(under.document).items()}
    return {**tables, **{each.id: each.label for each in under.openings.parameters}}
