"""借据近况: how the loans of a line stand by the plan of their contract: days past due, how often late (A6-06)."""

from datetime import date, timedelta

import msgspec

from backend.core import clock
from backend.core.money import Instalment
from backend.db.database import Tx
from backend.domains.contracts.model import Contract
from backend.domains.loans import rules as loan_rules
from backend.domains.loans import service as loans
from backend.domains.loans.model import Loan
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products

HALF_YEAR = timedelta(days=183)


class Standing(msgspec.Struct, frozen=True):
    """`overdue_fen` is principal; `late`: instalments of the last half year that were not paid on their day.
    `next_due`: the first instalment from today on that is not paid, `as_planned`: its amount holds, because nothing was
    paid late or ahead."""

    loan: Loan
    days_past_due: int
    overdue_fen: int
    late: int
    next_due: Instalment | None
    as_planned: bool


async def of_line(tx: Tx, contract: Contract) -> list[Standing]:
    """The loans drawn under a contract and not yet paid off, by our mirror of what the bank reported."""
    return [_standing(kept, clock.today()) for kept in await _kept(tx, contract)]


def _standing(kept: loan_rules.Kept, today: date) -> Standing:
    due = kept.next_due(today)
    return Standing(
        kept.loan,
        kept.days_past_due(today),
        kept.overdue_fen(today),
        kept.times_late(today - HALF_YEAR, today),
        due,
        due is not None and kept.as_planned(due),
    )


async def due_dates(tx: Tx, contract: Contract, since: date, until: date) -> list[date]:
    """Days in that time on which an instalment of the line is due that is not paid yet, each once."""
    today = clock.today()
    found = {day for kept in await _kept(tx, contract) for day in kept.due_dates(since, until, today)}
    return sorted(found)


async def _kept(tx: Tx, contract: Contract) -> list[loan_rules.Kept]:
    active = [
        each for each in await loans.of_application(tx, contract.application_id) if each.outstanding_fen
    ]
    if not active:
        return []
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    found = []
    for loan in active:
        plan = product_rules.plan(
            product.terms, loan.amount_fen, contract.annual_rate, loan.term_months, contract.repayment_method,
            clock.local(loan.drawn_at).date(),
        )  # fmt: skip
        found.append(loan_rules.Kept(loan, await loans.postings(tx, loan), plan))
    return found
