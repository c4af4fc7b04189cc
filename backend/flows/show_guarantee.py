"""出示担保内容: who asks, for how much and how long, and what it means; with our own note of when it was shown."""

from datetime import datetime

import msgspec

from backend.core import clock, masking
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts.model import Contract, ShownTokenInvalid
from backend.domains.customers import service as customers
from backend.domains.guarantees import terms as guarantee_terms
from backend.domains.guarantees.terms import Terms
from backend.domains.institutions import service as institutions
from backend.domains.regulation import service as regulation
from backend.flows import show_disclosure
from backend.flows.context import Context
from backend.flows.require_guarantee import Standing, require_guarantee
from backend.settings import Settings


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`borrower` is masked. `shown_token` goes back with the confirmation; `wait_seconds` is left of the reading."""

    borrower: str
    standing: Standing
    terms: Terms
    shown_token: str
    wait_seconds: int


async def show_guarantee(context: Context, actor: Actor, session_id: str, *, shown_token: str = "") -> Shown:
    """Writes nothing. With the token of an earlier showing its time goes on counting. Raises `LinkGone`,
    `GuaranteeMoved`, `OfferExpired`."""
    async with context.db.read(actor) as tx:
        standing = await require_guarantee(tx, session_id, "confirm")
        terms = await words(tx, standing)
        borrower = await asker(tx, standing)
        seconds = await show_disclosure.reading_seconds(tx)
    token, shown_at = _since(context.settings, standing.contract, _about(standing, terms), shown_token)
    left = show_disclosure.seconds_left(shown_at, clock.now(), seconds)
    return Shown(borrower=borrower, standing=standing, terms=terms, shown_token=token, wait_seconds=left)


async def asker(tx: Tx, standing: Standing) -> str:
    """The borrower as whoever holds the link may know them (D3-15)."""
    return masking.name((await customers.get(tx, standing.guarantee.borrower_id)).name)


async def words(tx: Tx, standing: Standing) -> Terms:
    """The promise, filled in: the same words on every drawing of one guarantee."""
    guarantee, contract = standing.guarantee, standing.contract
    institution = await institutions.get(tx, tx.institution_id)
    rules = await regulation.in_force(tx, contract.agreed_on)
    return guarantee_terms.fill(
        {
            "borrower": await asker(tx, standing),
            "application_no": standing.application.application_no,
            "lender": institution.name,
            "phone": institution.service_phone,
            "amount": f"{guarantee.amount_fen // 100:,}",
            "months": str(contract.term_months),
            "line_until": f"{guarantee.line_until:%Y 年 %-m 月 %-d 日}",
            "until_on": f"{guarantee.until_on:%Y 年 %-m 月 %-d 日}",
            "period_months": str(rules.count("guarantee.period_months")),
        }
    )


def read_since(settings: Settings, standing: Standing, terms: Terms, token: str, now: datetime) -> datetime:
    """When these very words were first shown for this guarantee. Raises `ShownTokenInvalid`."""
    about, shown_at = contract_rules.read_shown_token(settings.session_secret, standing.contract, token, now)
    if about != _about(standing, terms):
        raise ShownTokenInvalid()
    return shown_at


def _about(standing: Standing, terms: Terms) -> str:
    """Bound to the guarantee: two guarantors of one case do not read for each other."""
    return f"{standing.guarantee.id}:{terms.sha256}"


def _since(settings: Settings, contract: Contract, about: str, token: str) -> tuple[str, datetime]:
    secret, now = settings.session_secret, clock.now()
    if token:
        try:
            then, shown_at = contract_rules.read_shown_token(secret, contract, token, now)
        except ShownTokenInvalid:
            then = ""
        if then == about:
            return token, shown_at
    return contract_rules.shown_token(secret, contract, about, now), now
