"""A document that decides, through everything the database asks of one: made by one person, approved by another."""

from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.decision import gate
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage
from backend.domains.strategies import repository
from backend.domains.strategies.model import (
    UNION,
    Content,
    CountyContent,
    Report,
    UnionContent,
    Version,
)
from tests.acting import sign_as

WHY = "为测试换上"


async def make_live(tx: Tx, product: str, stage: Stage, document: Any, owner: str = UNION) -> None:
    """What was live of exactly this strategy is retired; a union's document needs head office's transaction."""
    content: Content = UnionContent(document=document) if owner == UNION else CountyContent()
    checker = tx.actor
    await sign_as(tx, msgspec.structs.replace(checker, id="maker"))
    digest = await decisions.store(tx, stage, document, county=owner != UNION)
    made = await repository.add(
        tx,
        owner,
        product,
        stage,
        content=content,
        content_hash=gate.hash_of(content),
        document_hash=digest,
        base_id=None,
        authors=[str(tx.actor)],
        reason=WHY,
        note="",
    )
    await sign_as(tx, checker)
    run = await repository.add_check(tx, await _now(tx, made), Report(findings=[], scenarios=[]))
    await repository.move(tx, await _now(tx, made), "checked", WHY)
    await repository.submit(tx, await _now(tx, made))
    await repository.add_approval(tx, await _now(tx, made), "approved", WHY, run)
    signed = str(tx.actor)
    await repository.move(tx, await _now(tx, made), "approved", WHY, checker=signed, effective_from=tx.now)
    before = await repository.live(tx, owner, product, stage)
    if before is not None and before.product_code == product:
        await repository.move(tx, before, "retired", WHY)
    await repository.move(tx, await _now(tx, made), "live", WHY)
    await decisions.set_live(tx, owner, product, stage, digest)


async def _now(tx: Tx, made: str) -> Version:
    found = await repository.get(tx, made)
    assert found is not None
    return found
