"""The consent centre (授权): give, withdraw, and the question every outside query asks first.

Rows D3-01 to D3-04 and D3-09. One consent per purpose and recipient, bound to the hash of the words shown.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from backend.core import clock, ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers import consent_texts, repository
from backend.domains.customers.consent_texts import ConsentText, Purpose
from backend.domains.customers.model import Consent, ConsentMissing, ConsentTextChanged
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution
from backend.domains.regulation import service as regulation

ROAD = (
    Purpose.PERSONAL_INFO,
    Purpose.IDENTITY_CHECK,
    Purpose.DATA_PLATFORM,
    Purpose.BUSINESS_DATA,
    Purpose.BUREAU_QUERY,
    Purpose.MARKETING,
)
"""In the order of the consent page. The face has a screen of its own (D3-04, D3-13)."""

GUARANTOR = (
    Purpose.GUARANTEE_INFO,
    Purpose.IDENTITY_CHECK,
    Purpose.GUARANTEE_BUREAU,
    Purpose.GUARANTEE_RESULT,
)
"""What somebody who answers for another's line is asked, each for itself (A1-08); the face has its own screen."""

OPTIONAL = frozenset({Purpose.BUSINESS_DATA})
"""Asked only where a product's strategies look at what these consents open, and never required (D3-01, D3-12)."""


async def text(tx: Tx, purpose: Purpose) -> ConsentText:
    """The current text, naming the institution of the transaction."""
    return consent_texts.current(purpose, await _institution(tx))


async def road(tx: Tx, *, also: Collection[str] = ()) -> tuple[ConsentText, ...]:
    """The texts of the consent page, in order. `also`: purposes of `OPTIONAL` that the product's sources need."""
    institution = await _institution(tx)
    asked = [p for p in ROAD if p not in OPTIONAL or p in also]
    return tuple(consent_texts.current(p, institution) for p in asked)


async def guarantor(tx: Tx) -> tuple[ConsentText, ...]:
    """The texts of a guarantor's consent page, in order."""
    institution = await _institution(tx)
    return tuple(consent_texts.current(purpose, institution) for purpose in GUARANTOR)


async def give(
    tx: Tx,
    customer_id: str,
    purpose: Purpose,
    *,
    text_sha256: str,
    channel: str,
    given_at: datetime | None = None,
) -> str:
    """Record that a person agreed to exactly the text with this hash; returns the consent's id.

    `given_at` when the tick was made before the person was known (on the capture page). Raises
    `ConsentTextChanged` when the text shown is no longer the current one. Agreeing again on the same day to
    the same text returns the consent that stands.
    """
    shown = await text(tx, purpose)
    if shown.sha256 != text_sha256:
        raise ConsentTextChanged()
    today = clock.today()
    valid_until = None
    if shown.valid_days_key:
        in_force = await regulation.in_force(tx, today)
        valid_until = today + timedelta(days=in_force.count(shown.valid_days_key))
    standing = await repository.standing_consent(tx, customer_id, purpose, shown.recipient, today)
    if standing is not None and (standing.text_sha256, standing.valid_until) == (text_sha256, valid_until):
        return standing.id
    consent_id = ids.new()
    consent = Consent(
        id=consent_id,
        purpose=purpose,
        recipient=shown.recipient,
        version=shown.version,
        text_sha256=text_sha256,
        channel=channel,
        given_at=min(given_at or tx.now, tx.now),
        valid_until=valid_until,
        withdrawn_at=None,
    )
    await repository.give_consent(tx, customer_id, consent, shown.source)
    audit.add(tx, "consent.given", customer_id, purpose=purpose, version=shown.version, consent=consent_id)
    return consent_id


async def withdraw(tx: Tx, customer_id: str, purpose: Purpose) -> bool:
    """As easy as giving; True when something was withdrawn. Takes effect with the commit."""
    ended = await repository.withdraw_consents(tx, customer_id, purpose)
    if ended:
        audit.add(tx, "consent.withdrawn", customer_id, purpose=purpose)
    return bool(ended)


async def require(tx: Tx, customer_id: str, purpose: Purpose, recipient: str, on: date) -> str:
    """The id of the consent that covers asking `recipient` on a day; it goes with the query (D3-09).

    Raises `ConsentMissing`.
    """
    found = await repository.standing_consent(tx, customer_id, purpose, recipient, on)
    if found is None:
        raise ConsentMissing(purpose=purpose)
    return found.id


async def missing(tx: Tx, customer_id: str) -> tuple[Purpose, ...]:
    """Required purposes of the road which the person has not agreed to, or no longer."""
    today = clock.today()
    standing = {
        (each.purpose, each.recipient) for each in await given(tx, customer_id) if _covers(each, today)
    }
    return tuple(
        shown.purpose
        for shown in await road(tx)
        if shown.required and (shown.purpose, shown.recipient) not in standing
    )


def _covers(consent: Consent, on: date) -> bool:
    """As the query `standing_consent` says it."""
    return (
        consent.withdrawn_at is None
        and clock.local(consent.given_at).date() <= on
        and (consent.valid_until is None or on <= consent.valid_until)
    )


async def given(tx: Tx, customer_id: str) -> list[Consent]:
    """Everything a person ever agreed to, newest first."""
    return await repository.consents_of(tx, customer_id)


async def text_of(tx: Tx, consent: Consent) -> ConsentText:
    """The very words a person agreed to, for the contract package and the consent centre."""
    return consent_texts.parse(await repository.consent_text(tx, consent.text_sha256))


async def _institution(tx: Tx) -> Institution:
    return await institutions.get(tx, tx.institution_id)
