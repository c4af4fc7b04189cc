"""发移交令牌: a token for the customer of this application and nobody else (A3-10, trust §2)."""

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.handoff import service as handoff
from backend.domains.handoff import tokens
from backend.domains.handoff.model import Claims, NotHandedOff, Ticket, TooManyLinks
from backend.domains.identity import quota
from backend.flows.context import Context

AT_THE_BANK = ("handed_off", "signed", "drawn", "repaid")
LINKS = quota.Limit("handoff-link", 20, 600, TooManyLinks)


class Issued(msgspec.Struct, frozen=True):
    application: Application
    ticket: Ticket
    link: str


async def issue_token(context: Context, tx: Tx, application_id: str) -> Issued:
    """In the caller's transaction. Raises `NotHandedOff`, `OfferExpired`, `TooManyLinks`."""
    application = await applications.get(tx, application_id, lock=True)
    if application.status not in AT_THE_BANK or application.customer_id is None:
        raise NotHandedOff(label=application.label)
    contract_rules.require_standing(await contracts.get(tx, application.id), clock.today())
    await LINKS.take(tx, application.id)
    person = await customers.get(tx, application.customer_id)
    ticket = await handoff.issue_token(tx, application.id)
    claims = Claims(
        ticket_id=ticket.id,
        institution_id=application.institution_id,
        application_id=application.id,
        customer_hash=context.clients.mobile_bank.customer_hash(person.id_number),
    )
    token = tokens.sign(context.settings, claims, ticket.issued_at)
    return Issued(application, ticket, context.clients.mobile_bank.link(token))
