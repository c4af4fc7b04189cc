"""A batch of scores against the sample its model was trained on: PSI of the score, CSI of what it reads (D1-05, A3-37).

The same rule of sample sizes, the same register of figures and alarms as for models that decide (trust.md §3): what
moved has an owner, the model's, and stays until somebody answers it.
"""

from collections.abc import Callable, Mapping, Sequence

from backend.core.actor import Actor
from backend.db.database import Database
from backend.domains.models import monitors, watching
from backend.domains.models.model import BatchUnwatched, Result

Counted = Callable[[Mapping[str, Sequence[float]]], Mapping[str, list[int]]]
"""From edges by column ('' the score) to counts between them."""


async def watch_batch(db: Database, actor: Actor, artefact: str, count: Counted) -> list[Result]:
    """Counts, keeps the day's figures under the union's number and raises alarms; a second batch of the same day
    replaces the first. Raises `BatchUnwatched` for a model that is not registered and tested."""
    async with db.read(actor) as tx:
        model = await watching.tested(tx, artefact)
    if model is None:
        raise BatchUnwatched()
    known = {"": model.reference["score"], **model.reference.get("features", {})}
    found = count({name: each["edges"] for name, each in known.items()})
    results = [
        monitors.psi(artefact, "csi" if name else "psi", name, known[name]["counts"], found[name])
        for name in known
        if name in found
    ]
    async with db.begin(actor) as tx:
        await watching.keep(tx, tx.now.date(), results, model.owner)
    return results
