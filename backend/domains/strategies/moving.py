"""One step of a version's life, in the books and in the audit chain, and what decides from then on (A3-33)."""

from datetime import datetime
from typing import Any

from backend.core import clock
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage
from backend.domains.strategies import checks, repository
from backend.domains.strategies.model import (
    STRATEGY,
    NotPassed,
    Overtaken,
    Report,
    StrategyMoved,
    UnionContent,
    Version,
)


async def move(tx: Tx, version: Version, to_status: str, why: str, **more: Any) -> None:
    """Raises `StrategyMoved`."""
    if not STRATEGY.allows(version.status, to_status):
        raise StrategyMoved(label=version.status_label)
    if not await repository.move(tx, version, to_status, why, **more):
        raise StrategyMoved(label=version.status_label)
    audit.add(
        tx,
        f"strategy.{to_status}",
        version.id,
        number=version.number,
        stage=version.stage,
        product=version.product_code,
        content=version.content_hash,
        **{
            name: f"{clock.local(at):%Y-%m-%d %H:%M}" for name, at in more.items() if isinstance(at, datetime)
        },
    )


async def take_over(
    tx: Tx, version: Version, why: str, until: datetime | None = None, since: datetime | None = None
) -> None:
    """Retire what is live of exactly this strategy, and let `version` decide, `since` where that is not as approved.
    Raises `NotPassed`, `StrategyMoved`."""
    document = await checks.document_of(tx, version)
    await decisions.hold_named(tx, document)
    await require_fit(tx, version.stage, document)
    before = await repository.live(tx, version.institution_id, version.product_code, version.stage)
    if before is not None and before.product_code == version.product_code:
        await move(tx, before, "retired", f"由第 {version.number} 版接替")
    await move(tx, version, "live", why, effective_from=since)
    band = version.content.openings.price_band if isinstance(version.content, UnionContent) else None
    await decisions.set_live(
        tx, version.institution_id, version.product_code, version.stage, version.document_hash, band, until
    )


async def require_newest(tx: Tx, version: Version) -> None:
    """What decides now stays to the end of the transaction, and the draft stands on it. Raises `Overtaken`."""
    now = await repository.live(tx, version.institution_id, version.product_code, version.stage)
    if now is not None:
        await repository.lock(tx, now.institution_id, now.id)
    if await repository.overtaken(tx, version):
        raise Overtaken()


async def hold_named(tx: Tx, version: Version) -> None:
    """Nobody retires what it names before this transaction ends. Raises `NotPassed` where somebody has."""
    document = await checks.document_of(tx, version)
    if await decisions.hold_named(tx, document):
        await require_fit(tx, version.stage, document)


async def require_fit(tx: Tx, stage: Stage, document: dict[str, Any]) -> None:
    """Raises `NotPassed`."""
    said = await checks.document_findings(tx, stage, document)
    if any(each.blocks for each in said):
        raise NotPassed(Report(findings=said, scenarios=[]))
