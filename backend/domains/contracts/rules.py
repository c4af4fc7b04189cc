"""Proof that the 明示表 was shown, and the plan behind it; no database."""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta

import msgspec

from backend.core import money
from backend.domains.contracts.model import Contract, OfferExpired, ShownTokenInvalid
from backend.domains.products import rules as product_rules
from backend.domains.products.model import Terms

SHOWN_LIFE = timedelta(hours=12)


class _Shown(msgspec.Struct, frozen=True):
    contract_id: str
    sha256: str
    shown_ms: int


def shown_token(secret: str, contract: Contract, sha256: str, shown_at: datetime) -> str:
    """Our own signed note of what was shown when; the page sends it back, so showing writes nothing."""
    note = _Shown(contract.id, sha256, int(shown_at.timestamp() * 1000))
    body = base64.urlsafe_b64encode(msgspec.json.encode(note)).decode().rstrip("=")
    return f"{body}.{_seal(secret, body)}"


def read_shown_token(secret: str, contract: Contract, token: str, now: datetime) -> tuple[str, datetime]:
    """(hash of what was shown, when). Raises `ShownTokenInvalid` for anything not ours, not this contract's,
    from the future or too old."""
    body, _, seal = token.partition(".")
    if not hmac.compare_digest(_seal(secret, body).encode(), seal.encode()):
        raise ShownTokenInvalid()
    try:
        padded = body + "=" * (-len(body) % 4)
        note = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Shown)
    except (binascii.Error, msgspec.DecodeError) as cause:
        raise ShownTokenInvalid() from cause
    shown_at = datetime.fromtimestamp(note.shown_ms / 1000, UTC)
    if note.contract_id != contract.id or not now - SHOWN_LIFE < shown_at <= now:
        raise ShownTokenInvalid()
    return note.sha256, shown_at


def line_until(contract: Contract) -> date:
    """The last day on which the line may be used, as the contract prints it."""
    return money.add_months(contract.agreed_on, contract.term_months)


def require_standing(contract: Contract, today: date) -> None:
    """Raises `OfferExpired` after the last day, also before the timetable has let the offer lapse."""
    if contract.status in ("draft", "ready") and contract.valid_until < today:
        raise OfferExpired(valid_until=contract.valid_until)


def method_for(terms: Terms, months: int) -> money.RepaymentMethod:
    """How a loan of this term is repaid: the first method the product names for it. Raises ValueError when the
    product has no such term."""
    for repayment in terms.repayments:
        if months in repayment.months:
            return repayment.method
    raise ValueError(f"no repayment method for {months} months")


def plan(contract: Contract, terms: Terms) -> money.Schedule:
    """The plan the 明示表 and the contract print: everything drawn at once on the day of the approval."""
    return product_rules.plan(
        terms,
        contract.limit_fen,
        contract.annual_rate,
        contract.term_months,
        contract.repayment_method,
        contract.agreed_on,
    )


def _seal(secret: str, body: str) -> str:
    digest = hmac.new(secret.encode(), b"disclosure shown\x00" + body.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
