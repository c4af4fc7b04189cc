"""兑现保存期限: who was refused, or never went on, is made anonymous when the promised time is over (D3-06, D7); who
had a line or a loan, or answered for one, when the years of the law are."""

from collections import Counter
from datetime import datetime, timedelta

import structlog

from backend.core import clock, failpoints
from backend.core.actor import everywhere, system
from backend.core.errors import Unavailable
from backend.domains.customers import erasing
from backend.domains.customers.erasing import Looked
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import UNION
from backend.domains.regulation import service as regulation
from backend.flows import forget_person
from backend.flows.context import Context
from backend.outbox import effects

log = structlog.get_logger("forget")

AT_ONCE = 1000


async def forget_people(context: Context) -> dict[str, int]:
    """Everybody whose time is over, each in a transaction of their own, so that it can be broken off anywhere and goes
    on with the rest; how many by institution."""
    async with context.db.read(everywhere("forget")) as tx:
        days = (await regulation.in_force(tx, clock.today())).count("retention.unfinished_days")
        before = tx.now - timedelta(days=days)
        counties = [county.id for county in await institutions.all_live(tx)]
    forgotten: Counter[str] = Counter()
    last: Looked | None = None
    while True:
        async with context.db.read(everywhere("forget")) as tx:
            page = await erasing.page(tx, last, before, AT_ONCE)
        for each in page:
            if each.due and await _forget(context, each, before):
                forgotten[each.institution_id] += 1
        if forgotten:
            log.info("people made anonymous", **{f"in_{code}": count for code, count in forgotten.items()})
        if len(page) < AT_ONCE:
            break
        last = page[-1]
    for code in (UNION, *counties):
        async with context.db.begin(system(code, "forget")) as tx:
            await effects.forget_nobodys(tx, before)
    return dict(forgotten)


async def _forget(context: Context, each: Looked, before: datetime) -> bool:
    """One whom a fault of ours keeps from being forgotten must not keep the others: it is said at every run."""
    try:
        actor = system(each.institution_id, "forget")
        return await forget_person.forget_person(context, actor, each.customer_id, before)
    except (Unavailable, failpoints.FailpointError):
        raise
    except Exception as error:
        log.error("a person could not be forgotten", customer=each.customer_id, error=type(error).__name__)
        return False
