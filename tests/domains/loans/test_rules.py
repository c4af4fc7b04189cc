"""Whether a loan went bad, by its plan and what was repaid (A3-37, D1-05: more than 90 days past due)."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from backend.core import clock, money
from backend.core.money import RepaymentMethod
from backend.domains.loans import rules
from backend.domains.loans.model import Posting

START, DAYS = date(2025, 1, 10), 90
MONTHLY = money.schedule(1_200_000, Decimal("0.06"), 12, RepaymentMethod.EQUAL_PRINCIPAL, START)
BULLET = money.schedule(1_000_000, Decimal("0.06"), 12, RepaymentMethod.INTEREST_FIRST, START)
LATE = date(2027, 1, 1)


def kept(plan: money.Schedule, until: int, late: int = 0, *, interest: int = 100) -> list[Posting]:
    """The first `until` instalments repaid, each `late` days after it was due; `interest` of every hundred fen of it.
    Who is late pays the interest of the days it took."""
    found = []
    for each in plan.instalments[:until]:
        more = money.interest(each.balance + each.principal, plan.annual_rate, late, plan.day_count)
        fen = (each.interest + more) * interest // 100
        found.append(repaid(each.due_on + timedelta(days=late), each.principal, fen, each.balance))
    return found


def repaid(on: date, principal: int, interest: int, left: int) -> Posting:
    return Posting("repaid", principal, interest, left, datetime.combine(on, time(10), tzinfo=clock.LOCAL))


@pytest.mark.parametrize(
    ("plan", "postings", "paid_off", "today", "bad"),
    [
        (MONTHLY, kept(MONTHLY, 12), True, LATE, False),
        (MONTHLY, kept(MONTHLY, 12, late=90), True, LATE, False),
        (MONTHLY, kept(MONTHLY, 12, late=91), True, LATE, True),  # repaid in the end, and bad all the same
        (MONTHLY, kept(MONTHLY, 5), False, date(2025, 7, 20), None),  # one late by ten days: not known yet
        (MONTHLY, kept(MONTHLY, 5), False, date(2025, 10, 8), None),  # 90 days past due on 8 October
        (MONTHLY, kept(MONTHLY, 5), False, date(2025, 10, 9), True),
        (MONTHLY, kept(MONTHLY, 5), False, LATE, True),
        (MONTHLY, [repaid(date(2025, 2, 1), 1_200_000, 4_340, 0)], True, date(2025, 2, 1), False),  # ahead of its plan
        (MONTHLY, [repaid(date(2025, 1, 20), 1_200_000, 1_973, 0)], True, LATE, False),
        # Interest alone that is late: first due on 10 February, 90 days past due on 11 May.
        (BULLET, [], False, date(2025, 5, 11), None),
        (BULLET, [], False, date(2025, 5, 12), True),
        (BULLET, kept(BULLET, 12), True, LATE, False),
        (BULLET, kept(BULLET, 6), False, date(2025, 10, 1), None),
        (BULLET, kept(BULLET, 6), False, date(2025, 12, 1), True),
        (BULLET, kept(BULLET, 11), False, LATE, True),
        (BULLET, kept(BULLET, 12, interest=50), True, LATE, True),
        (MONTHLY, kept(MONTHLY, 12, interest=50), True, LATE, True),
        (BULLET, [repaid(date(2026, 3, 1), 1_000_000, 70_000, 0)], True, LATE, True),
    ],
)  # fmt: skip
def test_a_loan_is_bad_when_principal_or_interest_was_missing_for_more_than_the_days(
    plan, postings, paid_off, today, bad
):
    assert rules.went_bad(plan, postings, paid_off=paid_off, today=today, days=DAYS) is bad
