"""核心系统: customers, accounts, lines, loans and postings (A5-06). Amounts are integer fen."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.data_platform.port import Features
from backend.integrations.http import OutsideUnavailable


class Account(msgspec.Struct, frozen=True):
    account_no: str
    kind: str
    status: str
    balance_fen: int


class CoreCustomer(msgspec.Struct, frozen=True):
    customer_no: str
    name: str
    opened_on: date
    accounts: tuple[Account, ...]


class MonthFlow(msgspec.Struct, frozen=True):
    """`month` is YYYY-MM."""

    month: str
    in_fen: int
    out_fen: int
    count: int


class Line(msgspec.Struct, frozen=True):
    line_no: str
    customer_no: str
    contract_no: str
    institution_id: str
    limit_fen: int
    used_fen: int
    available_fen: int
    annual_rate: Decimal
    starts_on: date
    ends_on: date
    status: str


class CoreLoan(msgspec.Struct, frozen=True):
    loan_no: str
    line_no: str
    amount_fen: int
    outstanding_fen: int
    term_months: int
    repayment_method: str
    status: str
    opened_on: date


class Posting(msgspec.Struct, frozen=True):
    posting_no: str
    loan_no: str
    principal_fen: int
    interest_fen: int
    outstanding_fen: int
    posted_at: datetime


class DayEnd(msgspec.Struct, frozen=True):
    """The file after close of business: every line and loan of the county, the postings of the day."""

    institution_id: str
    on: date
    lines: tuple[Line, ...]
    loans: tuple[CoreLoan, ...]
    postings: tuple[Posting, ...]


class CoreBankingUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "core_banking_unavailable"
    message: ClassVar[str] = "核心系统暂时连不上，您的申请已经收好，连上以后接着办"
    system: ClassVar[str] = "core_banking"


class CoreBanking(Protocol):
    async def facts(self, *, id_number: str, names: Sequence[str], case_id: str) -> Features: ...

    async def find_customer(self, *, id_number: str) -> CoreCustomer | None: ...

    async def open_customer(
        self, *, name: str, id_number: str, phone: str, institution_id: str, case_id: str, key: str
    ) -> CoreCustomer:
        """The existing customer, where there is one."""
        ...

    async def flows(self, *, customer_no: str, months: int) -> tuple[MonthFlow, ...]:
        """The newest month first."""
        ...

    async def open_line(
        self,
        *,
        customer_no: str,
        contract_no: str,
        institution_id: str,
        limit_fen: int,
        annual_rate: Decimal,
        starts_on: date,
        ends_on: date,
        case_id: str,
        key: str,
    ) -> Line: ...

    async def line(self, line_no: str) -> Line: ...

    async def post_drawdown(
        self,
        *,
        line_no: str,
        account_no: str,
        amount_fen: int,
        term_months: int,
        repayment_method: str,
        case_id: str,
        key: str,
    ) -> CoreLoan: ...

    async def loan(self, loan_no: str) -> CoreLoan: ...

    async def post_repayment(self, *, loan_no: str, amount_fen: int, case_id: str, key: str) -> Posting: ...

    async def day_end(self, institution_id: str, on: date) -> DayEnd: ...
