"""还款: what is owed, when and how much by the plan. What is booked stands in the mobile bank, which alone books it."""

from backend.domains.contracts.model import Contract
from backend.flows import loan_standing
from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    assert talk.institution is not None
    found = await personal.standings(talk)
    lines = [one.contract for one in found if one.contract and one.outstanding_fen]
    running = [loan for contract in lines for loan in await _loans(talk, contract)]
    return say(
        "repayment/show.txt",
        loans=running,
        total=sum(one.outstanding_fen for one in found),
        statuses={one.application.status for one in found},
        phone=talk.institution.service_phone,
    )


async def _loans(talk: Talk, contract: Contract) -> list[dict[str, object]]:
    return [_loan(each) for each in await loan_standing.of_line(talk.tx, contract)]


def _loan(each: loan_standing.Standing) -> dict[str, object]:
    due = each.next_due
    return {
        "tail": each.loan.loan_no[-4:],
        "amount": each.loan.amount_fen,
        "outstanding": each.loan.outstanding_fen,
        "days_late": each.days_past_due,
        "overdue": each.overdue_fen,
        "due_on": due.due_on if due else None,
        "planned": due if each.as_planned else None,
    }
