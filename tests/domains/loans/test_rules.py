"""Whether a loan went bad, by its plan and what was repaid (A3-37, D1-05: more than 90 days past due)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from backend.core import money
from backend.core.money import RepaymentMethod
from backend.domains.loans import rules

START, DAYS = date(2025, 1, 10), 90
MONTHLY = money.schedule(1_200_000, Decimal("0.06"), 12, RepaymentMethod.EQUAL_PRINCIPAL, START)
BULLET = money.schedule(1_000_000, Decimal("0.06"), 12, RepaymentMethod.INTEREST_FIRST, START)
LATE = date(2027, 1, 1)


def kept(plan: money.Schedule, until: int, late: int = 0) -> list[tuple[date, int]]:
    """The first `until` instalments repaid, each `late` days after it was due."""
    return [(i.due_on + timedelta(days=late), i.principal) for i in plan.instalments[:until]]


@pytest.mark.parametrize(
    ("plan", "repaid", "paid_off", "today", "bad"),
    [
        (MONTHLY, kept(MONTHLY, 12), True, LATE, False),
        (MONTHLY, kept(MONTHLY, 12, late=90), True, LATE, False),
        (MONTHLY, kept(MONTHLY, 12, late=91), True, LATE, True),  # repaid in the end, and bad all the same
        (MONTHLY, kept(MONTHLY, 5), False, date(2025, 7, 20), None),  # one late by ten days: not known yet
        (MONTHLY, kept(MONTHLY, 5), False, date(2025, 10, 8), None),  # 90 days past due on 8 October
        (MONTHLY, kept(MONTHLY, 5), False, date(2025, 10, 9), True),
        (MONTHLY, kept(MONTHLY, 5), False, LATE, True),
        (MONTHLY, [(START, 1_200_000)], True, date(2025, 2, 1), False),  # repaid ahead of its plan
        (BULLET, [], False, date(2025, 12, 31), None),
        (BULLET, [], False, LATE, True),
        (BULLET, [(date(2026, 3, 1), 1_000_000)], True, LATE, False),
    ],
)
def test_a_loan_is_bad_when_principal_of_its_plan_was_missing_for_more_than_the_days(
    plan, repaid, paid_off, today, bad
):
    assert rules.went_bad(plan, repaid, paid_off=paid_off, today=today, days=DAYS) is bad
