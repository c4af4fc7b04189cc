"""名单到期删除: a line of a list is forgotten some time after it last counted, each in its own transaction (D7)."""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.regulation import service as regulation
from backend.domains.relations import lists
from backend.flows.context import Context

AT_ONCE = 500


async def forget_entries(context: Context) -> int:
    """How many; broken off anywhere, it goes on with the rest."""
    async with context.db.read(everywhere("forget")) as tx:
        days = (await regulation.in_force(tx, clock.today())).count("retention.list_days")
        before = tx.now - timedelta(days=days)
    count = 0
    while True:
        async with context.db.read(everywhere("forget")) as tx:
            due = await lists.to_forget(tx, before, AT_ONCE)
        for institution_id, entry_id in due:
            async with context.db.begin(system(institution_id, "forget")) as tx:
                count += await lists.forget(tx, entry_id, before)
        if len(due) < AT_ONCE:
            return count
