"""The fields of a 个人循环借款合同. Wording stands in templates/documents/contract.typ."""

from datetime import date
from decimal import Decimal

import msgspec

from backend.core.money import Schedule

FORM_VERSION = "2026-1"
"""Version of the contract's wording, printed on every page."""


class Lender(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    address: str
    phone: str


class Borrower(msgspec.Struct, frozen=True, kw_only=True):
    """In full: a contract names its parties. Never shown to third eyes."""

    name: str
    id_number: str
    phone: str
    address: str


class LoanContract(msgspec.Struct, frozen=True, kw_only=True):
    """`limit` in fen, revolving until `valid_until` (last day); `schedule` is the plan if all is drawn at once.

    `disclosure_sha256` binds the contract to the 明示表 the borrower confirmed (D2-09).
    """

    contract_no: str
    made_on: date
    lender: Lender
    borrower: Borrower
    product_name: str
    limit: int
    annual_rate: Decimal
    all_in_cost: Decimal
    term_months: int
    valid_until: date
    purpose_label: str
    overdue_factor: Decimal
    misuse_factor: Decimal
    schedule: Schedule
    disclosure_sha256: str
    form_version: str = FORM_VERSION


class ConsentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A consent as given, for the package: the very words, who, when, where."""

    title: str
    version: int
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    text_sha256: str
    person_name: str
    id_number: str
    given_on: date
    given_at_label: str
    channel_label: str
    consent_id: str
