"""The fields of a 个人循环借款合同. Wording stands in templates/documents/contract.typ."""

from datetime import date
from decimal import Decimal

import msgspec

from backend.core.money import Schedule

FORM_VERSION = "2026-2"
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


class Surety(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for the borrower: `amount` (fen) is the most of the principal, `until` the last day of the guarantee
    period; `terms_sha256` (hex) is of the promise given apart from this contract (民法典第六百八十四、六百八十五条)."""

    name: str
    amount: int
    until: date
    terms_sha256: str


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
    sureties: tuple[Surety, ...] = ()
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


class GuaranteePaper(msgspec.Struct, frozen=True, kw_only=True):
    """A guarantor's promise as given, for them to keep. `id_number` is masked: the paper is opened by a link."""

    title: str
    version: int
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    text_sha256: str
    lender: str
    person_name: str
    id_number: str
    given_on: date
    given_at_label: str
    guarantee_id: str
