"""What happens by the clock. Every task is safe to run twice and on several machines at once."""

from collections.abc import Awaitable, Callable

import msgspec
import structlog

from backend.core import clock
from backend.core.actor import everywhere
from backend.domains.channels import links
from backend.domains.identity import quota
from backend.domains.identity import service as identity
from backend.flows import (
    destroy_old_images,
    erase_on_request,
    expire_guarantees,
    expire_offers,
    forget_entries,
    forget_people,
    forget_training_tables,
    give_up_drafts,
    give_up_trainings,
    index_names,
    look_over_relations,
    observe_decisions,
    poll_bank,
    prove_consents,
    put_strategies_live,
    reconcile_bank,
    remind_due,
    resume_held,
    watch_loans,
    watch_models,
)
from backend.flows.context import Context
from backend.outbox import effects, idempotency, queue

log = structlog.get_logger("worker")


class Task(msgspec.Struct, frozen=True):
    """`lane`: only a worker that serves it keeps this task."""

    name: str
    seconds: float
    run: Callable[[Context], Awaitable[object]]
    lane: str = queue.CLOCK


async def _wake_overdue(context: Context) -> None:
    async with context.db.begin(everywhere("sweep")) as tx:
        await effects.wake_overdue(tx)


async def _sound_alarms(context: Context) -> None:
    """A dead letter is an incident until somebody revives it, and so is what is on its way to become one: said again
    every minute, at level error."""
    async with context.db.read(everywhere("alarms")) as tx:
        for alarm in await effects.alarms(tx):
            log.error("dead letters wait for a person", **msgspec.to_builtins(alarm))
        for alarm in await effects.failing(tx):
            log.error("effects fail again and again", **msgspec.to_builtins(alarm))


async def _forget_quotas(context: Context) -> None:
    async with context.db.begin(everywhere("quotas")) as tx:
        await quota.forget_old(tx)


async def _forget_states(context: Context) -> None:
    async with context.db.begin(everywhere("authorisations")) as tx:
        await links.forget_states(tx)
        await identity.forget_states(tx)


async def _forget_answers(context: Context) -> None:
    await idempotency.forget_answers(context.db, clock.now())


TIMETABLE: list[Task] = [
    Task("wake overdue effects", 1.0, _wake_overdue, queue.REST),
    Task("sound the alarm over what does not arrive", 60, _sound_alarms),
    Task("forget old quotas", 3600, _forget_quotas),
    Task("forget old authorisations", 3600, _forget_states),
    Task("empty old answers of requests", 3600, _forget_answers),
    Task("resume held cases", 10, resume_held.resume_held),
    Task("put dated strategies live", 2.0, put_strategies_live.put_strategies_live),
    Task("ask the bank about quiet offers", 30, poll_bank.poll_bank),
    Task("compare the bank's day files", 600, reconcile_bank.reconcile_bank),
    Task("let offers expire", 600, expire_offers.expire_offers),
    Task("let links to guarantors run out", 300, expire_guarantees.expire_guarantees),
    Task("destroy old photographs", 600, destroy_old_images.destroy_old_images),
    Task("prove that every question had its consent", 86_400, prove_consents.prove_consents),
    Task("delete tables that were trained on", 300, forget_training_tables.forget_training_tables),
    Task("let the line of trainings go on", 60, give_up_trainings.give_up_trainings),
    Task("give up old drafts", 3600, give_up_drafts.give_up_drafts),
    Task("forget lines of lists that are long over", 86_400, forget_entries.forget_entries),
    Task("make people anonymous whose time is over", 86_400, forget_people.forget_people),
    Task("make people anonymous who asked for it", 300, erase_on_request.carry_out),
    Task("let people of before be found by name", 60, index_names.index_names),
    Task("look at decisions again with shadows", 30, observe_decisions.observe_decisions),
    Task("look over the lines with loans", 900, watch_loans.watch_loans),
    Task("remind of due dates", 900, remind_due.remind_due),
    Task("watch the models", 3600, watch_models.watch_models),
    Task("look over who shares what", 1800, look_over_relations.look_over_relations),
]
