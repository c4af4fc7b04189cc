"""撤销申请: the customer does not want it any more; as easy as applying (A3-08)."""

from backend.core import failpoints
from backend.core.actor import Actor
from backend.core.errors import Conflict
from backend.domains.applications import service as applications
from backend.domains.applications.model import APPLICATION, Application
from backend.domains.contracts import service as contracts
from backend.domains.reviews import service as reviews
from backend.flows import end_guarantees, notify, turn_away, withdraw_offer
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused

WITHDRAWN = failpoints.declare("cancel.withdrawn", "the bank withdrew the offer; the case still stands")


class AlreadySigned(Conflict):
    code = "already_signed"
    message = "合同已经在手机银行签了，要撤销请在手机银行里办"


async def cancel_application(context: Context, actor: Actor, application_id: str) -> Application:
    """held, referred, approved, handed_off → cancelled; a draft is abandoned and forgotten. Twice is fine.

    Raises `AlreadySigned`, `ForbiddenMove`; Unavailable when the offer cannot be withdrawn at the bank now.
    """
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, application_id)
    if application.status in ("cancelled", "abandoned"):
        return application
    if application.status == "draft":
        await turn_away.turn_away(context, actor, application_id, "customer")
        async with context.db.read(actor) as tx:
            return await applications.get(tx, application_id)
    if application.status == "handed_off":
        await _withdraw(context, application)
        failpoints.hit(WITHDRAWN)
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        if application.status in ("cancelled", "abandoned"):
            return application
        if application.status in ("signed", "drawn"):
            raise AlreadySigned()
        APPLICATION.check(application.status, "cancelled")
        contract = await contracts.of_application(tx, application_id)
        if contract is not None:
            await contracts.move(tx, contract, "void", "cancelled")
        await reviews.close(tx, application_id)
        await end_guarantees.end_guarantees(tx, application)
        cancelled = await applications.move(tx, application, "cancelled", "cancelled", "customer")
        await notify.announce(tx, cancelled)
        return cancelled


async def _withdraw(context: Context, application: Application) -> None:
    try:
        await withdraw_offer.withdraw_offer(context, application.id, "customer")
    except OutsideRefused as refusal:
        if refusal.remote_code == "already_signed":
            raise AlreadySigned() from refusal
        raise
