"""The stages asked outside a decision, as the road asks them: by what is live, kept like a decision, and replayed.

A flow reads what is live with `live` inside a read, calls outside with no transaction open, lets `say` compute, and
`record`s in the transaction of what follows (A3-25, A3-38).
"""

import asyncio
import functools
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from msgspec import UNSET

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.decision import assess, assessment, bundle, facts, lint, repository, service
from backend.domains.decision.model import (
    FORMAT,
    Case,
    DecisionForgotten,
    DecisionMissing,
    Reason,
    Stage,
    StrategyRefused,
    VersionMissing,
    canonical,
)

log = structlog.get_logger("moments")

Q = queries.load(__package__, "queries_moments.sql")
Assessment = assessment.Assessment
Prepared = assess.Prepared
ALLOWED, NOT_ALLOWED = assessment.ALLOWED, assessment.NOT_ALLOWED
ASK, NONE = assessment.ASK, assessment.NONE
_TABLE, _LAST = "decision.assessments", "decision.last_cases"
_WATCHED = timedelta(days=7)
"""A line looked at longer ago is paid off, or its systems are down: what was known then says nothing of today."""


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


class Chosen(msgspec.Struct, frozen=True):
    """What is live of a stage for a product: the union's document and the county's beside it ('': none), by hash."""

    strategy: str
    overlay: str


async def chosen(tx: Tx, product_code: str, stage: Stage) -> Chosen:
    """Of the product, else of all products, else the shipped one; the county's found in the same order (N4)."""
    found = [row for row in await repository.live(tx, product_code) if row.stage == stage]
    rows = sorted(found, key=lambda row: row.product_code != "*")
    union = [row.hash for row in rows if row.institution_id == service.UNION]
    county = [row.hash for row in rows if row.institution_id != service.UNION]
    return Chosen(union[0] if union else assess.seeded()[stage].stage.hash, county[0] if county else "")


async def prepared(tx: Tx, product_code: str, stage: Stage) -> Prepared:
    """What says something at a stage in the county of `tx` now; compiled once per process.

    Raises `StrategyRefused` or `VersionMissing` when a stored document no longer passes this code's checks.
    """
    return await _compiled(tx, stage, await chosen(tx, product_code, stage))


async def _compiled(tx: Tx, stage: Stage, using: Chosen) -> Prepared:
    if using == Chosen(assess.seeded()[stage].stage.hash, ""):
        return assess.seeded()[stage]
    key = (using, facts.catalogue().hash)
    if key not in _prepared:
        # As in `service._compile`: on a thread, for a large document takes seconds.
        _prepared[key] = await asyncio.to_thread(await _compiling(tx, stage, using))
    return _prepared[key]


_prepared: dict[tuple[Chosen, str], Prepared] = {}


async def trial_later(
    tx: Tx,
    product_code: str,
    stage: Stage,
    *,
    document: Any = None,
    overlay: Any = None,
    without_county: bool = False,
    unstored: Mapping[str, Any] | None = None,
) -> Callable[[], Prepared]:
    """What would say something if these documents were live, read; building it, pure CPU that raises
    `StrategyRefused`, is left to the caller. `unstored` as in `named.library`. Raises `VersionMissing`."""
    using = await chosen(tx, product_code, stage)
    if without_county:
        using = Chosen(using.strategy, "")
    return await _compiling(tx, stage, using, document, overlay, unstored)


async def _compiling(
    tx: Tx,
    stage: Stage,
    using: Chosen,
    document: Any = None,
    overlay: Any = None,
    unstored: Mapping[str, Any] | None = None,
) -> Callable[[], Prepared]:
    """The documents of `using`, or those given in their place, ready to compile."""
    if document is None:
        document = await _document(tx, stage, using.strategy)
    if overlay is None and using.overlay:
        overlay = await service.county_document(tx, using.overlay)
    held = await service.library(tx, [document], unstored=unstored)
    return functools.partial(assess.prepare, stage, document, library=held, overlay=overlay)


async def _document(tx: Tx, stage: Stage, digest: str) -> Any:
    """Raises `VersionMissing`."""
    if digest == assess.seeded()[stage].stage.hash:
        return assess.seeded_document(stage)
    found = await service.texts(tx, [digest])
    if digest not in found:
        raise VersionMissing()
    return msgspec.json.decode(found[digest])


async def live(tx: Tx, product_code: str, stage: Stage) -> Prepared | None:
    """As `prepared`; None where a document no longer passes our checks."""
    return await _usable(tx, product_code, stage, await chosen(tx, product_code, stage))


async def stored(tx: Tx, product_code: str, stage: Stage, digest: str) -> Prepared | None:
    """As `live` with a stored document of the union in the live one's place: the county's stays over it."""
    using = await chosen(tx, product_code, stage)
    return await _usable(tx, product_code, stage, Chosen(digest, using.overlay))


async def _usable(tx: Tx, product_code: str, stage: Stage, using: Chosen) -> Prepared | None:
    try:
        return await _compiled(tx, stage, using)
    except (StrategyRefused, VersionMissing) as problem:
        log.error(
            "strategy unusable",
            stage=stage,
            product=product_code,
            document=using.strategy,
            error=problem.code,
        )
        return None


def say(stage: Stage, case: Case, using: Prepared | None) -> Assessment:
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
        versions=_versions(said),
        capsule=tx.vault.seal(_TABLE, "capsule", number, plain),
        capsule_sha256=hashlib.sha256(plain).digest(),
        now=tx.now,
    )
    return number


def _versions(said: Assessment) -> dict[str, str]:
    overlay = {} if said.overlay is UNSET else {"overlay": said.overlay}
    return {"strategy": said.strategy, "catalogue": said.catalogue, "code": said.code, **overlay}


async def _keep_versions(tx: Tx, said: Assessment) -> None:
    """The texts that decided; those of staff are stored since their approval."""
    await repository.add_missing(tx, bundle.SEEDED, _bodies(Stage(said.stage), said.strategy))


@functools.cache
def _bodies(stage: Stage, strategy: str) -> list[repository.Body]:
    known = facts.catalogue()
    bodies = [repository.Body(known.hash, "catalogue", None, known.text.decode())]
    if strategy == assess.seeded()[stage].stage.hash:
        text = canonical(assess.seeded_document(stage)).decode()
        bodies.append(repository.Body(strategy, "strategy", str(stage), text))
    return bodies


async def get(tx: Tx, assessment_id: str) -> Kept:
    """Raises `DecisionMissing`, `DecisionForgotten`."""
    found = None
    if ids.is_uuid(assessment_id):
        found = await Q.get(tx, institution_id=tx.institution_id, id=assessment_id)
    if found is None:
        raise DecisionMissing()
    if not found["capsule"]:
        raise DecisionForgotten()
    return _kept(tx, found)


async def last_of(tx: Tx, application_id: str, stage: Stage) -> Kept | None:
    row = await Q.last_of(tx, institution_id=tx.institution_id, application_id=application_id, stage=stage)
    return _kept(tx, row) if row else None


async def kept_stages(tx: Tx, application_id: str) -> set[Stage]:
    """The stages that have said something of a case."""
    rows = await Q.kept_stages(tx, institution_id=tx.institution_id, application_id=application_id)
    return {Stage(row["stage"]) for row in rows}


async def keep_case(tx: Tx, case: Case, application_id: str) -> None:
    """What a line was looked at by tonight, warned of or not, so that a draft can be tried on all lines."""
    number = ids.new()
    await Q.keep_last(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        id=number,
        product_code=case.product,
        facts=tx.vault.seal(_LAST, "facts", number, canonical(case)),
        now=tx.now,
    )


async def count_past(tx: Tx, stage: Stage, product_code: str, *, after: str = service.FIRST) -> int:
    """How many cases `past` has that are newer than `after`; product '*' counts all."""
    given = {"institution_id": tx.institution_id, "product_code": product_code, "after": after}
    if stage is Stage.EARLY_WARNING:
        return int(await Q.count_last(tx, since=tx.now - _WATCHED, **given))
    return int(await Q.count_past(tx, stage=str(stage), **given))


async def past(
    tx: Tx, stage: Stage, product_code: str, *, before: str = service.LAST, most: int = 200
) -> list[tuple[str, Case]]:
    """(id, case) of what a stage was asked in the county of `tx`, newest first, older than `before`: of early warning
    each line that is watched, as it was in its last night, of the others all that was asked."""
    given = {"institution_id": tx.institution_id, "product_code": product_code}
    paged = {**given, "before": before, "most": most}
    if stage is Stage.EARLY_WARNING:
        rows = await Q.last(tx, since=tx.now - _WATCHED, **paged)
        return [(str(row["id"]), msgspec.json.decode(_open_last(tx, row), type=Case)) for row in rows]
    rows = await Q.past(tx, stage=str(stage), **paged)
    return [(str(row["id"]), _opened(tx, row).case) for row in rows]


def _open_last(tx: Tx, row: Any) -> bytes:
    return tx.vault.open(_LAST, "facts", row["id"], row["facts"])


async def away(tx: Tx, application_id: str) -> Kept | None:
    """What ended a case before its decision; None where the pre-screen let it go on."""
    kept = await last_of(tx, application_id, Stage.PRE_SCREEN)
    return kept if kept is not None and kept.outcome == NOT_ALLOWED else None


async def turned_away(tx: Tx, application_id: str) -> list[Reason]:
    """Why the pre-screen turned an application away; empty where it did not."""
    kept = await away(tx, application_id)
    return [each for each in kept.opened.assessment.reasons if each.severity == "decline"] if kept else []


async def replay(tx: Tx, assessment_id: str) -> tuple[bool, bool]:
    """(saying it again gave the same bytes, the stored bytes have the hash they were stored with).

    Raises `DecisionMissing`, `VersionMissing`.
    """
    kept = await get(tx, assessment_id)
    capsule = kept.opened
    then = capsule.assessment
    untouched = hashlib.sha256(kept.capsule).digest() == kept.sha256
    if not then.strategy:
        return canonical(then) == canonical(assess.unusable(kept.stage, then.code)), untouched
    found = await service.texts(tx, [then.strategy, then.catalogue])
    if len(found) < len({then.strategy, then.catalogue}):
        raise VersionMissing()
    document = msgspec.json.decode(found[then.strategy])
    catalogue = facts.Catalogue(found[then.catalogue].encode())
    plain = again(
        capsule,
        document,
        catalogue=catalogue,
        library=await service.library(tx, [document], catalogue),
        overlay=None if then.overlay is UNSET else await service.county_document(tx, then.overlay),
    )
    return plain == kept.capsule, untouched


def again(
    capsule: MomentCapsule, document: Any, *, catalogue: facts.Catalogue, library: lint.Library, overlay: Any
) -> bytes:
    """The capsule's bytes as these versions give them. Raises `StrategyRefused`."""
    stage = Stage(capsule.assessment.stage)
    using = assess.prepare(
        stage,
        document,
        catalogue=catalogue,
        code=capsule.assessment.code,
        library=library,
        overlay=overlay,
    )
    said = assess.assess(stage, capsule.case, {stage: using})
    return canonical(msgspec.structs.replace(capsule, assessment=said))


def _opened(tx: Tx, row: Any) -> MomentCapsule:
    plain = tx.vault.open(_TABLE, "capsule", row["id"], row["capsule"])
    return msgspec.json.decode(plain, type=MomentCapsule)


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
