"""The worker (door): delivers effects and keeps the timetable.

PgQueuer and PostgreSQL's calls (`outbox/queue.py`) hand over ids; the effect itself is leased from our own table, so
what comes twice, or again after a crash, finds nothing to do. Delivery is: lease (own transaction) → handler (no
transaction) → record; all in one where what is called out needs nobody outside.
The lease is short and renewed while the handler runs, so that what a killed worker held goes on soon. Neither lease
nor record waits for the disk: a database that dies with one in hand has the effect delivered again, under its own key.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import structlog
from pgqueuer.models import Job

from backend.core import failpoints
from backend.core.actor import Actor, everywhere, system
from backend.core.errors import Problem, Unavailable
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.jobs.handlers import HANDLERS, LONGER, Delivery, Joined, decider
from backend.jobs.neighbours import Neighbours
from backend.jobs.timetable import TIMETABLE, Task
from backend.outbox import effects, queue
from backend.outbox.effects import Effect

log = structlog.get_logger("worker")

LEASED = failpoints.declare("effect.leased", "an effect is leased; nothing was sent")
SENT = failpoints.declare("effect.sent", "the other side has the effect; we have not recorded it")


HANDLER_SECONDS = 55.0


class DeliveryFailed(Exception):
    """What the queue may know of a delivery that ended in a mistake of ours: its kind."""


async def deliver(context: Context, institution_id: str, effect_id: str, *, at_once: bool = False) -> str:
    """Deliver one effect. Returns what became of it: delivered, postponed, dead or nothing.

    `at_once`: in the transaction of the lease, where its handler can. A worker that dies of it then leaves no trace,
    so only who hears of the effect for the first time may: the sweep's attempts are counted before they begin.
    """
    delivery = await _lease(context, decider(institution_id), effect_id, at_once=at_once)
    return "nothing" if delivery is None else await _go_on(context, delivery)


async def _go_on(context: Context, delivery: Delivery) -> str:
    """With a leased effect, unless it is done already."""
    if delivery.is_recorded():
        return "delivered"
    effect = delivery.effect
    actor = system(effect.institution_id, "worker")
    failpoints.hit(LEASED)
    keeper = asyncio.create_task(_keep_lease(context, effect))
    try:
        error, final = await _handled(context, effect, delivery)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
    if delivery.is_recorded() and not error:
        if effect.last_error:
            async with context.db.begin(actor, durable=False) as tx:
                await effects.hasten(tx, effect)
        return "delivered"
    failpoints.hit(SENT)
    async with context.db.begin(actor, durable=False) as tx:
        if not error:
            await effects.delivered(tx, effect)
            await effects.hasten(tx, effect)
            return "delivered"
        dead = await effects.failed(tx, effect, error, final=final)
    log.warning("effect not delivered", kind=effect.kind, error=error, attempt=effect.attempts, dead=dead)
    return "dead" if dead else "postponed"


async def _lease(context: Context, actor: Actor, effect_id: str, *, at_once: bool) -> Delivery | None:
    """The effect, if it is ours now, and what its handler found in the same transaction where it has a hand in it.

    What goes wrong there leaves the lease as it was, and the handler comes to it by itself, where it is counted; so
    is a lease that cannot be had. A mistake of ours is an incident each time, at level error: nobody is kept waiting
    by one in the first step alone, so it would not be seen otherwise.
    """
    try:
        async with context.db.begin(actor, durable=False, same_plans=True) as tx:
            effect = await (effects.hold if at_once else effects.lease)(tx, effect_id)
            if effect is None:
                return None
            delivery = Delivery(effect, at_once=at_once)
            handler = HANDLERS.get(effect.kind)
            if isinstance(handler, Joined):
                await handler.begin(tx, delivery)
            if at_once and not delivery.is_recorded():
                delivery.effect = await effects.lease(tx, effect_id) or effect
        return delivery
    except Exception as problem:
        say = log.warning if isinstance(problem, Problem) else log.error
        say("lease without its first step", effect=effect_id, error=type(problem).__name__)
    try:
        async with context.db.begin(actor, durable=False) as tx:
            effect = await effects.lease(tx, effect_id)
    except Problem:
        raise
    except Exception as bug:
        log.error("effect cannot be taken", effect=effect_id, error=type(bug).__name__, exc_info=True)
        async with context.db.begin(actor, durable=False) as tx:
            await effects.unreadable(tx, effect_id, type(bug).__name__)
        return None
    return Delivery(effect) if effect else None


async def _handled(context: Context, effect: Effect, delivery: Delivery) -> tuple[str, bool]:
    """(why it failed or "", whether that is final)."""
    handler = HANDLERS.get(effect.kind)
    if handler is None:
        return f"no handler for {effect.kind}", True
    try:
        async with asyncio.timeout(LONGER.get(effect.kind, HANDLER_SECONDS)):
            if isinstance(handler, Joined):
                await handler.go_on(context, delivery)
            else:
                await handler(context, effect)
    except Unavailable as problem:
        return problem.code, False
    except OutsideRefused as refusal:
        # Their code, never their words: those may hold what a person typed.
        return f"{refusal.code} {refusal.status} {refusal.remote_code}"[:120], True
    except Problem as problem:
        # Our own rules said no: asking again the same way will not help.
        return problem.code, True
    except TimeoutError:
        return "timeout", False
    except Exception as bug:  # a bug in a handler must not stop the worker; it shows as a dead letter
        log.error("handler failed", kind=effect.kind, error=type(bug).__name__, exc_info=True)
        return type(bug).__name__, False
    return "", False


async def _keep_lease(context: Context, effect: Effect) -> None:
    """Renew the lease until cancelled; ends when another worker has taken the effect over."""
    actor = system(effect.institution_id, "worker")
    while True:
        await asyncio.sleep(effects.LEASE.total_seconds() / 3)
        with contextlib.suppress(Unavailable):
            async with context.db.begin(actor, durable=False) as tx:
                if not await effects.keep(tx, effect):
                    return


async def drain(context: Context, most: int = 1000) -> int:
    """Deliver everything that is due, one after the other, without a queue. For tests and commands."""
    done = 0
    for _ in range(most):
        async with context.db.read(everywhere("drain")) as tx:
            due = await effects.due(tx)
        if not due:
            return done
        for institution_id, effect_id in due:
            await deliver(context, institution_id, effect_id)
            done += 1
    return done


HANDS, ASKING = 3, 20
"""How many called-out effects a worker by itself has in hand: in a transaction of its own, enough to work while the
database does and few enough that who came first is served first; and waiting for systems outside, as many as of the
queue's jobs."""


async def run(
    context: Context,
    listener: Any,
    stop: asyncio.Event,
    lanes: Sequence[str] = queue.LANES,
    hands: int = HANDS,
) -> None:
    """Work until `stop` is set, then finish what is in hand. `listener`: a connection for the queue alone.

    A worker without the lane `queue.REST` leaves the sweep to one that has it. Of several that hear the same calls each
    takes the first that nobody else has; they need one of the `hands` each, as while one waits another works.
    """
    async with contextlib.AsyncExitStack() as ending:
        if queue.FIRST in lanes:
            heard = await ending.enter_async_context(queue.calls(listener))
            ending.push_async_callback(_Calls(context, heard, stop, hands).end)
        kept = [task for task in TIMETABLE if task.lane in lanes]
        tasks = [asyncio.create_task(_keep(context, task, stop)) for task in kept]
        try:
            await (_work(context, listener, stop) if queue.REST in lanes else queue.stay(listener, stop))
        finally:
            stop.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _Calls:
    """Those who deliver what is called out, from now until `stop`."""

    def __init__(self, context: Context, heard: queue.Heard, stop: asyncio.Event, hands: int) -> None:
        self._context, self._heard, self._stop = context, heard, stop
        self._neighbours = Neighbours(context.settings.data)
        self._asking: set[asyncio.Task[None]] = set()
        self._hands = [asyncio.create_task(self._hand()) for _ in range(hands)]

    async def end(self) -> None:
        """After `stop`: finish what is in hand; the sweep of the next worker finds what is not."""
        for _ in self._hands:
            self._heard.put_nowait(None)
        await asyncio.gather(*self._hands)
        await asyncio.gather(*self._asking)
        self._neighbours.close()

    async def _hand(self) -> None:
        """Begin one after the other; who must ask outside goes on beside it, so that nobody else waits for that."""
        while (called := await self._heard.get()) is not None and not self._stop.is_set():
            if len(self._asking) >= ASKING:
                await asyncio.wait(self._asking, return_when=asyncio.FIRST_COMPLETED)
            with _watched():
                if not self._neighbours.leave_me(called[1]):
                    continue
                delivery = await _lease(self._context, decider(called[0]), called[1], at_once=True)
                if delivery and not delivery.is_recorded():
                    task = asyncio.create_task(self._ask(delivery))
                    self._asking.add(task)
                    task.add_done_callback(self._asking.discard)

    async def _ask(self, delivery: Delivery) -> None:
        with _watched():
            await _go_on(self._context, delivery)


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """A mistake of ours ends nothing: the sweep finds the effect again, as when the database went away."""
    try:
        yield
    except Unavailable:
        return
    except Exception as bug:
        log.error("delivery failed", error=type(bug).__name__)


async def _work(context: Context, listener: Any, stop: asyncio.Event) -> None:
    """Take jobs from the queue until `stop`, then finish what is in hand."""
    pgq = queue.jobs(listener)

    async def effect(job: Job) -> None:
        institution_id, effect_id = queue.parted((job.payload or b"").decode())
        try:
            await deliver(context, institution_id, effect_id)
        except Unavailable:
            return  # the database went away: the sweep finds the effect again
        except Exception as bug:
            # A mistake of ours: the queue holds the job for a person to look at, and the sweep finds the effect
            # again. By its kind only: the queue keeps the error's words, which may be a person's (16.2.5).
            log.error("delivery failed", error=type(bug).__name__)
            raise DeliveryFailed(type(bug).__name__) from None

    pgq.entrypoint(queue.REST, concurrency_limit=0, on_failure="hold")(effect)

    async def end() -> None:
        await stop.wait()
        pgq.shutdown.set()

    ender = asyncio.create_task(end())
    try:
        await pgq.run(dequeue_timeout=timedelta(seconds=1), batch_size=10, max_concurrent_tasks=20)
    finally:
        ender.cancel()
        await asyncio.gather(ender, return_exceptions=True)


async def _keep(context: Context, task: Task, stop: asyncio.Event) -> None:
    """Run one task of the timetable again and again; an error is logged and does not end it."""
    while not stop.is_set():
        began = time.monotonic()
        try:
            await task.run(context)
        except Unavailable as problem:
            log.warning("task postponed", task=task.name, error=problem.code)
        except Exception as bug:
            log.error("task failed", task=task.name, error=type(bug).__name__, exc_info=True)
        wait = max(0.05, task.seconds - (time.monotonic() - began))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
