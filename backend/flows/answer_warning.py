"""处理预警: who looks after the line says what was done and found; a cleared one lets money go out again (A6-06)."""

from backend.core.actor import Actor
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.post_loan import warnings
from backend.domains.post_loan.model import WarningMissing
from backend.flows import own_case


async def answer_warning(
    db: Database, actor: Actor, warning_id: str, finding: str, done: str, observed: str = ""
) -> None:
    """`finding`: one of `warnings.FINDINGS`; `observed`: one of `OBSERVED` or empty.

    Raises `WarningMissing`, also for a colleague's and for one's own debt; `WarningAnswered`, `FreezeNotYours`,
    `AnswerInvalid`.
    """
    async with db.begin(actor) as tx:
        warning = await warnings.get(tx, warning_id)
        application = await applications.get(tx, warning.application_id, lock=True)
        mine = actor.has(*warnings.LIFTERS) or warning.owner_id == actor.id
        if not mine or await own_case.own_case(tx, application):
            raise WarningMissing()
        answered = await warnings.answer(tx, warning, finding, done, observed)
        await applications.note(tx, application, f"warning_{answered.status}", warning.id)
