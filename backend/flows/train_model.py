"""The job of a training: in a process of its own, told of step by step, stopped when somebody cancels (A1-05, A3-37).

It is one piece of work that nobody can go on with in the middle: a worker's death begins it anew, at most
`MOST_ATTEMPTS` times.
"""

import asyncio
import time

import msgspec
import structlog

from backend.core import clock
from backend.core.actor import Actor, system
from backend.core.errors import Invalid, NotFound, Unavailable
from backend.domains.models import apart, trainings
from backend.domains.models.trainings import MOST_ATTEMPTS, Choices, Made, Order, Training
from backend.flows import call_next_training
from backend.flows.context import Context
from backend.flows.gather_training_cases import gather_training_cases
from backend.outbox.effects import Effect

log = structlog.get_logger("training")

KIND = call_next_training.KIND
SECONDS = 600.0
"""The job's time; the process ends before."""
PROCESS_SECONDS = 540
GAVE_UP = "系统试了几次都没有做完，可能是表太大；请少留一些列或行再试，还不行请找技术人员"
TOO_LONG = f"{PROCESS_SECONDS // 60} 分钟还没有训练完，请少留一些列或行再试"
TABLE_GONE = "上传的表已经删掉了，请重新上传"


async def train_model(context: Context, effect: Effect) -> None:
    """A job of a turn that is over does nothing."""
    actor, turn = system(effect.institution_id, "training"), effect.payload["turn"]
    assert isinstance(turn, int)
    async with context.db.begin(actor) as tx:
        run = await trainings.take(tx, effect.case_id, turn)
    if run is None:
        return
    made = Made(why=GAVE_UP) if run.attempts > MOST_ATTEMPTS else await _made(context, actor, run)
    if made is not None:
        async with context.db.begin(actor) as tx:
            await trainings.finish(tx, run, made)
            await call_next_training.call_next_training(tx)


async def _made(context: Context, actor: Actor, run: Training) -> Made | None:
    """None when somebody cancelled it. Raises `Unavailable` for what another attempt may mend."""
    began = time.monotonic()
    try:
        async with context.db.begin(actor) as tx:
            if not await trainings.tell(tx, run, "取数据"):
                return None
        table = await _table(context, actor, run)
        if table is None:
            return Made(why=TABLE_GONE)
        choices = msgspec.convert(run.choices, Choices)
        return await _trained(context, actor, run, Order(table, choices, clock.today().isoformat()))
    except (Invalid, NotFound) as problem:
        return Made(why=problem.text)
    except Unavailable:
        if time.monotonic() - began >= PROCESS_SECONDS:
            return Made(why=TOO_LONG)
        raise  # the job is delivered again, and counted
    except Exception as bug:
        log.error("training failed", run=run.id, error=type(bug).__name__, exc_info=True)
        return Made(why=GAVE_UP)


async def _table(context: Context, actor: Actor, run: Training) -> bytes | None:
    if run.source != "table":
        return await gather_training_cases(context, actor, run.source, run.county_name)
    async with context.db.read(actor) as tx:
        return await trainings.table(tx, run)


async def _trained(context: Context, actor: Actor, run: Training, order: Order) -> Made | None:
    steps: list[str] = []
    message = await asyncio.to_thread(msgspec.msgpack.encode, order)
    work = asyncio.create_task(
        apart.run("backend.domains.models.training.job", message, seconds=PROCESS_SECONDS, hear=steps.append)
    )
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=1.0)
            async with context.db.begin(actor) as tx:
                if not await trainings.tell(tx, run, steps[-1] if steps else "取数据"):
                    return None
        return await asyncio.to_thread(msgspec.msgpack.decode, await work, type=Made)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
