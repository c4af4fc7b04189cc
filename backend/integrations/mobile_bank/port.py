"""手机银行: where the customer signs, draws and repays; we hand over and are told (A5-05, A3-10)."""

import hashlib
import hmac
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable


class OfferState(StrEnum):
    WAITING = "waiting"
    OPENED = "opened"
    SIGNED = "signed"
    DRAWN = "drawn"
    REPAID = "repaid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class EventType(StrEnum):
    SIGNED = "signed"
    DRAWN = "drawn"
    REPAID = "repaid"
    CANCELLED = "cancelled"


class Document(msgspec.Struct, frozen=True):
    document_id: str
    kind: str
    title: str
    sha256: str


class Surety(msgspec.Struct, frozen=True):
    """Somebody who answers for the line (连带责任保证). `guarantor_hash` is `customer_hash()` of their ID number,
    `terms_sha256` the hash of the very words they confirmed."""

    guarantor_hash: str
    name: str
    amount_fen: int
    until: date
    terms_sha256: str
    confirmed_at: datetime


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Both the offer we push and the contract package we answer with when the bank opens it.

    `annual_rate` is a fraction per year (0.0720); `customer_hash` is `customer_hash()` of the ID number.
    """

    application_id: str
    application_no: str
    institution_id: str
    customer_hash: str
    product_code: str
    product_name: str
    limit_fen: int
    annual_rate: Decimal
    term_months: int
    repayment_method: str
    purpose: str
    valid_until: datetime
    contract_no: str
    documents: tuple[Document, ...]
    sureties: tuple[Surety, ...] = ()


class OfferReceipt(msgspec.Struct, frozen=True):
    offer_no: str
    received_at: datetime


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at the bank; also the body of `POST /api/mobile-bank/events`.

    `sequence` counts 1, 2, 3 … per application, so that events may come in any order, and twice. Fields
    without meaning for a type are empty. `payee_account` is where drawn money went, `payee_own` whether that
    account is the borrower's own (自主支付) or somebody else's (受托支付).
    """

    event_id: str
    sequence: int
    type: EventType
    application_id: str
    institution_id: str
    contract_no: str
    at: datetime
    signature_no: str = ""
    document_hashes: tuple[str, ...] = ()
    line_no: str = ""
    loan_no: str = ""
    amount_fen: int = 0
    principal_fen: int = 0
    interest_fen: int = 0
    outstanding_fen: int = 0
    term_months: int = 0
    paid_off: bool = False
    reason: str = ""
    payee_account: str = ""
    payee_own: bool = False


class Told(msgspec.Struct, frozen=True):
    """A message the bank shows its customer in the app (消息)."""

    message_id: str
    accepted_at: datetime


class OfferStatus(msgspec.Struct, frozen=True):
    application_id: str
    status: OfferState
    events: tuple[Event, ...]


class DayFile(msgspec.Struct, frozen=True):
    """Every event of one county on one day (China time), for the daily reconciliation."""

    institution_id: str
    on: date
    events: tuple[Event, ...]
    sha256: str


class MobileBankUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "mobile_bank_unavailable"
    message: ClassVar[str] = "手机银行暂时连不上，额度为您留着，稍后会自动送到"
    system: ClassVar[str] = "mobile_bank"


def customer_hash(secret: str, id_number: str) -> str:
    """How the bank and we name a customer to each other without writing the ID number."""
    return hmac.new(secret.encode(), f"customer {id_number.upper()}".encode(), hashlib.sha256).hexdigest()


class MobileBank(Protocol):
    def customer_hash(self, id_number: str) -> str: ...

    def link(self, token: str) -> str:
        """A deep link into the bank's app carrying a hand-off token."""
        ...

    async def put_offer(self, offer: Offer, *, key: str) -> OfferReceipt:
        """Replaces an earlier offer nobody has signed; refused (already_signed) otherwise."""
        ...

    async def status(self, application_id: str) -> OfferStatus: ...

    async def withdraw(self, application_id: str, *, reason: str, key: str) -> OfferStatus: ...

    async def reconciliation(self, institution_id: str, on: date) -> DayFile: ...

    async def tell(self, *, customer_hash: str, case_id: str, title: str, text: str, key: str) -> Told:
        """Show a message to the customer in the app; refused (customer_unknown) for who never opened an account."""
        ...
