"""A training whose job nobody will do any more is told so, and the line goes on (A1-05, A3-37)."""

from backend.core.actor import everywhere, system
from backend.domains.models import trainings
from backend.flows.call_next_training import call_next_training, job_key
from backend.flows.context import Context
from backend.flows.train_model import GAVE_UP
from backend.outbox import effects


async def give_up_trainings(context: Context) -> int:
    """How many. Its job is a dead letter: sent again, it finds that its turn is over."""
    async with context.db.read(everywhere("trainings")) as tx:
        under_way = await trainings.open_everywhere(tx)
    given_up = 0
    for institution_id, training_id in under_way:
        async with context.db.begin(system(institution_id, "trainings")) as tx:
            run = await trainings.under_way(tx, training_id)
            if run is None:
                continue
            jobs = await effects.of_case(tx, run.id)
            if any(job.key == job_key(run) and job.status == "dead" for job in jobs):
                await trainings.give_up(tx, run, GAVE_UP)
                await call_next_training(tx)
                given_up += 1
    return given_up
