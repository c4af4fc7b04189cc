"""退回: which version comes back, and who may bring it.

A county's older overlay may be looser than the one that ends, so whoever wrote in it does not bring it back: with the
approval it had, two people want it now as then. It stays one act. Head office, whose floor everybody reads, does it in
one act of any of its writers, with the reason shown to colleagues. One whose time is over comes back by nobody: it was
approved until then. One whose time is not over keeps its end, for two people agreed to it and one brings it back.
"""

from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.decision.model import Stage
from backend.domains.strategies import ending, repository
from backend.domains.strategies.model import UNION, Version


async def find(
    tx: Tx, owner: str, product_code: str, stage: Stage, to_version: str | None = None
) -> Version | None:
    """The version that was live before, or `to_version` held to the end of the transaction; None: nothing to go back
    to."""
    if to_version is None:
        return await repository.last_retired(tx, owner, product_code, stage)
    found = await repository.lock(tx, owner, to_version)
    if found is None or (found.product_code, found.stage) != (product_code, stage):
        return None
    return found if found.status == "retired" and not ending.over(found, tx.now) else None


def allowed(actor: Actor, version: Version) -> bool:
    """Whether this person, who may write here, may bring back this version."""
    return version.institution_id == UNION or (actor.kind == "staff" and str(actor) not in version.authors)
