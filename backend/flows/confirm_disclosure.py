"""确认明示表: only after the reading time, measured by us, and only the very table that stands (D2-09)."""

from datetime import timedelta

from backend.core import clock, failpoints
from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract, DisclosureChanged, ReadTooFast
from backend.flows import draw_up_disclosure, require_guarantors, show_disclosure
from backend.flows.context import Context
from backend.outbox import effects

HAND_OFF = "application.hand_off"
CONFIRMED = failpoints.declare("disclosure.confirmed", "the 明示表 is confirmed; nothing is handed off yet")

_GRACE = timedelta(seconds=5)
"""The page itself goes on to the hand-off; the effect does it when the page did not get that far."""


async def confirm_disclosure(
    context: Context, actor: Actor, application_id: str, shown_token: str, version: str
) -> Contract:
    """Confirmed twice, the first time counts.

    Raises `ReadTooFast`, `DisclosureChanged`, `ShownTokenInvalid`, `NothingToDisclose`, `OfferExpired`,
    `GuaranteeOutstanding`.
    """
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        contract = await contracts.get(tx, application_id, lock=True)
        if await contracts.confirmation(tx, contract):
            return contract
        if application.status != "approved":
            raise show_disclosure.NothingToDisclose(label=application.label)
        contract_rules.require_standing(contract, clock.today())
        await require_guarantors.require_guarantors(tx, contract)
        secret = context.settings.session_secret
        sha256, shown_at = contract_rules.read_shown_token(secret, contract, shown_token, tx.now)
        drawn = await draw_up_disclosure.draw_up_disclosure(tx, contract)
        if (sha256, version) != (drawn.disclosure.sha256, drawn.disclosure.version):
            raise DisclosureChanged()
        seconds = await show_disclosure.reading_seconds(tx)
        left = show_disclosure.seconds_left(shown_at, tx.now, seconds)
        if left:
            raise ReadTooFast(seconds_left=left)
        await contracts.confirm(
            tx, contract, version=version, sha256=sha256, shown_at=shown_at, required_seconds=seconds
        )
        await applications.note(tx, application, "disclosure_confirmed", sha256[:16])
        key = f"hand_off:{application.id}"
        await effects.add(tx, kind=HAND_OFF, case_id=application.id, key=key, payload={}, delay=_GRACE)
    failpoints.hit(CONFIRMED)
    return contract
