"""The stages asked outside a decision, as the road asks them: by what is live, kept like a decision, and replayed.

A flow reads what is live with `live` inside a read, calls outside with no transaction open, lets `say` compute, and
`record`s in the transaction of what follows (A3-25, A3-38).
"""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
import structlog

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.decision import assess, bundle, facts, repository, service
from backend.domains.decision.model import (
    FORMAT,
    Case,
    DecisionMissing,
    Reason,
    Stage,
    StrategyRefused,
    VersionMissing,
    canonical,
)

log = structlog.get_logger("moments")

Q = queries.load(__package__, "queries_moments.sql")
Assessment = assess.Assessment
ALLOWED, NOT_ALLOWED, ASK, NONE = assess.ALLOWED, assess.NOT_ALLOWED, assess.ASK, assess.NONE
_TABLE = "decision.assessments"


class MomentCapsule(msgspec.Struct, frozen=True, kw_only=True):
    """What went in and what came out, as `Capsule` holds it of a decision."""

    format: int
    case: Case
    assessment: Assessment


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A stored assessment: the bytes as they were computed, and their hash of then."""

    id: str
    stage: Stage
    subject: str
    application_id: str | None
    outcome: str
    assessed_at: datetime
    capsule: bytes
    sha256: bytes

    @property
    def opened(self) -> MomentCapsule:
        return msgspec.json.decode(self.capsule, type=MomentCapsule)


async def live(tx: Tx, product_code: str, stage: Stage) -> assess.Prepared | None:
    """The document of a stage that is live for a product; None where it no longer passes our checks."""
    try:
        return (await service.moments_for(tx, product_code))[stage]
    except (StrategyRefused, VersionMissing) as problem:
        log.error("strategy unusable", stage=stage, product=product_code, error=problem.code)
        return None


async def stored(tx: Tx, stage: Stage, digest: str) -> assess.Prepared | None:
    """A stored document of the union beside the live one, compiled once per process; None where it no longer passes
    our checks."""
    key = (digest, facts.catalogue().hash)
    try:
        if key not in _stored:
            found = await service.texts(tx, [digest])
            if digest not in found:
                raise VersionMissing()
            document = msgspec.json.decode(found[digest])
            _stored[key] = assess.prepare(stage, document, library=await service.referable(tx, [document]))
    except (StrategyRefused, VersionMissing) as problem:
        log.error("strategy unusable", stage=stage, document=digest, error=problem.code)
        return None
    return _stored[key]


_stored: dict[tuple[str, str], assess.Prepared] = {}


def say(stage: Stage, case: Case, using: assess.Prepared | None) -> Assessment:
    """Never raises for anything in the case. Without a usable document nothing is allowed."""
    return assess.unusable(stage) if using is None else assess.assess(stage, case, {stage: using})


async def record(
    tx: Tx, case: Case, said: Assessment, *, subject: str, application_id: str | None = None
) -> str:
    """Keep it; the id."""
    plain, number = canonical(MomentCapsule(format=FORMAT, case=case, assessment=said)), ids.new()
    await _keep_versions(tx, said)
    await Q.add(
        tx,
        institution_id=tx.institution_id,
        id=number,
        stage=said.stage,
        subject=subject,
        application_id=application_id,
        product_code=case.product,
        outcome=said.outcome,
        reason_codes=[reason.code for reason in said.reasons],
        completeness_bp=said.completeness_bp,
        versions={"strategy": said.strategy, "catalogue": said.catalogue, "code": said.code},
        capsule=tx.vault.seal(_TABLE, "capsule", number, plain),
        capsule_sha256=hashlib.sha256(plain).digest(),
        now=tx.now,
    )
    return number


async def _keep_versions(tx: Tx, said: Assessment) -> None:
    """The texts that decided; those of staff are stored since their approval."""
    stage, known = Stage(said.stage), facts.catalogue()
    bodies = [repository.Body(known.hash, "catalogue", None, known.text.decode())]
    if said.strategy == assess.seeded()[stage].stage.hash:
        text = canonical(assess.seeded_document(stage)).decode()
        bodies.append(repository.Body(said.strategy, "strategy", said.stage, text))
    await repository.add_missing(tx, bundle.SEEDED, bodies)


async def get(tx: Tx, assessment_id: str) -> Kept:
    """Raises `DecisionMissing`."""
    found = None
    if ids.is_uuid(assessment_id):
        found = await Q.get(tx, institution_id=tx.institution_id, id=assessment_id)
    if found is None:
        raise DecisionMissing()
    return _kept(tx, found)


async def last_of(tx: Tx, application_id: str, stage: Stage) -> Kept | None:
    row = await Q.last_of(tx, institution_id=tx.institution_id, application_id=application_id, stage=stage)
    return _kept(tx, row) if row else None


async def turned_away(tx: Tx, application_id: str) -> list[Reason]:
    """Why the pre-screen turned an application away; empty where it did not."""
    kept = await last_of(tx, application_id, Stage.PRE_SCREEN)
    if kept is None or kept.outcome != NOT_ALLOWED:
        return []
    return [each for each in kept.opened.assessment.reasons if each.severity == "decline"]


async def replay(tx: Tx, assessment_id: str) -> tuple[bool, bool]:
    """(saying it again gave the same bytes, the stored bytes have the hash they were stored with).

    Raises `DecisionMissing`, `VersionMissing`.
    """
    kept = await get(tx, assessment_id)
    capsule, stage = kept.opened, kept.stage
    then = capsule.assessment
    untouched = hashlib.sha256(kept.capsule).digest() == kept.sha256
    if not then.strategy:
        return canonical(then) == canonical(assess.unusable(stage, then.code)), untouched
    found = await service.texts(tx, [then.strategy, then.catalogue])
    if len(found) < len({then.strategy, then.catalogue}):
        raise VersionMissing()
    document = msgspec.json.decode(found[then.strategy])
    using = assess.prepare(
        stage,
        document,
        catalogue=facts.Catalogue(found[then.catalogue].encode()),
        code=then.code,
        library=await service.referable(tx, [document]),
    )
    again = msgspec.structs.replace(capsule, assessment=assess.assess(stage, capsule.case, {stage: using}))
    return canonical(again) == kept.capsule, untouched


def _kept(tx: Tx, row: Any) -> Kept:
    return Kept(
        id=row["id"],
        stage=Stage(row["stage"]),
        subject=row["subject"],
        application_id=row["application_id"],
        outcome=row["outcome"],
        assessed_at=row["assessed_at"],
        capsule=tx.vault.open(_TABLE, "capsule", row["id"], row["capsule"]),
        sha256=bytes(row["capsule_sha256"]),
    )
