"""出示明示表: what the customer must read before signing, with our own note of when it was shown (D2-09)."""

from datetime import datetime, timedelta

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Conflict
from backend.db.database import Tx
from backend.documents.disclosure import Disclosure
from backend.domains.applications import service as applications
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract, ShownTokenInvalid
from backend.domains.regulation import service as regulation
from backend.flows import draw_up_disclosure, require_guarantors
from backend.flows.context import Context


class NothingToDisclose(Conflict):
    code = "nothing_to_disclose"
    message = "这笔申请现在是“{label}”，没有要确认的明示表"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`shown_token` goes back with the confirmation; `wait_seconds` is left of the reading time now."""

    application_no: str
    product_name: str
    borrower: str
    lender: str
    method_label: str
    disclosure: Disclosure
    version: str
    sha256: str
    shown_token: str
    wait_seconds: int
    confirmed_at: datetime | None


async def show_disclosure(
    context: Context, actor: Actor, application_id: str, *, shown_token: str = ""
) -> Shown:
    """Writes nothing. With the `shown_token` of an earlier showing its time goes on counting.

    Raises `NothingToDisclose`, `OfferExpired`, `ContractMissing`, `GuaranteeOutstanding`.
    """
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, application_id)
        if application.status not in ("approved", "handed_off"):
            raise NothingToDisclose(label=application.label)
        contract = await contracts.get(tx, application_id)
        contract_rules.require_standing(contract, clock.today())
        await require_guarantors.require_guarantors(tx, contract)
        confirmation = await contracts.confirmation(tx, contract)
        drawn = await draw_up_disclosure.draw_up_disclosure(tx, contract)
        seconds = await reading_seconds(tx)
    table = drawn.disclosure
    token, shown_at = _shown_since(context, contract, table.sha256, shown_token)
    left = 0 if confirmation else seconds_left(shown_at, clock.now(), seconds)
    return Shown(
        application_no=application.application_no,
        product_name=contract.product_name,
        borrower=table.borrower,
        lender=table.lender,
        method_label=table.method_label,
        disclosure=table,
        version=table.version,
        sha256=table.sha256,
        shown_token=token,
        wait_seconds=left,
        confirmed_at=confirmation.confirmed_at if confirmation else None,
    )


async def reading_seconds(tx: Tx) -> int:
    """The forced reading time in force today; 0 before the rule takes effect."""
    rules = await regulation.in_force(tx, clock.today())
    return rules.count("disclosure.reading_seconds") if rules.flag("disclosure.required") else 0


def seconds_left(shown_at: datetime, now: datetime, seconds: int) -> int:
    """Whole seconds, rounded up."""
    left = shown_at + timedelta(seconds=seconds) - now
    return max(0, -(-left // timedelta(seconds=1)))


def _shown_since(context: Context, contract: Contract, sha256: str, token: str) -> tuple[str, datetime]:
    secret = context.settings.session_secret
    if token:
        try:
            hash_then, shown_at = contract_rules.read_shown_token(secret, contract, token, clock.now())
        except ShownTokenInvalid:
            hash_then = ""
        if hash_then == sha256:
            return token, shown_at
    now = clock.now()
    return contract_rules.shown_token(secret, contract, sha256, now), now
