"""每日证明: every question about a person was covered by their consent (D3-09, D3-04)."""

import structlog

from backend.core.actor import everywhere
from backend.flows.context import Context
from backend.overview import invariants

log = structlog.get_logger("proof")


async def prove_consents(context: Context) -> list[str]:
    """The questions without one; an alarm at level error when there are any."""
    async with context.db.read(everywhere("proof")) as tx:
        found = await invariants.questions_without_consent(tx)
    if found:
        log.error("questions without a consent", count=len(found), first=found[0])
    else:
        log.info("every question had its consent")
    return found
