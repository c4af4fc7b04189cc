"""A loan (借据) as the mobile bank and core banking report it."""

from datetime import datetime

import msgspec

from backend.core.errors import Conflict, NotFound
from backend.core.lifecycle import Lifecycle

LOAN = Lifecycle("loan", {"active": "还款中", "paid_off": "已结清"}, {"active": ("paid_off",)})


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in fen."""

    id: str
    application_id: str
    contract_id: str
    loan_no: str
    line_no: str
    status: str
    amount_fen: int
    outstanding_fen: int
    interest_paid_fen: int
    term_months: int
    drawn_at: datetime
    paid_off_at: datetime | None


class Posting(msgspec.Struct, frozen=True):
    kind: str
    principal_fen: int
    interest_fen: int
    outstanding_fen: int
    at: datetime


class LoanMissing(NotFound):
    code = "loan_missing"
    message = "没有找到这笔借款"


class LoanContradicts(Conflict):
    """What was reported cannot be true of this loan (repaid more than owed, another amount): a person looks."""

    code = "loan_contradicts"
    message = "这笔借款的记录对不上，已转人工核对"
