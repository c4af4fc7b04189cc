"""Start a training with what was chosen; the worker does it (A1-05, A3-37)."""

from backend.core.actor import Actor
from backend.domains.models import trainings
from backend.domains.models.trainings import Choices, Training
from backend.flows import train_model
from backend.flows.context import Context
from backend.outbox import effects


async def start_training(context: Context, actor: Actor, training_id: str, choices: Choices) -> Training:
    """Raises `TrainingMissing`, `TrainingMoved`, `TooManyTrainings`, `NotYourJob`."""
    async with context.db.begin(actor) as tx:
        run = await trainings.start(tx, training_id, choices)
        key = f"training:{run.id}:{run.turn}"
        await effects.add(tx, kind=train_model.KIND, case_id=run.id, payload={"turn": run.turn}, key=key)
    return run
