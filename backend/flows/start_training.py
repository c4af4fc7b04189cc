"""Put a training in the line with what was chosen; the worker does one after the other (A1-05, A3-37)."""

from backend.core.actor import Actor
from backend.domains.models import trainings
from backend.domains.models.trainings import Choices, Training
from backend.flows.call_next_training import call_next_training
from backend.flows.context import Context


async def start_training(context: Context, actor: Actor, training_id: str, choices: Choices) -> Training:
    """Raises `TrainingMissing`, `TrainingMoved`, `TooManyTrainings`, `NotYourJob`."""
    async with context.db.begin(actor) as tx:
        run = await trainings.start(tx, training_id, choices)
        await call_next_training(tx)
    return run
