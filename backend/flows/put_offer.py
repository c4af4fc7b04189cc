"""把额度送到手机银行: deliver the effect `mobile_bank.offer` (A3-10, A5-05)."""

from backend.core import failpoints
from backend.core.actor import system
from backend.domains.applications import service as applications
from backend.domains.contracts import service as contracts
from backend.flows import describe_offer, withdraw_offer
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.outbox.effects import Effect

DELIVERED = failpoints.declare(
    "offer.delivered", "the mobile bank has the offer; its receipt is not kept yet"
)
GONE = ("cancelled", "expired")


async def put_offer(context: Context, effect: Effect) -> None:
    """The bank gets the same key on every attempt, so a repetition is the same offer. An offer that is gone by
    the time of the delivery is not sent, and one that went while it was being sent is withdrawn again."""
    actor = system(effect.institution_id, "mobile bank")
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, effect.case_id)
        contract = await contracts.get(tx, application.id)
        waiting = application.status == "handed_off"
        offer = await describe_offer.describe_offer(context, tx, application, contract) if waiting else None
    if offer is None:
        if application.status in GONE and effect.attempts > 1:  # an earlier attempt may have arrived
            await withdraw_offer.withdraw_offer(context, effect.case_id, "overtaken")
        return
    receipt = ""
    try:
        receipt = (await context.clients.mobile_bank.put_offer(offer, key=effect.key)).offer_no
    except OutsideRefused as refusal:
        # The customer came with the token and signed before this arrived; the callback will tell.
        if refusal.remote_code != "already_signed":
            raise
    failpoints.hit(DELIVERED)
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, effect.case_id, lock=True)
        if receipt:
            await contracts.set_offer(tx, contract, receipt)
        await applications.note(tx, application, "offer_delivered" if receipt else "offer_overtaken")
    if application.status in GONE:
        await withdraw_offer.withdraw_offer(context, effect.case_id, "overtaken")
