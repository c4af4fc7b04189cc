"""恢复等待中的申请: held cases go on by themselves when what they wait for is back (N19)."""

import random
from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.applications import service as applications
from backend.flows import decide_application
from backend.flows.context import Context

PAUSE = timedelta(seconds=10)
MOST = 50
GIVE_UP_AFTER = 3  # cases in a row that still find it down: the next round will ask again


async def resume_held(context: Context) -> int:
    """Try the held cases again, in random order so that none blocks the others. Returns how many went on."""
    async with context.db.read(everywhere("resume")) as tx:
        held = await applications.waiting_everywhere(tx, "held", clock.now() - PAUSE, MOST)
    random.shuffle(held)
    resumed = still_down = 0
    for institution_id, application_id in held:
        actor = system(institution_id, "resume")
        after = await decide_application.decide_application(context, actor, application_id)
        if after.status == "held":
            still_down += 1
            if still_down >= GIVE_UP_AFTER:
                break
        else:
            resumed, still_down = resumed + 1, 0
    return resumed
