"""The mirror of loans. Only callbacks change it; nothing here moves money (A3-10)."""

from datetime import date, datetime
from typing import Any

import msgspec

from backend.core import ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.loans.model import Loan, LoanContradicts, LoanMissing, Posting

Q = queries.load(__package__)


async def draw(
    tx: Tx,
    *,
    event_id: str,
    application_id: str,
    contract_id: str,
    loan_no: str,
    line_no: str,
    amount_fen: int,
    term_months: int,
    drawn_at: datetime,
) -> Loan:
    """A drawdown was reported. Raises `LoanContradicts` when the number belongs to another drawdown."""
    await Q.draw(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        application_id=application_id,
        contract_id=contract_id,
        loan_no=loan_no,
        line_no=line_no,
        amount=money.yuan(amount_fen),
        term_months=term_months,
        drawn_at=drawn_at,
    )
    loan = await get(tx, loan_no)
    if (loan.application_id, loan.amount_fen) != (application_id, amount_fen):
        raise LoanContradicts()
    await _post(tx, event_id, loan, "drawn", amount_fen, 0, amount_fen, drawn_at)
    audit.add(tx, "loan.drawn", loan_no)
    return loan


async def repay(
    tx: Tx,
    *,
    event_id: str,
    loan_no: str,
    principal_fen: int,
    interest_fen: int,
    outstanding_fen: int,
    at: datetime,
) -> Loan:
    """A repayment was reported. Raises `LoanMissing`; `LoanContradicts` when the balances do not meet."""
    loan = await get(tx, loan_no)
    if not await _post(tx, event_id, loan, "repaid", principal_fen, interest_fen, outstanding_fen, at):
        return loan
    left = await Q.repay(
        tx,
        institution_id=tx.institution_id,
        loan_no=loan_no,
        principal=money.yuan(principal_fen),
        interest=money.yuan(interest_fen),
        at=at,
    )
    if left is None or money.fen(left) != outstanding_fen:
        raise LoanContradicts()
    audit.add(tx, "loan.repaid", loan_no, paid_off=outstanding_fen == 0)
    return await get(tx, loan_no)


async def get(tx: Tx, loan_no: str) -> Loan:
    """Raises `LoanMissing`."""
    row = await Q.by_number(tx, institution_id=tx.institution_id, loan_no=loan_no)
    if row is None:
        raise LoanMissing()
    return _loan(row)


async def of_application(tx: Tx, application_id: str) -> list[Loan]:
    rows = await Q.of_application(tx, institution_id=tx.institution_id, application_id=application_id)
    return [_loan(row) for row in rows]


async def postings(tx: Tx, loan: Loan) -> list[Posting]:
    rows = await Q.postings(tx, institution_id=tx.institution_id, loan_id=loan.id)
    return [
        Posting(
            row["kind"],
            money.fen(row["principal"]),
            money.fen(row["interest"]),
            money.fen(row["outstanding"]),
            row["at"],
        )
        for row in rows
    ]


class Reconciliation(msgspec.Struct, frozen=True):
    bank_day: date
    events: int
    healed: int
    unexplained: int
    sha256: str
    run_at: datetime


async def reconciled(
    tx: Tx, bank_day: date, *, events: int, healed: int, unexplained: int, sha256: str
) -> None:
    """Keep the result of a comparison with the mobile bank's day file."""
    await Q.reconciled(
        tx,
        institution_id=tx.institution_id,
        bank_day=bank_day,
        events=events,
        healed=healed,
        unexplained=unexplained,
        sha256=sha256,
        now=tx.now,
    )
    if healed or unexplained:
        audit.add(tx, "bank.reconciled", bank_day.isoformat(), healed=healed, unexplained=unexplained)


async def reconciliations(tx: Tx, most: int = 31) -> list[Reconciliation]:
    rows = await Q.reconciliations(tx, institution_id=tx.institution_id, most=most)
    return [Reconciliation(*row) for row in rows]


async def _post(
    tx: Tx,
    event_id: str,
    loan: Loan,
    kind: str,
    principal: int,
    interest: int,
    outstanding: int,
    at: datetime,
) -> bool:
    return bool(
        await Q.post(
            tx,
            institution_id=tx.institution_id,
            event_id=event_id,
            loan_id=loan.id,
            kind=kind,
            principal=money.yuan(principal),
            interest=money.yuan(interest),
            outstanding=money.yuan(outstanding),
            at=at,
        )
    )


def _loan(row: Any) -> Loan:
    return Loan(
        id=row["id"],
        application_id=row["application_id"],
        contract_id=row["contract_id"],
        loan_no=row["loan_no"],
        line_no=row["line_no"],
        status=row["status"],
        amount_fen=money.fen(row["amount"]),
        outstanding_fen=money.fen(row["outstanding"]),
        interest_paid_fen=money.fen(row["interest_paid"]),
        term_months=row["term_months"],
        drawn_at=row["drawn_at"],
        paid_off_at=row["paid_off_at"],
    )
