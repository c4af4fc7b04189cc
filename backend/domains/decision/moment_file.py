"""The capsule file of a case that ended before a decision, because the pre-screen turned it away (N6, A3-25).

The form is `capsule_file`'s; its part `capsule` is a `MomentCapsule`, with the versions of one stage beside it.
"""

import hashlib
from typing import Any

import msgspec

from backend.core import unreadable
from backend.db.database import Tx
from backend.domains.decision import bundle, capsule_file, cards, facts, lint, moments, repository, service
from backend.domains.decision.model import (
    CapsuleTampered,
    CapsuleUnreadable,
    VersionMissing,
    canonical,
)
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
    return capsule_file.is_one(text) and "assessment" in _json(capsule_file.read(text), "capsule")


def replay(text: bytes) -> ReplayResult:
    """Verify and say again, without a database. Raises `CapsuleUnreadable`, `CapsuleTampered`, `StrategyRefused`."""
    held = capsule_file.read(text)
    stored = held.text("capsule").encode()
    try:
        capsule = msgspec.json.decode(stored, type=moments.MomentCapsule)
    except unreadable.NOT_DECODED as cause:
        raise CapsuleUnreadable(why=f"“审批结果”{unreadable.why(cause, stored)}") from cause
    then = capsule.assessment
    wanted = {f"strategy:{then.stage}": then.strategy, "catalogue": then.catalogue}
    if isinstance(then.overlay, str):
        wanted[f"overlay:{then.stage}"] = then.overlay
    flows, models = capsule_file.by_hash(held, "flow"), capsule_file.by_hash(held, "model")
    for name, digest in {**wanted, **flows, **models}.items():
        if hashlib.sha256(held.text(name).encode()).hexdigest() != digest:
            raise CapsuleTampered(part=capsule_file.label(name))
    catalogue = facts.Catalogue(held.text("catalogue").encode())
    library = lint.Library(
        {digest: _json(held, name) for name, digest in flows.items()},
        {digest: _card(held, name, catalogue) for name, digest in models.items()},
    )
    replayed = moments.again(
        capsule,
        _json(held, f"strategy:{then.stage}"),
        catalogue=catalogue,
        library=library,
        overlay=_json(held, f"overlay:{then.stage}") if isinstance(then.overlay, str) else None,
    )
    return ReplayResult(
        decision_id=capsule_file.decision_id(held),
        same_bytes=replayed == stored,
        untouched=True,  # `read` has checked every hash
        same_code=then.code == bundle.code_version(),
        stored=stored,
        replayed=replayed,
    )


def _json(held: capsule_file.CapsuleFile, name: str) -> Any:
    text = held.text(name).encode()
    try:
        return msgspec.json.decode(text)
    except unreadable.NOT_DECODED as cause:
        why = unreadable.why(cause, text)
        raise CapsuleUnreadable(why=f"“{capsule_file.label(name)}”{why}") from cause


def _card(held: capsule_file.CapsuleFile, name: str, catalogue: facts.Catalogue) -> cards.Compiled:
    _json(held, name)
    return cards.compile_card(cards.read(held.text(name).encode()), catalogue)
