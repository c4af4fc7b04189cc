"""请保证人: a link that the borrower passes on, good for one person, for some days, until it is taken back (A1-08)."""

import base64
import hmac
from datetime import datetime, time, timedelta

from backend.core import clock, money
from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationMoved
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee
from backend.domains.products import service as products
from backend.domains.regulation import service as regulation
from backend.flows.context import Context
from backend.settings import Settings

ASKED = "guarantor_asked"


class ShareConsentMissing(Invalid):
    """Who opens the link learns that somebody borrows: that takes the borrower's own consent (D3-02)."""

    code = "share_consent_missing"
    message = "要先勾选同意，保证人才能看到为谁、保多少"


async def ask_guarantor(context: Context, actor: Actor, application_id: str, version: str) -> Guarantee:
    """`version` is of the consent text whose box was ticked.

    Raises `ShareConsentMissing`, `NoMoreWanted`, `ApplicationMoved`, `OfferExpired`, `ContractMissing`.
    """
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        if application.status != "approved" or application.customer_id is None:
            raise ApplicationMoved(label=application.label)
        contract = await contracts.get(tx, application.id)
        contract_rules.require_standing(contract, clock.today())
        text = await consents.text(tx, Purpose.GUARANTOR_SHARE)
        if version != str(text.version):
            raise ShareConsentMissing(fields={"consent_guarantor_share": ShareConsentMissing.message})
        await consents.give(tx, application.customer_id, text.purpose, text_sha256=text.sha256, channel="h5")
        return await _invite(context.settings, tx, application, contract)


async def _invite(settings: Settings, tx: Tx, application: Application, contract: Contract) -> Guarantee:
    rules = await regulation.in_force(tx, clock.today())
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    line_until, guarantee_id = contract_rules.line_until(contract), guarantees.new_id()
    # A loan of the line's last day runs on for as long as the line did, and can be called for some months more.
    months = contract.term_months + rules.count("guarantee.period_months")
    last = datetime.combine(contract.valid_until + timedelta(days=1), time(), tzinfo=clock.LOCAL)
    made = await guarantees.invite(
        tx,
        guarantee_id=guarantee_id,
        token=token(settings, application.institution_id, guarantee_id),
        application_id=application.id,
        borrower_id=contract.customer_id,
        amount_fen=contract.limit_fen,
        line_until=line_until,
        until_on=money.add_months(line_until, months),
        expires_at=min(tx.now + timedelta(hours=rules.count("guarantee.link_hours")), last),
        wanted=product.terms.guarantors,
    )
    await applications.note(tx, application, ASKED)
    return made


def token(settings: Settings, institution_id: str, guarantee_id: str) -> str:
    """What the link carries. It is made of our secret, so that the borrower's page can show it again although the
    database holds only its hash."""
    text = f"guarantee link\x00{institution_id}\x00{guarantee_id}"
    digest = hmac.digest(settings.session_secret.encode(), text.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def link(settings: Settings, guarantee: Guarantee) -> str:
    found = token(settings, guarantee.institution_id, guarantee.id)
    return f"{settings.public_base.rstrip('/')}/g/{guarantee.institution_id}/{found}"
