"""Version 1 of every strategy: the documents shipped with the code, live for all products of the union (A3-33).

The same documents by the same hashes, so nothing decides otherwise; from here on head office changes them as versions.
A later release of the code with other documents changes nothing in a database that has versions. With them come what
head office opens to counties at first, and scenarios every version has to meet.
"""

from importlib import resources
from typing import Any

import msgspec

from backend.core.actor import system
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import facts, gate
from backend.domains.decision import service as decisions
from backend.domains.decision.model import DECIDING, MOMENTS, Stage
from backend.domains.strategies import checks, overlays, repository
from backend.domains.strategies.first_cases import scenarios as scenarios
from backend.domains.strategies.model import (
    ALL_PRODUCTS,
    UNION,
    Openings,
    Report,
    UnionContent,
    Version,
)

MAKER = "shipped"
REASON = "随系统交付的第一版"


async def adopt(tx: Tx) -> int:
    """How many first versions were made; strategies that have a version, and scenarios of their own, stay as they are.
    In head office's transaction, as a system actor other than the maker."""
    made = 0
    for stage, document in checks.shipped_documents().items():
        if not await repository.history(tx, UNION, ALL_PRODUCTS, stage):
            await _first(tx, stage, UnionContent(document=document, openings=openings(stage, document)))
            made += 1
    await _scenarios(tx)
    return made


def openings(stage: Stage, document: Any) -> Openings:
    """What head office opens at first: of the shipped list what this document can open."""
    text = resources.files(__package__).joinpath("shipped_openings.json").read_bytes()
    given = msgspec.json.decode(text, type=dict[str, Openings]).get(stage, Openings())
    places = tuple(place for place in given.places if place in overlays.tables(document))
    parameters = tuple(
        each
        for each in given.parameters
        if not overlays.check_openings(stage, _only(document, each), facts.catalogue())
    )
    return Openings(parameters=parameters, places=places, price_band=given.price_band)


def _only(document: Any, parameter: Any) -> UnionContent:
    return UnionContent(document=document, openings=Openings(parameters=(parameter,)))


async def _first(tx: Tx, stage: Stage, content: UnionContent) -> None:
    """The whole life of version 1 up to live, as any other version's: one hand writes it, another lets it through."""
    checker = tx.actor
    await tx.become(system(tx.institution_id, MAKER))
    digest = await decisions.store(tx, stage, content.document)
    number = await repository.add(
        tx,
        UNION,
        ALL_PRODUCTS,
        stage,
        content=content,
        content_hash=gate.hash_of(content),
        document_hash=digest,
        base_id=None,
        authors=[str(tx.actor)],
        reason=REASON,
        note="",
    )
    await tx.become(checker)
    run = await repository.add_check(tx, await _now(tx, number), Report(findings=[], scenarios=[]))
    await repository.move(tx, await _now(tx, number), "checked", REASON)
    await repository.submit(tx, await _now(tx, number))
    await repository.add_approval(tx, await _now(tx, number), "approved", REASON, run)
    await repository.move(
        tx, await _now(tx, number), "approved", REASON, checker=str(tx.actor), effective_from=tx.now
    )
    await repository.move(tx, await _now(tx, number), "live", REASON)
    await decisions.set_live(tx, UNION, ALL_PRODUCTS, stage, digest, content.openings.price_band)
    audit.add(tx, "strategy.live", number, number=1, stage=stage, product=ALL_PRODUCTS, content=digest)


async def _now(tx: Tx, number: str) -> Version:
    found = await repository.get(tx, number)
    assert found is not None
    return found


async def _scenarios(tx: Tx) -> None:
    """Those of the decision and of each moment outside it where head office never had one, and nothing but the shipped
    documents decides, which they were written for."""
    for stage in ("", *MOMENTS):
        if await _untouched(tx, stage):
            for name, case, expected in scenarios(stage):
                body = {"case": msgspec.to_builtins(case), "expected": msgspec.to_builtins(expected)}
                await repository.add_scenario(tx, ALL_PRODUCTS, stage, name, body)


async def _untouched(tx: Tx, stage: str) -> bool:
    if await repository.scenarios(tx, ALL_PRODUCTS, stage):
        return False
    if await repository.stopped_scenarios(tx, ALL_PRODUCTS, stage, 1):
        return False
    for each in (Stage(stage),) if stage else DECIDING:
        live = await repository.live(tx, UNION, ALL_PRODUCTS, each)
        if live is None or live.document_hash != gate.hash_of(checks.shipped_documents()[each]):
            return False
    return True
