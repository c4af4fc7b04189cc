"""记手机银行的进展: apply stored events as one contiguous sequence per application (trust §1.5, A7-08).

Event n is applied only after n−1; one that came early waits in the inbox. All that can be applied is applied in
one transaction under the contract's lock, so that two callbacks at once cannot overtake each other.
"""

from collections.abc import Awaitable, Callable

import msgspec

from backend.core import money
from backend.core.actor import Actor
from backend.core.errors import Conflict
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.loans import rules as loan_rules
from backend.domains.loans import service as loans
from backend.domains.loans.model import Loan
from backend.domains.post_loan import drawdowns
from backend.domains.products import service as products
from backend.domains.relations import service as relations
from backend.flows import collect, end_guarantees, notify, receive_bank_event
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Event, EventType
from backend.outbox import inbox

OVERCHARGED = "charged_beyond_disclosure"
UNCHECKED = "drawn_unchecked"


class SignedOtherDocuments(Conflict):
    """The hashes signed are not the hashes we gave out: an incident, nothing goes on until a person looked."""

    code = "signed_other_documents"
    message = "签署的文件和我们给出的不一致，已转人工核对"


async def apply_bank_events(context: Context, actor: Actor, application_id: str) -> int:
    """Returns how many events were applied now. Raises `SignedOtherDocuments`, `LoanContradicts`,
    `ForbiddenMove` when what the bank reports cannot be: the events stay in the inbox for a person."""
    done = 0
    async with context.db.begin(actor) as tx:
        contract = await contracts.get(tx, application_id, lock=True)
        waiting = await inbox.unapplied(tx, source=receive_bank_event.SOURCE, case_id=application_id)
        events = sorted(
            (msgspec.convert(m.payload, Event) for m in waiting), key=lambda event: event.sequence
        )
        reached = contract.bank_sequence
        for event in events:
            if event.sequence > reached + 1:
                break
            outcome = "known"
            if event.sequence == reached + 1:
                outcome = await _apply(tx, await contracts.get(tx, application_id), event)
                reached, done = event.sequence, done + 1
            await inbox.applied(
                tx, source=receive_bank_event.SOURCE, message_id=event.event_id, outcome=outcome
            )
        if reached != contract.bank_sequence:
            await contracts.set_sequence(tx, contract, reached)
    return done


async def _apply(tx: Tx, contract: Contract, event: Event) -> str:
    application = await applications.get(tx, contract.application_id, lock=True)
    await _STEPS[event.type](tx, application, contract, event)
    return str(event.type)


async def _signed(tx: Tx, application: Application, contract: Contract, event: Event) -> None:
    ours = [document.sha256 for document in await contracts.documents(tx, contract)]
    if sorted(event.document_hashes) != sorted(ours):
        raise SignedOtherDocuments()
    await contracts.sign(
        tx, contract, signature_no=event.signature_no, line_no=event.line_no, signed_at=event.at
    )
    await _move(tx, application, "signed", event.signature_no)


async def _drawn(tx: Tx, application: Application, contract: Contract, event: Event) -> None:
    await loans.draw(
        tx,
        event_id=event.event_id,
        application_id=application.id,
        contract_id=contract.id,
        loan_no=event.loan_no,
        line_no=event.line_no,
        amount_fen=event.amount_fen,
        term_months=event.term_months,
        drawn_at=event.at,
    )
    if contract.status == "completed":  # the line stands until its last day and is used again (A3-13)
        await contracts.move(tx, contract, "signed", event.loan_no)
    if application.status in ("signed", "repaid"):
        await _move(tx, application, "drawn", event.loan_no)
    else:
        await applications.note(tx, application, "drawn_again", event.loan_no)
    await _hold_to_the_check(tx, application, contract, event)
    _paid_to(tx, application, event)


async def _hold_to_the_check(tx: Tx, application: Application, contract: Contract, event: Event) -> None:
    """Money that went out without our leave is an incident with an owner; the books follow it (D1-10)."""
    if await drawdowns.use(tx, application.id, event.loan_no, event.amount_fen, event.at):
        return
    await applications.note(tx, application, UNCHECKED, event.loan_no)
    text = f"借据 {event.loan_no} 用款 {money.yuan(event.amount_fen)} 元，没有对应的用款核查，请核对"
    text += f"（申请编号 {application.application_no}）"
    await tickets.open(tx, kind="human", text=text, customer_id=contract.customer_id)


def _paid_to(tx: Tx, application: Application, event: Event) -> None:
    """Where the money went: what several households draw to is looked at (N9)."""
    if event.payee_account and application.customer_id:
        payee = event.payee_account
        edge = relations.Edge("payee", payee, "draw", "own" if event.payee_own else "used")
        relations.sight(tx, application.id, application.customer_id, {"payee": payee}, [edge])


async def _repaid(tx: Tx, application: Application, contract: Contract, event: Event) -> None:
    loan = await loans.repay(
        tx,
        event_id=event.event_id,
        loan_no=event.loan_no,
        principal_fen=event.principal_fen,
        interest_fen=event.interest_fen,
        outstanding_fen=event.outstanding_fen,
        at=event.at,
    )
    await _hold_to_the_disclosure(tx, application, contract, loan)
    await collect.settle(tx, contract)
    owed = sum(loan.outstanding_fen for loan in await loans.of_application(tx, application.id))
    if event.paid_off and not owed and application.status == "drawn":
        await contracts.move(tx, contract, "completed", event.loan_no)
        await _move(tx, application, "repaid", event.loan_no)
    else:
        await applications.note(tx, application, "repayment", event.loan_no)


async def _hold_to_the_disclosure(tx: Tx, application: Application, contract: Contract, loan: Loan) -> None:
    """A charge beyond the 明示表 is an incident with an owner; the books go on, since the money has moved (D2-09)."""
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    beyond = loan_rules.overcharged(
        loan,
        await loans.postings(tx, loan),
        annual_rate=contract.annual_rate,
        overdue_factor=product.terms.overdue_factor,
        day_count=product.terms.day_count,
    )
    if beyond and await applications.last_event(tx, application, OVERCHARGED) is None:
        await applications.note(tx, application, OVERCHARGED, loan.loan_no)
        text = f"借据 {loan.loan_no} 收的利息比明示表多 {money.yuan(beyond)} 元，请核对"
        text += f"（申请编号 {application.application_no}）"
        await tickets.open(tx, kind="human", text=text, customer_id=contract.customer_id)


async def _cancelled(tx: Tx, application: Application, contract: Contract, event: Event) -> None:
    if application.status in ("cancelled", "expired"):  # we withdrew it there ourselves
        return
    await contracts.move(tx, contract, "terminated" if contract.status == "signed" else "void", event.reason)
    await end_guarantees.end_guarantees(tx, application)
    await _move(tx, application, "cancelled", event.reason)


async def _move(tx: Tx, application: Application, to_status: str, why: str) -> None:
    moved = await applications.move(tx, application, to_status, to_status, why)
    await notify.announce(tx, moved)


_STEPS: dict[EventType, Callable[[Tx, Application, Contract, Event], Awaitable[None]]] = {
    EventType.SIGNED: _signed,
    EventType.DRAWN: _drawn,
    EventType.REPAID: _repaid,
    EventType.CANCELLED: _cancelled,
}
