"""按时生效: approved versions go live on their day, live ones whose time is over give their place back
(A3-33)."""

import structlog

from backend.core.actor import everywhere, system
from backend.core.errors import Problem
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.strategies import service
from backend.domains.strategies.model import UNION
from backend.flows.context import Context

log = structlog.get_logger("strategies")


async def put_strategies_live(context: Context) -> int:
    """How many moved. Safe to run twice and on several machines: each move is compared and set."""
    # A version that takes the place of one whose time is over comes first: nothing looser decides between the two.
    return await _move(context, "approved") + await _move(context, "live")


async def _move(context: Context, status: str) -> int:
    async with context.db.read(everywhere("strategies")) as tx:
        due = await service.due(tx, status)
    moved = 0
    for owner, version_id in due:
        actor = system(HEAD_OFFICE if owner == UNION else owner, "strategies")
        try:
            async with context.db.begin(actor) as tx:
                if status == "approved":
                    await service.go_live(tx, version_id)
                else:
                    await service.end(tx, version_id)
        except Problem as problem:
            # What no longer passes its checks stays approved, and is said again until somebody looks.
            log.error("strategy not moved", version=version_id, status=status, error=problem.code)
        except Exception as bug:  # one that trips our own checks must not hold up every other institution's
            log.error("strategy not moved", version=version_id, error=type(bug).__name__, exc_info=True)
        else:
            moved += 1
    return moved
