"""与手机银行对账: compare a day's file of every institution with what we were told (A5-05, trust §1.7)."""

from datetime import date, timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.institutions import service as institutions
from backend.domains.loans import service as loans
from backend.flows import take_bank_events
from backend.flows.context import Context

LONGEST = timedelta(days=31)
"""How far back a run goes after the two sides did not reach each other for days."""


async def reconcile_bank(context: Context, on: date | None = None) -> int:
    """From the last day compared (at least from yesterday) to today, unless a day is given. Returns how many lost
    events it healed; the outcome of every comparison is kept. Raises Unavailable when the bank is down: the next
    run does it."""
    async with context.db.read(everywhere("reconcile")) as tx:
        live = await institutions.all_live(tx)
    healed = 0
    for institution in live:
        for day in [on] if on else await _days(context, institution.id):
            file = await context.clients.mobile_bank.reconciliation(institution.id, day)
            taken = await take_bank_events.take_bank_events(context, file.events)
            async with context.db.begin(system(institution.id, "reconcile")) as tx:
                await loans.reconciled(
                    tx,
                    day,
                    events=len(file.events),
                    healed=taken.healed,
                    unexplained=taken.unexplained,
                    sha256=file.sha256,
                )
            healed += taken.healed
    return healed


async def _days(context: Context, institution_id: str) -> list[date]:
    """The earliest first, so that a run that breaks off is taken up where it broke off. The last day compared is
    compared again: it was not over then."""
    today = clock.today()
    async with context.db.read(system(institution_id, "reconcile")) as tx:
        latest = [done.bank_day for done in await loans.reconciliations(tx, 1)]
    first = max(min(*latest, today - timedelta(days=1), today), today - LONGEST)
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]
