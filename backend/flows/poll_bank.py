"""追问手机银行: ask about offers nothing was heard of for a while (A5-05)."""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.contracts import service as contracts
from backend.flows import take_bank_events
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused, OutsideUnavailable

QUIET = timedelta(minutes=2)
MOST = 20


async def poll_bank(context: Context, *, quiet: timedelta = QUIET) -> int:
    """Returns how many lost events were found. Stops at once when the bank is down."""
    async with context.db.read(everywhere("poll")) as tx:
        waiting = await contracts.quiet(tx, clock.now() - quiet, MOST)
    healed = 0
    for institution_id, application_id in waiting:
        try:
            status = await context.clients.mobile_bank.status(application_id)
            taken = await take_bank_events.take_bank_events(context, status.events)
            healed += taken.healed
        except OutsideUnavailable:
            return healed
        except OutsideRefused:
            pass  # the bank does not know it: the offer's own effect will be delivered or become a dead letter
        async with context.db.begin(system(institution_id, "poll")) as tx:
            await contracts.polled(tx, application_id)
    return healed
