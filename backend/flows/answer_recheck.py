"""抽查意见: a reviewer says of an automatic approval whether it was right; a wrong one becomes a task (D2-07)."""

from backend.core.actor import Actor
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.identity.model import NotYours
from backend.domains.reviews import rechecks
from backend.domains.reviews.model import RecheckYours
from backend.flows import own_case


async def answer_recheck(db: Database, actor: Actor, recheck_id: str, finding: str, why: str) -> None:
    """The loan stays as it is, whatever is found.

    Raises `NotYours`, `RecheckMissing`, `RecheckYours`, `RecheckAnswered`, `FindingInvalid`.
    """
    if not actor.has("reviewer"):
        raise NotYours()
    async with db.begin(actor) as tx:
        recheck = await rechecks.get(tx, recheck_id)
        application = await applications.get(tx, recheck.application_id)
        if application.officer_id == actor.id or await own_case.own_case(tx, application):
            raise RecheckYours()
        await rechecks.find(tx, recheck, finding, why)
