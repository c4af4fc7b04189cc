"""兑换移交令牌: the mobile bank opens an application with the token or code its customer brought (A5-05).

The bank says who is logged in there; only the person the application belongs to gets it. The ticket is burned
in the transaction that answers, so of a hundred at once one succeeds.
"""

from backend.core import clock
from backend.core.actor import Actor, everywhere
from backend.core.errors import Invalid
from backend.domains.applications import service as applications
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.handoff import service as handoff
from backend.domains.handoff import tokens
from backend.domains.handoff.model import OtherCustomer, TokenUnknown, TooManyTries
from backend.domains.identity import quota
from backend.flows import describe_offer
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Offer

CODES = quota.Limit("handoff-code", 5, 600, TooManyTries)
"""Codes one logged-in customer may try in ten minutes, right or wrong."""


class OneOfTwo(Invalid):
    code = "token_or_code"
    message = "要么给令牌，要么给移交码"


async def redeem_hand_off(
    context: Context, *, customer_hash: str, token: str = "", short_code: str = ""
) -> Offer:
    """The contract package. Raises `TokenUnknown`, `CodeUnknown`, `TokenExpired`, `AlreadyRedeemed`,
    `OtherCustomer`, `TooManyTries`, `OfferGone`."""
    if bool(token) == bool(short_code):
        raise OneOfTwo()
    if token:
        claims = tokens.read(context.settings, token, clock.now())
        if claims.customer_hash != customer_hash:
            raise OtherCustomer()
        return await _open(
            context, claims.institution_id, claims.ticket_id, customer_hash, claims.application_id
        )
    async with context.db.begin(everywhere("mobile bank")) as tx:
        await CODES.take(tx, customer_hash[:32])
    async with context.db.read(everywhere("mobile bank")) as tx:
        ticket = await handoff.find_by_code(tx, short_code)
    if not await _is_for(context, ticket.institution_id, ticket.application_id, customer_hash):
        async with context.db.begin(_bank(ticket.institution_id)) as tx:
            await handoff.count_try(tx, ticket)
        raise OtherCustomer()
    return await _open(context, ticket.institution_id, ticket.id, customer_hash)


async def _open(
    context: Context, institution_id: str, ticket_id: str, customer_hash: str, application_id: str = ""
) -> Offer:
    """`application_id`: the one the token names; empty for a code, which names none."""
    async with context.db.begin(_bank(institution_id)) as tx:
        ticket = await handoff.burn(tx, ticket_id)
        if application_id not in ("", ticket.application_id):
            raise TokenUnknown()
        application = await applications.get(tx, ticket.application_id, lock=True)
        contract = await contracts.get(tx, application.id)
        offer = await describe_offer.describe_offer(context, tx, application, contract)
        if offer.customer_hash != customer_hash:
            raise TokenUnknown()  # a genuine token says for whom it is; this can only be a mistake of ours
        await applications.note(tx, application, "redeemed", ticket.id)
        return offer


async def _is_for(context: Context, institution_id: str, application_id: str, customer_hash: str) -> bool:
    async with context.db.read(_bank(institution_id)) as tx:
        application = await applications.get(tx, application_id)
        assert application.customer_id is not None
        person = await customers.get(tx, application.customer_id)
    return context.clients.mobile_bank.customer_hash(person.id_number) == customer_hash


def _bank(institution_id: str) -> Actor:
    return Actor(kind="partner", id="mobile-bank", institution_id=institution_id, name="手机银行")
