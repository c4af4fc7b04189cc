"""The capsule file of a case that ended before a decision, because the pre-screen turned it away (N6, A3-25).

The form is `capsule_file`'s; its part `capsule` is a `MomentCapsule`, with the versions of one stage beside it.
"""

from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.decision import bundle, capsule_file, moments, repository, service
from backend.domains.decision.model import STAGES, CapsuleUnreadable, VersionMissing, canonical
from backend.domains.decision.service import ReplayResult


async def parts(tx: Tx, kept: moments.Kept) -> list[tuple[str, str]]:
    """(name, text) of what was said and of all it was said by. Raises `VersionMissing`."""
    then = kept.opened.assessment
    texts = await service.texts(tx, [then.strategy, then.catalogue])
    if len(texts) < len({then.strategy, then.catalogue}):
        raise VersionMissing()
    held = await service.library(tx, [msgspec.json.decode(texts[then.strategy])])
    found = [
        ("capsule", kept.capsule.decode()),
        (f"strategy:{then.stage}", texts[then.strategy]),
        *((f"flow:{digest}", canonical(flow).decode()) for digest, flow in held.flows.items()),
        *((f"model:{digest}", text) for digest, text in (await service.texts(tx, list(held.models))).items()),
    ]
    if isinstance(then.overlay, str):
        own = await repository.county_bodies(tx, [then.overlay])
        if then.overlay not in own:
            raise VersionMissing()
        found.append((f"overlay:{then.stage}", own[then.overlay]))
    return [*found, ("catalogue", texts[then.catalogue])]


def is_one(text: bytes) -> bool:
    """Whether a capsule file, whose hashes hold, is of a stage outside a decision. Raises as `capsule_file.read`."""
    if not capsule_file.is_one(text):
        return False
    found = capsule_file.decoded(capsule_file.read(text), "capsule", Any)
    return isinstance(found, dict) and "assessment" in found


def replay(text: bytes) -> ReplayResult:
    """Verify and say again, without a database. Raises `CapsuleUnreadable`, `CapsuleTampered`, `StrategyRefused`."""
    held = capsule_file.read(text)
    stored = held.text("capsule").encode()
    capsule = capsule_file.decoded(held, "capsule", moments.MomentCapsule)
    then = capsule.assessment
    if then.stage not in STAGES:
        raise CapsuleUnreadable(why=f"没有叫“{then.stage[:30]}”的环节")
    strategy, overlay = f"strategy:{then.stage}", f"overlay:{then.stage}"
    wanted = {strategy: then.strategy, "catalogue": then.catalogue}
    if isinstance(then.overlay, str):
        wanted[overlay] = then.overlay
    catalogue, library = capsule_file.named(held, wanted)
    with capsule_file.reading(held, "catalogue"):
        replayed = moments.again(
            capsule,
            capsule_file.decoded(held, strategy, Any),
            catalogue=catalogue,
            library=library,
            overlay=capsule_file.decoded(held, overlay, Any) if overlay in wanted else None,
        )
    return ReplayResult(
        decision_id=capsule_file.decision_id(held),
        same_bytes=replayed == stored,
        untouched=True,  # `read` has checked every hash
        same_code=then.code == bundle.code_version(),
        stored=stored,
        replayed=replayed,
    )
