"""恢复: a source is back, so every case that waits goes on at once, not with the next round of the clock (N19)."""

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.applications import service as applications
from backend.flows import submit_application
from backend.flows.context import Context
from backend.outbox import effects

MOST = 500
"""More than these are left to `resume_held`, which asks every few seconds."""


async def wake_held(context: Context) -> int:
    """Ask for the decision of the waiting cases again, spread over all workers; returns how many."""
    now = clock.now()
    async with context.db.read(everywhere("wake")) as tx:
        held = await applications.waiting_everywhere(tx, "held", now, MOST)
    counties: dict[str, list[str]] = {}
    for institution_id, application_id in held:
        counties.setdefault(institution_id, []).append(application_id)
    for institution_id, waiting in counties.items():
        async with context.db.begin(system(institution_id, "wake")) as tx:
            for application_id in waiting:
                await effects.add(
                    tx,
                    kind=submit_application.DECIDE,
                    case_id=application_id,
                    key=f"decide:{application_id}:{now:%Y%m%dT%H%M%S.%f}",
                    payload={},
                )
    return len(held)
