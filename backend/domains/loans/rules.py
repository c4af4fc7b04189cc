"""What a loan may have cost by a day, so that a charge nobody disclosed is noticed (D2-09); whether it is paid as
planned (A6-06), and whether it went bad (D1-05). No database."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from backend.core import clock, money
from backend.core.money import DayCount, Instalment, Schedule
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


class Kept(msgspec.Struct, frozen=True):
    """A loan against its plan: what was due by a day, and what was paid by a day."""

    loan: Loan
    postings: Sequence[Posting]
    plan: Schedule

    def days_past_due(self, on: date) -> int:
        """Days since the oldest instalment that is still not paid in full; 0 when nothing is in arrears."""
        due = [each for each in self.plan.instalments if each.due_on < on]
        return next(((on - each.due_on).days for each in due if not self._paid(each, on)), 0)

    def due_dates(self, since: date, until: date, today: date) -> list[date]:
        """Due days in that time whose instalment is not paid in full by today."""
        soon = [each for each in self.plan.instalments if since <= each.due_on <= until]
        return [each.due_on for each in soon if not self._paid(each, today)]

    def next_due(self, today: date) -> Instalment | None:
        """The first instalment from today on that is not paid; None after the last."""
        ahead = [each for each in self.plan.instalments if each.due_on >= today]
        return next((each for each in ahead if not self._paid(each, today)), None)

    def as_planned(self, instalment: Instalment) -> bool:
        """Whether what is owed is what the plan says before that instalment: nothing late, nothing paid ahead."""
        return self.loan.outstanding_fen == instalment.balance + instalment.principal

    def overdue_fen(self, on: date) -> int:
        """Principal that was due before a day and is not paid."""
        due = [each for each in self.plan.instalments if each.due_on < on]
        owed = self.loan.amount_fen - due[-1].balance if due else 0
        return max(0, owed - (self.loan.amount_fen - self.loan.outstanding_fen))

    def times_late(self, since: date, on: date) -> int:
        """Instalments due in that time that were not paid in full on their day."""
        due = [each for each in self.plan.instalments if since <= each.due_on < on]
        return sum(not self._paid(each, each.due_on) for each in due)

    def _paid(self, instalment: Instalment, by: date) -> bool:
        return paid(self.plan, self.postings, instalment, by)


def paid(plan: Schedule, postings: Sequence[Posting], instalment: Instalment, by: date) -> bool:
    """Whether everything due up to an instalment was paid by a day, principal and interest. Interest counts as due for
    what was really owed, so that who repaid ahead owes less of it, and a few days' interest is no arrears."""
    principal = interest = 0
    for posting in postings:
        if posting.kind == "repaid" and clock.local(posting.at).date() <= by:
            principal, interest = principal + posting.principal_fen, interest + posting.interest_fen
    if principal < plan.amount - instalment.balance:
        return False
    planned = sum(each.interest for each in plan.instalments if each.due_on <= instalment.due_on)
    slack = money.interest(plan.amount, plan.annual_rate, SLACK_DAYS, plan.day_count)
    return (
        interest >= planned - slack
        or interest >= int(min(_interest_due(plan, postings, instalment.due_on), Decimal(planned))) - slack
    )


def _interest_due(plan: Schedule, postings: Sequence[Posting], until: date) -> Decimal:
    """Fen, with one fen a repayment off."""
    since, owed, accrued = plan.start_on, plan.amount, Decimal(0)
    for posting in postings:
        on = clock.local(posting.at).date()
        if posting.kind != "repaid" or on >= until:
            continue
        accrued += Decimal(money.interest(owed, plan.annual_rate, (on - since).days, plan.day_count)) - 1
        since, owed = on, posting.outstanding_fen
    return accrued + money.interest(owed, plan.annual_rate, (until - since).days, plan.day_count)


def went_bad(
    plan: Schedule, postings: Sequence[Posting], *, paid_off: bool, today: date, days: int
) -> bool | None:
    """Whether a loan was ever more than `days` past due, with principal or with interest alone; None while that is not
    known. Known to be good once it is paid off, or `days` after the last due day."""
    for instalment in plan.instalments:
        until = instalment.due_on + timedelta(days=days)
        if today > until and not paid(plan, postings, instalment, until):
            return True
    return False if paid_off or today > plan.matures_on + timedelta(days=days) else None


def fell_behind(
    plan: Schedule, postings: Sequence[Posting], after: date, until: date, days: int
) -> bool | None:
    """Whether a loan came to be `days` past due on a day behind `after` and not behind `until`; None where it was that
    late already."""
    reached = [(each, each.due_on + timedelta(days=days)) for each in plan.instalments]
    if any(on <= after and not paid(plan, postings, each, after) for each, on in reached):
        return None
    return any(after < on <= until and not paid(plan, postings, each, on) for each, on in reached)
