"""What documents name by hash: sub-flows, scorecards and models, read from where their texts are kept for ever (A3-32).

A name is kept with the document, so the document's own hash says everything that runs. What is stored always decides
and replays; what a new document may name is narrower (`referable`), and held while it is published (`hold`).
"""

import contextlib
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.decision import bundle, cards, facts, jdm, lint, repository
from backend.domains.decision.model import Decision, StrategyRefused, canonical

_compiled: dict[tuple[str, str], cards.Compiled] = {}
"""By hashes of card and catalogue; neither ever changes."""

_places: dict[str, dict[str, str]] = {}
"""By the hash of a document, which never changes either."""


async def texts(tx: Tx, hashes: list[str]) -> dict[str, str]:
    """Stored texts of union versions by hash; the shipped ones also where no database knows them yet."""
    return {digest: body.text for digest, body in (await _found(tx, hashes)).items()}


async def _found(tx: Tx, hashes: list[str]) -> dict[str, repository.Body]:
    shipped = {body.hash: body for body in bodies(bundle.seeded()) if body.hash in hashes}
    return {**shipped, **await repository.bodies(tx, hashes)}


@functools.cache
def bodies(used: bundle.Bundle) -> list[repository.Body]:
    """Everything a bundle decides by, to be stored."""
    found = [
        repository.Body(used.versions.strategies[stage], "strategy", str(stage), text)
        for stage, text in used.texts.items()
    ]
    found += [repository.Body(key, "strategy", str(stage), text) for key, (stage, text) in used.flows.items()]
    scoring = {**used.models, used.versions.scorecard: canonical(used.card.card).decode()}
    return [
        *found,
        *(repository.Body(key, "scorecard", None, text) for key, text in scoring.items()),
        repository.Body(used.versions.catalogue, "catalogue", None, used.catalogue.text.decode()),
    ]


async def keep_card(tx: Tx, card: cards.Card) -> None:
    """Keep a registered card's text for ever, so that documents may name it."""
    text = canonical(card).decode()
    digest = cards.compile_card(card, facts.catalogue()).hash
    await repository.add_missing(tx, card.name, [repository.Body(digest, "scorecard", None, text)])


async def library(
    tx: Tx,
    documents: Iterable[Any],
    catalogue: facts.Catalogue | None = None,
    unstored: Mapping[str, Any] | None = None,
) -> lint.Library:
    """What these documents name, and their sub-flows. What is not stored, or not fit for the catalogue, is not there,
    and the checks refuse the document. `unstored`: sub-flows by hash that somebody is writing just now."""
    given = list(documents)
    held = await flows(tx, given, unstored)
    return lint.Library(held, await _models(tx, _names(given, held), catalogue or facts.catalogue()))


async def referable(
    tx: Tx, documents: Iterable[Any], unstored: Mapping[str, Any] | None = None
) -> lint.Library:
    """What a new document may name: stored sub-flows, the card of the release, and of the registered models those the
    bank has approved and not retired."""
    held = await library(tx, documents, unstored=unstored)
    shipped = bundle.seeded().card
    may = await repository.may_be_named(tx, list(held.models))
    models = {digest: model for digest, model in held.models.items() if digest in may}
    return lint.Library(held.flows, {**models, shipped.hash: shipped})


async def hold(tx: Tx, document: Any) -> bool:
    """Nobody retires what a document names before this transaction ends; whether it names anything.

    Whoever asks then checks it once more (`referable`): what was retired a moment ago is seen from here on.
    """
    names = _names([document], await flows(tx, [document]))
    if names:
        await hold_models(tx, sorted(names))
        shipped = [
            body for body in bodies(bundle.seeded()) if body.kind == "scorecard" and body.hash in names
        ]
        await repository.add_missing(tx, bundle.SEEDED, shipped)
    return bool(names)


async def scored(tx: Tx, decision: Decision) -> dict[str, int]:
    """By hash the models that the flows named and what each said of this case, read from the trace: nobody is asked
    anew. Counties' documents name none."""
    found = dict[str, int]()
    for step in decision.trace:
        if step.event != "value" or step.layer is not msgspec.UNSET:
            continue
        document = decision.versions.strategies.get(step.stage, "")
        model = (await _asked_in(tx, document)).get(step.table)
        if model is not None:
            (said,) = step.output.values()
            found[model] = int(said)
    return found


async def _asked_in(tx: Tx, digest: str) -> dict[str, str]:
    """Where in a document (a/b inside its sub-flow a) which model is asked."""
    if digest not in _places:
        text = (await texts(tx, [digest])).get(digest)
        document = {"nodes": []} if text is None else msgspec.json.decode(text)
        found = {node["id"]: node["content"]["config"]["model"] for node in jdm.model_nodes(document)}
        for node in jdm.flow_nodes(document):
            inner = await _asked_in(tx, str(node["content"]["key"]))
            found |= {f"{node['id']}/{place}": model for place, model in inner.items()}
        _places[digest] = found
    return _places[digest]


async def hold_models(tx: Tx, hashes: list[str]) -> None:
    """Until the transaction ends nobody else retires one of these, or publishes what names one."""
    await repository.hold_models(tx, hashes)


async def flows(tx: Tx, documents: list[Any], unstored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """By hash every sub-flow these documents run, those of their sub-flows too."""
    found, given = dict[str, Any](), unstored or {}
    waiting = [key for document in documents for key in jdm.flows(document)]
    while waiting:
        stored = await repository.bodies(tx, [key for key in waiting if key not in given])
        fresh = {key: msgspec.json.decode(body.text) for key, body in stored.items()}
        fresh |= {key: given[key] for key in waiting if key in given}
        found |= fresh
        waiting = [key for document in fresh.values() for key in jdm.flows(document) if key not in found]
    return found


def _names(documents: list[Any], flows: Mapping[str, Any]) -> set[str]:
    return {key for document in (*documents, *flows.values()) for key in jdm.models(document)}


async def _models(tx: Tx, names: set[str], catalogue: facts.Catalogue) -> dict[str, cards.Compiled]:
    missing = [digest for digest in sorted(names) if (digest, catalogue.hash) not in _compiled]
    found = await _found(tx, missing) if missing else {}
    for digest, body in found.items():
        if body.kind == "scorecard":
            _compile(digest, body.text, catalogue)
    keys = {digest: (digest, catalogue.hash) for digest in names}
    return {digest: _compiled[key] for digest, key in keys.items() if key in _compiled}


def _compile(digest: str, text: str, catalogue: facts.Catalogue) -> None:
    # One that the catalogue no longer lets score is not there, and the checks of the document say so.
    with contextlib.suppress(StrategyRefused):
        _compiled[digest, catalogue.hash] = cards.compile_card(cards.read(text.encode()), catalogue)
