"""收回手机银行的额度: the one way an offer is taken back there, whoever wants it (A3-08, A5-05)."""

from backend.flows.context import Context
from backend.integrations.http import OutsideRefused


async def withdraw_offer(context: Context, application_id: str, reason: str) -> None:
    """Once per application, by whomever and however often it is asked: customer, expiry and a delivery that was
    overtaken share one key. An offer the bank never had needs no withdrawal.

    Raises `OutsideRefused` with the bank's `already_signed`; Unavailable when the bank cannot be reached.
    """
    try:
        await context.clients.mobile_bank.withdraw(
            application_id, reason=reason, key=f"withdraw:{application_id}"
        )
    except OutsideRefused as refusal:
        # A key used with another reason: it has been withdrawn for that one.
        if refusal.remote_code not in {"offer_not_found", "idempotency_key_reused"}:
            raise
