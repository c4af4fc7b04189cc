"""One job of a trial: a share of its chunks, and the next job if there is more."""

from backend.core.actor import system
from backend.domains.trials import service as trials
from backend.domains.trials.model import RUN
from backend.flows import run_trial
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

KIND = "trial.step"
STEP_SECONDS = 35.0
"""A job's share: well below what a handler may take."""


async def step_trial(context: Context, effect: Effect) -> None:
    """In one process, so that customers are not kept waiting by it."""
    actor = system(effect.institution_id, "trial")
    async with context.db.read(actor) as tx:
        if (await trials.get(tx, effect.case_id)).status in RUN.final:
            return
    run = await run_trial.run_trial(context, actor, effect.case_id, workers=1, seconds=STEP_SECONDS)
    if run.status == "running":
        async with context.db.begin(actor) as tx:
            key = f"trial:{run.id}:{run.cursor}"
            await effects.add(tx, kind=KIND, case_id=run.id, payload={}, key=key)
