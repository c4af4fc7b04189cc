"""What other code may ask of credit decisions.

The road's flow: `bundle_for` inside a read, the outside calls with no transaction open, `decide` (pure CPU, under a
millisecond, holds the GIL), then `record` in the transaction that moves the application.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backend.core import unreadable
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import bundle, evaluate, facts, jdm, lint, repository, scorecard
from backend.domains.decision.model import (
    AlreadyDecided,
    Capsule,
    CapsuleUnreadable,
    DecisionMissing,
    Stage,
    VersionMissing,
    Versions,
    canonical,
)

Bundle = bundle.Bundle
Recorded = repository.Recorded
decide = evaluate.evaluate
"""`decide(case, bundle, deadline=…) -> Capsule`; see `evaluate.evaluate`."""


class ReplayResult(msgspec.Struct, frozen=True, kw_only=True):
    """`same_bytes`: deciding again gave the stored bytes. `untouched`: they still have the hash they were
    stored with. `same_code`: today's code is the code that decided then."""

    decision_id: str
    same_bytes: bool
    untouched: bool
    same_code: bool
    stored: bytes
    replayed: bytes


async def bundle_for(tx: Tx, product_code: str) -> Bundle:
    """The versions that decide for a product now: the newest release, or the seeded versions before any.

    Every personal product shares one set in this version; its limits and band come as facts.
    """
    del product_code
    found = await repository.newest_release(tx, bundle.SEEDED)
    if found is None:
        return bundle.seeded()
    return await _compile(tx, found.strategies, found.scorecard, found.catalogue, bundle.code_version())


async def publish(tx: Tx, documents: Mapping[Stage, Any], card: scorecard.Scorecard, *, reason: str) -> int:
    """Check, store and release; from the commit on every new case is decided by it.

    Raises `StrategyRefused`. No door calls this yet: maker and checker come with the strategy pages.
    """
    ready = bundle.build(documents, card)
    await repository.add_missing(tx, bundle.SEEDED, _bodies(ready))
    number = await repository.release(tx, bundle.SEEDED, ready.versions, reason)
    audit.add(tx, "decision.release", str(number), versions=msgspec.to_builtins(ready.versions))
    return number


async def record(tx: Tx, application_id: str, capsule: Capsule, *, attempt: int = 1) -> Recorded:
    """Store a decision and every version it was made with; in the process that made it.

    Raises `AlreadyDecided` for a second result of the same attempt (whoever comes first wins), `VersionMissing`
    when the versions of the capsule were never loaded here.
    """
    used = bundle.of_versions(capsule.decision.versions)
    if used is None:
        raise VersionMissing()
    await repository.add_missing(tx, bundle.SEEDED, _bodies(used))
    number = await repository.record(tx, application_id, attempt, capsule)
    if number is None:
        raise AlreadyDecided()
    decision = capsule.decision
    audit.add(
        tx,
        "decision.recorded",
        number,
        application=application_id,
        attempt=attempt,
        outcome=decision.outcome,
        reasons=[reason.code for reason in decision.reasons],
    )
    return await get(tx, number)


async def get(tx: Tx, decision_id: str) -> Recorded:
    """Raises `DecisionMissing`, also for another institution's decision."""
    found = await repository.get(tx, decision_id)
    if found is None:
        raise DecisionMissing()
    return found


async def latest_for(tx: Tx, application_id: str) -> Recorded | None:
    """The newest attempt, None before the first."""
    return await repository.latest_for(tx, application_id)


async def institution_of(tx: Tx, number: str) -> str | None:
    """The county of a decision id or application id; needs a union-wide reader."""
    return await repository.institution_of(tx, number)


async def replay(tx: Tx, decision_id: str) -> ReplayResult:
    """Decide the stored case again with the stored versions. Raises `DecisionMissing` or `VersionMissing`."""
    stored = await get(tx, decision_id)
    capsule = stored.opened
    then = capsule.decision.versions
    used = await _compile(tx, then.strategies, then.scorecard, then.catalogue, then.code)
    replayed = canonical(evaluate.evaluate(capsule.case, used))
    return ReplayResult(
        decision_id=decision_id,
        same_bytes=replayed == stored.capsule,
        untouched=hashlib.sha256(stored.capsule).digest() == stored.sha256,
        same_code=then.code == bundle.code_version(),
        stored=stored.capsule,
        replayed=replayed,
    )


def replay_capsule(text: bytes) -> ReplayResult:
    """Replay a capsule file without a database (N6). Raises `CapsuleUnreadable`, or `VersionMissing` when it was
    made with versions other than the shipped ones."""
    try:
        capsule = msgspec.json.decode(text, type=Capsule)
    except unreadable.NOT_DECODED as cause:
        raise CapsuleUnreadable(why=unreadable.why(cause, text)) from cause
    then = capsule.decision.versions
    used = bundle.build(bundle.seeded_documents(), scorecard.seeded(), code=then.code)
    if used.versions != then:
        raise VersionMissing()
    replayed = canonical(evaluate.evaluate(capsule.case, used))
    return ReplayResult(
        decision_id="",
        same_bytes=replayed == text,
        untouched=True,  # a bare file carries no hash of itself
        same_code=then.code == bundle.code_version(),
        stored=text,
        replayed=replayed,
    )


async def _compile(tx: Tx, strategies: Mapping[str, str], card: str, catalogue: str, code: str) -> Bundle:
    """A bundle from stored versions; compiled once per process."""
    wanted = Versions(strategies=dict(strategies), scorecard=card, catalogue=catalogue, code=code)
    known = bundle.of_versions(wanted)
    if known is not None:
        return known
    hashes = [*strategies.values(), card, catalogue]
    found = await repository.bodies(tx, hashes)
    if any(each not in found for each in hashes):
        raise VersionMissing()
    documents = {Stage(stage): msgspec.json.decode(found[each].text) for stage, each in strategies.items()}
    built = bundle.build(
        documents,
        scorecard.read(found[card].text.encode()),
        catalogue=facts.Catalogue(found[catalogue].text.encode()),
        code=code,
        library=await _library(tx, documents.values()),
    )
    if built.versions != wanted:
        raise VersionMissing()
    return built


async def _library(tx: Tx, documents: Iterable[Any]) -> lint.Library:
    """The sub-flows these documents run, and theirs, by hash. What is not stored the checks will refuse."""
    flows: dict[str, Any] = {}
    waiting = [key for document in documents for key in jdm.flows(document)]
    while waiting:
        found = await repository.bodies(tx, waiting)
        fresh = {key: msgspec.json.decode(body.text) for key, body in found.items() if key not in flows}
        flows |= fresh
        waiting = [key for document in fresh.values() for key in jdm.flows(document) if key not in flows]
    return lint.Library(flows)


def _bodies(used: Bundle) -> list[repository.Body]:
    found = [
        repository.Body(used.versions.strategies[stage], "strategy", str(stage), text)
        for stage, text in used.texts.items()
    ]
    found += [repository.Body(key, "strategy", str(stage), text) for key, (stage, text) in used.flows.items()]
    card = canonical(used.card.card).decode()
    return [
        *found,
        repository.Body(used.versions.scorecard, "scorecard", None, card),
        repository.Body(used.versions.catalogue, "catalogue", None, used.catalogue.text.decode()),
    ]
