"""The first training of the line has its job, once none is under way (A1-05, A3-37)."""

from backend.db.database import Tx
from backend.domains.models import trainings
from backend.domains.models.trainings import Training
from backend.outbox import effects

KIND = "model.train"


async def call_next_training(tx: Tx) -> None:
    """Where one joins the line and where one ends, in the same transaction; called twice it is one job all the same."""
    run = await trainings.next_up(tx)
    if run is not None:
        await effects.add(tx, kind=KIND, case_id=run.id, payload={"turn": run.turn}, key=job_key(run))


def job_key(run: Training) -> str:
    return f"training:{run.id}:{run.turn}"
