"""Uploaded tables whose time is over are deleted (D3-01: no longer than the purpose needs)."""

from backend.core.actor import everywhere, system
from backend.domains.models import trainings
from backend.flows.context import Context


async def forget_training_tables(context: Context) -> int:
    """How many. One that is being trained on is gone, too: the training has read it."""
    async with context.db.read(everywhere("training tables")) as tx:
        found = await trainings.to_forget_everywhere(tx, tx.now)
    for institution_id, training_id in found:
        async with context.db.begin(system(institution_id, "training tables")) as tx:
            await trainings.forget_table(tx, training_id)
    return len(found)
