"""What other code may ask of credit decisions.

The road's flow: `bundle_for` inside a read, the outside calls with no transaction open, `decide` (pure CPU, under a
millisecond, holds the GIL), then `record` in the transaction that moves the application.
"""

import asyncio
import functools
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import structlog
from msgspec import UNSET

from backend.core import clock, unreadable
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import (
    bundle,
    capsule_file,
    cards,
    evaluate,
    facts,
    features,
    gate,
    named,
    nearest,
    repository,
    scorecard,
)
from backend.domains.decision.model import (
    AlreadyDecided,
    Capsule,
    CapsuleUnreadable,
    DecisionForgotten,
    DecisionMissing,
    Stage,
    VersionMissing,
    Versions,
    canonical,
)

log = structlog.get_logger("decision")

Bundle = bundle.Bundle
Recorded = repository.Recorded
seeded = bundle.seeded
with_card = bundle.with_card
texts, library, referable, flows = named.texts, named.library, named.referable, named.flows
hold_named, hold_models, keep_card = named.hold, named.hold_models, named.keep_card
named_scores = named.scored
decide = evaluate.evaluate
"""`decide(case, bundle, deadline=…) -> Capsule`; see `evaluate.evaluate`."""
Nearest = nearest.Nearest
Said = evaluate.Said


UNION = "*"
"""The union's layer, among the institutions of `decision.live`."""
FIRST = "00000000-0000-0000-0000-000000000000"
"""Before every id."""
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""Where a walk through the past begins: after every id."""


class ReplayResult(msgspec.Struct, frozen=True, kw_only=True):
    """`same_bytes`: deciding again gave the stored bytes. `untouched`: they still have the hash they were
    stored with. `same_code`: today's code is the code that decided then."""

    decision_id: str
    same_bytes: bool
    untouched: bool
    same_code: bool
    stored: bytes
    replayed: bytes


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Hashes of the versions that decide for a case, but for catalogue and code, which are the process's own."""

    strategies: dict[str, str]
    scorecard: str
    overlays: dict[str, str] = {}
    price_band: list[int] | None = None

    def versions(self) -> Versions:
        return Versions(
            strategies=self.strategies,
            scorecard=self.scorecard,
            catalogue=facts.catalogue().hash,
            code=bundle.code_version(),
            overlays=self.overlays or UNSET,
            price_band=self.price_band if self.price_band and Stage.PRICING in self.overlays else UNSET,
        )


async def live(tx: Tx, product_code: str) -> Chosen:
    """What decides for a product in the county of `tx` now: the union's document of the product, else the one of
    all products, else the shipped one; and the county's own beside it, found in the same order (N4). The card is the
    shipped one: another comes from the register of models, on top (`with_card`)."""
    rows = sorted(await repository.live(tx, product_code), key=lambda row: row.product_code != "*")
    union = {row.stage: row for row in rows if row.institution_id == UNION}
    county = {row.stage: row for row in rows if row.institution_id != UNION}
    pricing = union.get(Stage.PRICING)
    seeded = bundle.seeded().versions
    return Chosen(
        strategies={
            stage: union[stage].hash if stage in union else shipped
            for stage, shipped in seeded.strategies.items()
        },
        scorecard=seeded.scorecard,
        overlays={stage: county[stage].hash for stage in seeded.strategies if stage in county},
        price_band=pricing.price_band if pricing else None,
    )


async def bundle_for(tx: Tx, product_code: str, application_id: str | None = None) -> Bundle:
    """The versions that decide: those the case began with (`pin`), else those live now.

    Read anew with every decision, so that what was approved decides in every process from its commit on; texts are
    fetched and compiled once per process. Raises `StrategyRefused` or `VersionMissing` when a stored version no
    longer passes this code's checks.
    """
    kept = await repository.pinned(tx, application_id) if application_id else None
    chosen = await live(tx, product_code) if kept is None else msgspec.convert(kept, Chosen)
    return await _compile(tx, chosen.versions())


async def trial(
    tx: Tx,
    product_code: str,
    *,
    documents: Mapping[Stage, Any] | None = None,
    overlays: Mapping[Stage, Any] | None = None,
    price_band: tuple[int, int] | None = None,
    without_county: bool = False,
) -> Bundle:
    """What would decide in the county of `tx` if these documents were live. Its decisions cannot be recorded.

    `price_band` counts when a pricing document is among `documents`. Raises `StrategyRefused`, `VersionMissing`.
    """
    build = await trial_later(
        tx,
        product_code,
        documents=documents,
        overlays=overlays,
        price_band=price_band,
        without_county=without_county,
    )
    return build()


async def trial_later(
    tx: Tx,
    product_code: str,
    *,
    documents: Mapping[Stage, Any] | None = None,
    overlays: Mapping[Stage, Any] | None = None,
    price_band: tuple[int, int] | None = None,
    without_county: bool = False,
    unstored: Mapping[str, Any] | None = None,
) -> Callable[[], Bundle]:
    """As `trial`, but only read: the building, pure CPU that raises `StrategyRefused`, is left to the caller.
    `unstored` as in `named.library`."""
    chosen, changed, tried = await live(tx, product_code), documents or {}, overlays or {}
    found = await texts(tx, [*chosen.strategies.values(), chosen.scorecard])
    own = {} if without_county else chosen.overlays
    held = await repository.county_bodies(tx, list(own.values())) if own else {}
    band = price_band if Stage.PRICING in changed else tuple(chosen.price_band or ()) or None
    try:
        deciding = {
            Stage(stage): changed.get(Stage(stage)) or msgspec.json.decode(found[digest])
            for stage, digest in chosen.strategies.items()
        }
        return functools.partial(
            bundle.build,
            deciding,
            scorecard.read(found[chosen.scorecard].encode()),
            library=await library(tx, deciding.values(), unstored=unstored),
            overlays={**{Stage(stage): msgspec.json.decode(held[own[stage]]) for stage in own}, **tried},
            price_band=band,  # type: ignore[arg-type]
            keep=False,
        )
    except KeyError as missing:
        raise VersionMissing() from missing


async def pin(tx: Tx, application_id: str, product_code: str) -> None:
    """A case that is being submitted keeps the versions live at this moment until it is decided (A3-20)."""
    await repository.pin(tx, application_id, await live(tx, product_code))


async def store(tx: Tx, stage: Stage, document: Any, *, county: bool = False) -> str:
    """Keep a document's text for ever; returns its hash. A county's is read by that county alone."""
    digest, text = gate.hash_of(document), canonical(document).decode()
    if county:
        await repository.add_county_version(tx, digest, stage, text)
    else:
        await repository.add_missing(tx, bundle.SEEDED, [repository.Body(digest, "strategy", stage, text)])
    return digest


async def county_document(tx: Tx, digest: str) -> Any:
    """A county's stored document. Raises `VersionMissing`."""
    found = await repository.county_bodies(tx, [digest])
    if digest not in found:
        raise VersionMissing()
    return msgspec.json.decode(found[digest])


async def set_live(
    tx: Tx,
    institution_id: str,
    product_code: str,
    stage: Stage,
    digest: str,
    price_band: tuple[int, int] | None = None,
    until: datetime | None = None,
) -> None:
    """From the commit on this document decides, until its time is over. Only `domains/strategies` asks this,
    after its checks."""
    band = list(price_band) if price_band else None
    await repository.set_live(tx, institution_id, product_code, stage, digest, band, until)


async def end_live(tx: Tx, institution_id: str, product_code: str, stage: Stage) -> None:
    """From the commit on this layer has no document of its own here."""
    await repository.end_live(tx, institution_id, product_code, stage)


async def count_past(tx: Tx, product_code: str, *, after: str = FIRST) -> int:
    """Stored decisions of the county of `tx`, newer than `after`; product '*' counts all."""
    return await repository.count_past(tx, product_code, after)


async def whole_blocks(tx: Tx, product_code: str, block: int, least: int) -> str:
    """What to ask `past` for `before`: from one day to another the newest it gives are then the same or change by
    `block` at once, by `least` in a county of fewer, and nobody reads one case out of two sums."""
    return await repository.first_beyond(tx, product_code, block, least) or LAST


async def past(
    tx: Tx, product_code: str, *, before: str = LAST, most: int = 200
) -> list[tuple[str, Capsule]]:
    """(id, capsule) of stored decisions, newest first, older than `before`."""
    rows = await repository.past(tx, product_code, before, most)
    return [(number, msgspec.json.decode(text, type=Capsule)) for number, text in rows]


def nearest_change(capsule: Capsule, used: Bundle, said: Said | None = None) -> Nearest | None:
    """The nearest lawful thing that would have led to more (N5); some 25 ms of CPU at most. None also when the search
    itself fails: advice must never cost a decision."""
    try:
        return nearest.nearest(capsule, used, said)
    except Exception:
        log.exception("nearest change not found out", product=capsule.case.product)
        return None


async def nearest_of(tx: Tx, decision_id: str) -> Nearest | None:
    """What was told with a decision of the way to more; None where nothing lawful helps."""
    return await repository.nearest_of(tx, decision_id)


async def record(
    tx: Tx, application_id: str, capsule: Capsule, *, attempt: int = 1, advice: Nearest | None = None
) -> Recorded:
    """Store a decision and every version it was made with; in the process that made it.

    Raises `AlreadyDecided` for a second result of the same attempt (whoever comes first wins), `VersionMissing`
    when the versions of the capsule were never loaded here.
    """
    used = bundle.of_versions(capsule.decision.versions)
    if used is None:
        raise VersionMissing()
    await repository.add_missing(tx, bundle.SEEDED, named.bodies(used))
    recorded = await repository.record(tx, application_id, attempt, capsule, advice)
    if recorded is None:
        raise AlreadyDecided()
    number = recorded.id
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
    return recorded


async def get(tx: Tx, decision_id: str) -> Recorded:
    """Raises `DecisionMissing`, also for another institution's decision, and `DecisionForgotten`."""
    found = await repository.get(tx, decision_id)
    if found is None:
        raise DecisionMissing()
    if not found.capsule:
        raise DecisionForgotten()
    return found


async def latest_for(tx: Tx, application_id: str) -> Recorded | None:
    """The newest attempt, None before the first, and when its person was forgotten (`forgotten`)."""
    found = await repository.latest_for(tx, application_id)
    return found if found is not None and found.capsule else None


async def forgotten(tx: Tx, application_id: str) -> bool:
    """Whether a case was decided and its facts were deleted since, as its person was promised."""
    return await repository.forgotten(tx, application_id)


async def institution_of(tx: Tx, number: str) -> str | None:
    """The county of a decision id or application id; needs a union-wide reader."""
    return await repository.institution_of(tx, number)


async def replay(tx: Tx, decision_id: str) -> ReplayResult:
    """Decide the stored case again with the stored versions. Raises `DecisionMissing`,
    `DecisionForgotten` or `VersionMissing`."""
    stored = await get(tx, decision_id)
    capsule = stored.opened
    then = capsule.decision.versions
    used = await _compile(tx, then)
    replayed = canonical(evaluate.evaluate(capsule.case, used))
    return ReplayResult(
        decision_id=decision_id,
        same_bytes=replayed == stored.capsule,
        untouched=hashlib.sha256(stored.capsule).digest() == stored.sha256,
        same_code=then.code == bundle.code_version(),
        stored=stored.capsule,
        replayed=replayed,
    )


def inputs(capsule: Capsule, names: set[str]) -> dict[str, facts.Value]:
    """What a model would read of a stored case: the usable facts and features among `names`; what could not be
    used then is not there."""
    known = facts.catalogue()
    plain, wanted = features.closure(names)
    needed = facts.Needed(known[name] for name in sorted(plain) if name in known)
    checked = facts.check(capsule.case, needed, known)
    values = dict(checked.values)
    features.extend(values, clock.local(capsule.case.as_of).date(), wanted)
    return {name: value for name, value in values.items() if name in names}


def replay_capsule(text: bytes) -> ReplayResult:
    """Verify and replay a capsule file without a database (N6). Raises `CapsuleUnreadable`, `CapsuleTampered`; of a
    bare capsule also `VersionMissing` when it was made with versions other than the shipped ones."""
    if capsule_file.is_one(text):
        return _replay_file(capsule_file.read(text))
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


def is_masked(text: bytes) -> bool:
    """A capsule file for showing; its hashes hold. Raises as `replay_capsule`."""
    return capsule_file.is_one(text) and capsule_file.read(text).masked


def _replay_file(held: capsule_file.CapsuleFile) -> ReplayResult:
    capsule, used = capsule_file.bundle_of(held)
    stored, replayed = held.text("capsule").encode(), canonical(evaluate.evaluate(capsule.case, used))
    return ReplayResult(
        decision_id=capsule_file.decision_id(held),
        same_bytes=replayed == stored,
        untouched=True,  # `read` has checked every hash
        same_code=used.versions.code == bundle.code_version(),
        stored=stored,
        replayed=replayed,
    )


async def version_texts(tx: Tx, versions: Versions) -> list[tuple[str, str]]:
    """(part of a capsule file, text) of everything a decision was made with. Raises `VersionMissing`."""
    used = await _compile(tx, versions)
    own = versions.overlays or {}
    held = await repository.county_bodies(tx, list(own.values())) if own else {}
    if any(digest not in held for digest in own.values()):
        raise VersionMissing()
    return [
        *((f"strategy:{stage}", text) for stage, text in used.texts.items()),
        *((f"flow:{digest}", text) for digest, (_, text) in used.flows.items()),
        *((f"model:{digest}", text) for digest, text in used.models.items()),
        *((f"overlay:{stage}", held[digest]) for stage, digest in own.items()),
        ("scorecard", canonical(used.card.card).decode()),
        ("catalogue", used.catalogue.text.decode()),
    ]


async def application_of(tx: Tx, number: str) -> str:
    """The application of a decision id, or of an application id itself. Raises `DecisionMissing`."""
    latest = await repository.latest_for(tx, number)
    return latest.application_id if latest else (await get(tx, number)).application_id


async def _compile(tx: Tx, wanted: Versions) -> Bundle:
    """A bundle from stored versions; compiled once per process."""
    known = bundle.of_versions(wanted)
    if known is not None:
        return known
    hashes = [*wanted.strategies.values(), wanted.scorecard, wanted.catalogue]
    found = await texts(tx, hashes)
    overlays = wanted.overlays or {}
    own = await repository.county_bodies(tx, list(overlays.values())) if overlays else {}
    if any(each not in found for each in hashes) or any(each not in own for each in overlays.values()):
        raise VersionMissing()
    documents = {Stage(stage): msgspec.json.decode(found[each]) for stage, each in wanted.strategies.items()}
    catalogue = facts.Catalogue(found[wanted.catalogue].encode())
    # A document of a thousand rows takes seconds to compile: on a thread, or everybody would wait.
    built = await asyncio.to_thread(
        bundle.build,
        documents,
        cards.read(found[wanted.scorecard].encode()),
        catalogue=catalogue,
        code=wanted.code,
        library=await library(tx, documents.values(), catalogue),
        overlays={Stage(stage): msgspec.json.decode(own[each]) for stage, each in overlays.items()},
        price_band=(wanted.price_band[0], wanted.price_band[1]) if wanted.price_band else None,
    )
    if built.versions != wanted:
        raise VersionMissing()
    return built
