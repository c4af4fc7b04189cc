"""夜间核对关系图谱: old edges go, the kept state is held against the edges, new findings are raised (N9, D3-08).

One institution after the other, once a day; a crash in between is made up for by the next round. A difference is an
error of ours: it is repaired, written into the audit chain and said in the log.
"""

from datetime import timedelta

import structlog

from backend.core import clock
from backend.core.actor import Actor, everywhere, system
from backend.domains.institutions import service as institutions
from backend.domains.regulation import service as regulation
from backend.domains.relations import findings
from backend.flows.context import Context

log = structlog.get_logger("worker")

NIGHT_FROM = 1
"""Hour of the day, China time, from which a day's look may begin: nobody hands in much at one o'clock."""
BATCH = 5_000


async def look_over_relations(context: Context) -> int:
    """Returns how many institutions were looked over now."""
    if clock.local(clock.now()).hour < NIGHT_FROM:
        return 0
    async with context.db.read(everywhere("relations")) as tx:
        union = [each.id for each in await institutions.all_live(tx)]
    done = 0
    for institution_id in union:
        actor = system(institution_id, "relations")
        async with context.db.read(actor) as tx:
            if await findings.ran_today(tx):
                continue
        await look_over(context, actor)
        done += 1
    return done


async def look_over(context: Context, actor: Actor) -> int:
    """One institution; returns how many customers and keys were kept otherwise than their edges say."""
    aged = await _age(context, actor)
    async with context.db.begin(actor) as tx:
        customers, differing = await findings.compare(tx)
        raised = await findings.raise_all(tx)
        await findings.record(tx, customers=customers, aged=aged, differing=differing, raised=raised)
    if differing:
        log.error("relations were kept wrong", institution=actor.institution_id, differing=differing)
    return differing


async def _age(context: Context, actor: Actor) -> int:
    """In small transactions, so that nobody who hands in waits long."""
    async with context.db.read(actor) as tx:
        rules = await regulation.in_force(tx, clock.today())
        edges_from = tx.now - timedelta(days=rules.count("retention.relation_days"))
        sightings_from = tx.now - timedelta(days=rules.count("retention.sighting_days"))
    aged = 0
    while True:
        async with context.db.begin(actor) as tx:
            gone = await findings.age(tx, edges_from, BATCH)
        aged += gone
        if gone < BATCH:
            break
    async with context.db.begin(actor) as tx:
        return aged + await findings.age_sightings(tx, sightings_from)
