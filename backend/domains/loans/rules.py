"""What a loan may have cost by a day, so that a charge nobody disclosed is noticed (D2-09). No database."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from backend.core import clock, money
from backend.core.money import DayCount
from backend.domains.loans.model import Loan, Posting

SLACK_DAYS = 3
"""A month by twelfths (按月计息) bears up to this many days more than its own: February."""


def overcharged(
    loan: Loan,
    postings: Sequence[Posting],
    *,
    annual_rate: Decimal,
    overdue_factor: Decimal,
    day_count: DayCount,
) -> int:
    """Fen of interest taken beyond what the 明示表 allows up to the last posting; 0 when all is well.

    What is not repaid after the loan's last day bears the overdue rate; halves of a fen go to the bank, so one
    fen a repayment is let pass.
    """
    matures_on = money.add_months(clock.local(loan.drawn_at).date(), loan.term_months)
    allowed = Decimal(money.interest(loan.amount_fen, annual_rate, SLACK_DAYS, day_count))
    since, owed, taken = clock.local(loan.drawn_at).date(), loan.amount_fen, 0
    for posting in postings:
        if posting.kind != "repaid":
            continue
        on = clock.local(posting.at).date()
        allowed += _accrued(owed, since, on, matures_on, annual_rate, overdue_factor, day_count) + 1
        since, owed, taken = on, posting.outstanding_fen, taken + posting.interest_fen
    return max(0, int(taken - allowed))


def _accrued(
    owed: int,
    since: date,
    until: date,
    matures_on: date,
    annual_rate: Decimal,
    overdue_factor: Decimal,
    day_count: DayCount,
) -> Decimal:
    late = max(0, (until - max(since, matures_on)).days)
    days = max(0, (until - since).days - late) + late * overdue_factor
    return owed * annual_rate * days / day_count.days
