"""匿名: nobody is known to us for longer than was promised, nor a borrower for longer than the law says (D3-06, D7).

Of a person three things stay: a row that names nobody, that they agreed to what they agreed to, and for each consent
to a bureau query a proof of whose it was (`gave`), which answers whoever brings the ID number and finds nobody.
"""

import hmac
from datetime import datetime, time

import msgspec

from backend.core import clock, ids, money
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers import repository
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.repository import Q
from backend.domains.regulation import service as regulation

PROVED = (Purpose.BUREAU_QUERY, Purpose.GUARANTEE_BUREAU)
"""A question nobody allowed is an offence (D3-09, D3-11): these must be provable for years."""


class Erasures(msgspec.Struct, frozen=True):
    """How many people of an institution were made anonymous, and when the last one was."""

    people: int
    last_at: datetime | None


class Looked(msgspec.Struct, frozen=True):
    """Somebody whose last word is older than the promised time; `due` when nothing keeps them."""

    institution_id: str
    customer_id: str
    due: bool


async def page(tx: Tx, after: Looked | None, before: datetime, most: int) -> list[Looked]:
    """Behind `after` in the order of keys; needs a union-wide reader."""
    institution_id, customer_id = (after.institution_id, after.customer_id) if after else ("", ids.FIRST)
    law = await lawful_end(tx)
    rows = await Q.due_page(
        tx, after_institution=institution_id, after=customer_id, before=before, law=law, most=most
    )
    return [Looked(*row) for row in rows]


async def kept_by(tx: Tx, customer_id: str, before: datetime) -> str | None:
    """What keeps a person from being forgotten, held until the transaction ends; None for nothing."""
    await Q.lock(tx, institution_id=tx.institution_id, id=customer_id)
    return await seen_to_keep(tx, customer_id, before)


async def seen_to_keep(tx: Tx, customer_id: str, before: datetime) -> str | None:
    """As `kept_by`, for a page: nothing is held."""
    law = await lawful_end(tx)
    found: str | None = await Q.kept_by(
        tx, institution_id=tx.institution_id, id=customer_id, before=before, law=law
    )
    return found


async def lawful_end(tx: Tx) -> datetime:
    """Whose line and loans ended before this moment has been kept for as long as the law says: of two rules the
    longer wins."""
    today = clock.today()
    rules = await regulation.in_force(tx, today)
    months = max(rules.count(key) for key in ("retention.identity_months", "retention.transactions_months"))
    return datetime.combine(money.add_months(today, -months), time(), tzinfo=clock.LOCAL)


async def accounts_of(tx: Tx, customer_id: str) -> list[str]:
    """WeChat accounts that spoke for this person and speak for nobody else now."""
    rows = await Q.accounts_of(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return [row["openid"] for row in rows]


async def erase(tx: Tx, customer_id: str) -> None:
    """Nothing names this person any more, here and in what was closed for ever of their cases. The caller has locked
    them and knows that nothing keeps them (`kept_by`)."""
    mine = {"institution_id": tx.institution_id}
    person = await repository.get(tx, customer_id)
    assert person is not None, "the caller holds the row"
    for consent in await repository.consents_of(tx, customer_id):
        if consent.purpose in PROVED:
            proof = _proof(tx, consent.id, person.id_number)
            await Q.prove_consent(tx, **mine, consent_id=consent.id, person=proof)
    await Q.end_consents(tx, **mine, customer_id=customer_id, today=clock.today(), now=tx.now)
    await Q.forget_freezes(tx, **mine, customer_id=customer_id)
    await Q.forget_bindings(tx, **mine, customer_id=customer_id)
    await Q.erase(tx, **mine, id=customer_id, now=tx.now)
    await Q.empty_closed(tx, **mine, id=customer_id)
    audit.add(tx, "customer.erased", customer_id)


async def gave(tx: Tx, consent_id: str, id_number: str) -> bool:
    """Whether a consent of somebody forgotten was given by who carries this ID number."""
    kept = await Q.consent_proof(tx, institution_id=tx.institution_id, consent_id=consent_id)
    return kept is not None and hmac.compare_digest(bytes(kept), _proof(tx, consent_id, id_number))


async def erasures(tx: Tx) -> Erasures:
    return Erasures(*await Q.erasures(tx, institution_id=tx.institution_id))


def _proof(tx: Tx, consent_id: str, id_number: str) -> bytes:
    return tx.vault.blind("consent", f"{consent_id}\x00{id_number}")
