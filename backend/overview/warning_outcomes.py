"""What came after the early warnings of a county's own lines: whether they came true (A6-06)."""

from collections import Counter
from datetime import date, timedelta

import msgspec

from backend.db.database import Tx
from backend.domains.loans import rules as loan_rules
from backend.domains.post_loan import warnings
from backend.domains.regulation import service as regulation
from backend.overview import model_monitors


class Outcomes(msgspec.Struct, frozen=True):
    """Of warnings raised at least `within` days ago: how many there are of each action, and after how many of them a
    loan of the line came to be `days` past due within that time. Where one was that late already, there was nothing to
    warn of any more: neither counts it."""

    within: int
    days: int
    known: dict[str, int]
    true: dict[str, int]


async def warning_outcomes(tx: Tx, since: date, today: date) -> Outcomes:
    """Inside a read of one institution, by the rules in force today."""
    rules = await regulation.in_force(tx, today)
    within, days = rules.count("warning.true_within_days"), rules.count("warning.true_days_past_due")
    over = await warnings.raised_between(tx, since, today - timedelta(days=within))
    loans = await model_monitors.histories(
        tx, sorted({(tx.institution_id, each.application_id) for each in over})
    )
    known, true = Counter[str](), Counter[str]()
    for each in over:
        until = each.raised_on + timedelta(days=within)
        behind = [
            loan_rules.fell_behind(loan.plan, loan.repaid, each.raised_on, until, days)
            for loan in loans.get((tx.institution_id, each.application_id), ())
        ]
        if None not in behind:
            known[each.action] += 1
            true[each.action] += any(behind)
    return Outcomes(within, days, dict(known), dict(true))
