"""按姓名查得到: people known before names had a blind index get theirs, a few at a time, until there are none."""

from itertools import groupby

from backend.core.actor import everywhere, system
from backend.domains.customers import service as customers
from backend.flows.context import Context

AT_ONCE = 500


async def index_names(context: Context) -> int:
    """Returns how many were left without an index when it looked; a second run beside this one changes nothing."""
    async with context.db.read(everywhere("name index")) as tx:
        found = await customers.without_name_index(tx, AT_ONCE)
    for institution_id, people in groupby(sorted(found), key=lambda each: each[0]):
        async with context.db.begin(system(institution_id, "name index")) as tx:
            for _, customer_id, name in people:
                await customers.set_name_index(tx, customer_id, name)
    return len(found)
