"""抽查问题的处理: what came of an automatic approval that was found wrong; not by who brought the case in (D2-07)."""

from backend.core.actor import Actor
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.reviews import rechecks
from backend.domains.reviews.model import RecheckYours
from backend.flows import own_case


async def settle_recheck(db: Database, actor: Actor, recheck_id: str, done: str) -> None:
    """Raises `RecheckMissing`, `RecheckYours`, `RecheckAnswered`, `FindingInvalid`."""
    async with db.begin(actor) as tx:
        recheck = await rechecks.get(tx, recheck_id)
        application = await applications.get(tx, recheck.application_id)
        if application.officer_id == actor.id or await own_case.own_case(tx, application):
            raise RecheckYours()
        await rechecks.settle(tx, recheck, done)
