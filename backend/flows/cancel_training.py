"""Cancel a training, under way or in the line, and let the next one begin (A1-05, A3-37)."""

from backend.core.actor import Actor
from backend.domains.models import trainings
from backend.flows.call_next_training import call_next_training
from backend.flows.context import Context


async def cancel_training(context: Context, actor: Actor, training_id: str) -> None:
    """Stops within a second or two; one that is over stays as it is. Raises `TrainingMissing`."""
    async with context.db.begin(actor) as tx:
        await trainings.cancel(tx, training_id)
        await call_next_training(tx)
