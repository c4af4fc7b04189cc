"""One application as its customer sees it: how far it is, what was decided and why, what comes next (A3-09)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from backend.core import clock, money
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, Event
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.decision import moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Reason as Found
from backend.domains.evidence.model import SOURCES
from backend.domains.post_loan import drawdowns
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import Review

State = Literal["done", "now", "ahead", "stopped"]

EXAMPLE_FEN, EXAMPLE_DAYS = 1_000_000, 30


class Step(msgspec.Struct, frozen=True):
    label: str
    state: State
    at: datetime | None = None
    note: str = ""


class Reason(msgspec.Struct, frozen=True):
    text: str
    effect: Literal["plus", "minus"]


class Instalment(msgspec.Struct, frozen=True):
    due_on: date
    principal_fen: int
    interest_fen: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """`valid_until`: last day to sign; `line_until`: last day of the line, as the contract prints it.
    `example_*`: what borrowing 10,000 yuan, or the whole line where that is less, costs for 30 days."""

    contract_no: str
    limit_fen: int
    annual_rate: Decimal
    all_in_cost: Decimal
    term_months: int
    repayment: str
    valid_until: date
    line_until: date
    example_principal_fen: int
    example_days: int
    example_interest_fen: int
    schedule: tuple[Instalment, ...]


class ReviewState(msgspec.Struct, frozen=True):
    asked_at: datetime
    answer_by: date
    answer: str = ""


class ApplicationResult(msgspec.Struct, frozen=True, kw_only=True):
    """Field by field what h5/customer/views.py calls Result; `since` is when it came to its status, `goes_on` the
    number of the application a referred case was decided anew as."""

    application_no: str
    status: str
    product_name: str
    asked_fen: int
    steps: tuple[Step, ...]
    submitted_at: datetime | None
    offer: Offer | None
    reasons: tuple[Reason, ...]
    advice: str
    nearest: str
    promise_at: datetime | None
    retry_on: date | None
    review: ReviewState | None
    waiting_for: str
    drawdown: str
    since: datetime | None
    goes_on: str


async def of(tx: Tx, application: Application) -> ApplicationResult:
    """Inside a read of the application's institution."""
    story = await applications.events(tx, application.id)
    away = await moments.turned_away(tx, application.id) if application.status == "declined" else []
    recorded = await decisions.latest_for(tx, application.id)
    decision = recorded.opened.decision if recorded else None
    asked = await reviews.of_application(tx, application.id)
    contract = await contracts.of_application(tx, application.id)
    product = await products.get_begun(tx, tx.institution_id, application.product_code, _day_of(application))
    return ApplicationResult(
        application_no=application.application_no,
        status=application.status,
        product_name=product.name,
        asked_fen=application.amount_fen or 0,
        steps=_steps(application, story),
        submitted_at=application.submitted_at,
        offer=await _offer(tx, contract) if contract else None,
        reasons=_reasons(application, decision.reasons if decision else away, asked.get("referred")),
        advice=_advice(application, decision.reasons if decision else away),
        nearest=await _nearest(tx, application, recorded, asked.get("referred")),
        promise_at=application.promised_at,
        retry_on=None,
        review=await _review(tx, asked.get("requested")),
        waiting_for=_waiting_for(story),
        drawdown=await _drawdown(tx, application),
        since=_since(application, story),
        goes_on=await _goes_on(tx, asked.get("referred")),
    )


def _day_of(application: Application) -> date:
    return clock.local(application.submitted_at or application.created_at).date()


async def _offer(tx: Tx, contract: Contract) -> Offer:
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    example = min(EXAMPLE_FEN, contract.limit_fen)  # nobody borrows more than the line
    plan = contract_rules.plan(contract, product.terms)
    return Offer(
        contract_no=contract.contract_no,
        limit_fen=contract.limit_fen,
        annual_rate=contract.annual_rate,
        all_in_cost=product_rules.cost_of(product.terms, plan).annualised,
        term_months=contract.term_months,
        repayment=contract.repayment_method.label,
        valid_until=contract.valid_until,
        line_until=contract_rules.line_until(contract),
        example_principal_fen=example,
        example_days=EXAMPLE_DAYS,
        example_interest_fen=money.interest(
            example, contract.annual_rate, EXAMPLE_DAYS, product.terms.day_count
        ),
        schedule=tuple(Instalment(i.due_on, i.principal, i.interest) for i in plan.instalments),
    )


def _reasons(application: Application, found: Sequence[Found], review: Review | None) -> tuple[Reason, ...]:
    """A person's words come before the machine's."""
    if review is not None and review.outcome == "declined" and review.reason:
        return (Reason(review.reason, "minus"),)
    if application.status in ("submitted", "deciding", "held"):
        return ()
    if review is not None and review.outcome == "approved":
        return ()
    return tuple(Reason(r.text, "plus" if r.direction == "plus" else "minus") for r in found)


def _advice(application: Application, found: Sequence[Found]) -> str:
    if application.status != "declined":
        return ""
    told = dict.fromkeys(r.advice.rstrip("。") for r in found if r.advice)
    return "；".join(told) + "。" if told else ""


async def _nearest(
    tx: Tx, application: Application, recorded: decisions.Recorded | None, review: Review | None
) -> str:
    """The nearest lawful change, where the machine's result still stands (N5)."""
    if recorded is None or review is not None or application.status not in ("declined", "approved"):
        return ""
    found = await decisions.nearest_of(tx, recorded.id)
    return found.text if found else ""


async def _drawdown(tx: Tx, application: Application) -> str:
    """How the last drawdown at the bank stands, where it did not go through (A7-06)."""
    check = await drawdowns.last_of(tx, application.id) if application.status in _ROAD_AT_THE_BANK else None
    if check is None or check.asked_at < tx.now - drawdowns.LATELY:
        return ""
    amount = f"{money.yuan(check.amount_fen):,.0f} 元"
    return {
        "held": f"您刚才要用的 {amount}先等一等：{check.said}",
        "refused": f"您刚才要用的 {amount}没有放出来：{check.said}",
        "released": f"您要用的 {amount}核实好了，请在手机银行里再点一次“用款”",
        "rejected": f"您要用的 {amount}核实以后不能放款，想了解原因，请联系客户经理或到网点",
    }.get(check.status, "")


async def _review(tx: Tx, review: Review | None) -> ReviewState | None:
    if review is None:
        return None
    answer = review.reason or ""
    if review.new_application_id:
        renewed = await applications.get(tx, review.new_application_id)
        answer = f"{answer}（复核通过，新的申请编号 {renewed.application_no}）"
    return ReviewState(review.opened_at, clock.local(review.due_at).date(), answer)


async def _goes_on(tx: Tx, review: Review | None) -> str:
    if review is None or not review.new_application_id:
        return ""
    return (await applications.get(tx, review.new_application_id)).application_no


def _since(application: Application, story: Sequence[Event]) -> datetime | None:
    came = [e.at for e in story if e.to_status == application.status and e.from_status != e.to_status]
    return max(came, default=None)


def _waiting_for(story: Sequence[Event]) -> str:
    """What a held case waits for, from the event that held it."""
    held = [event for event in story if event.event == "held"]
    return "、".join(SOURCES.get(source, source) for source in held[-1].why.split(",")) if held else ""


_ROAD_AT_THE_BANK = ("handed_off", "signed", "drawn", "repaid")
_CHECKS = {
    "identity_check": "核对身份",
    "core_banking": "看账户往来",
    "data_platform": "看本地资料",
    "credit_bureau": "看征信报告",
}
_ROAD = (
    ("提交申请", ("submitted",)),
    ("审批", ("approved", "declined")),
    ("转到手机银行", ("handed_off",)),
    ("签约", ("signed",)),
    ("用款", ("drawn",)),
    ("还清", ("repaid",)),
)
_DECIDING = ("submitted", "deciding", "held")
_ENDED = ("declined", "expired", "cancelled", "abandoned")


def _steps(application: Application, story: Sequence[Event]) -> tuple[Step, ...]:
    if application.status in _DECIDING:
        return _checks(story)
    return _road(application, story)


def _checks(story: Sequence[Event]) -> tuple[Step, ...]:
    """What is being asked at this moment, from the case's own story."""
    last: dict[str, Event] = {}
    for event in story:
        source = event.event.partition(".")[2]
        if source:
            last[source] = event
    steps = [_check(label, last.get(source)) for source, label in _CHECKS.items()]
    ready = all(step.state == "done" for step in steps)
    return (*steps, Step("算额度和利率", "now" if ready else "ahead"))


def _check(label: str, event: Event | None) -> Step:
    if event is None:
        return Step(label, "ahead")
    what = event.event.partition(".")[0]
    if what == "got":
        return Step(label, "done", event.at)
    if what == "down":
        return Step(label, "stopped", event.at, "对方系统暂时连不上")
    return Step(label, "now" if what == "asked" else "stopped", event.at)


def _road(application: Application, story: Sequence[Event]) -> tuple[Step, ...]:
    """The whole way, with the moments of what is behind."""
    at = {event.to_status: event.at for event in story if event.from_status != event.to_status}
    if application.status == "drawn":
        at.pop("repaid", None)  # paid back before, in use again (A3-13)
    steps: list[Step] = []
    for label, statuses in _ROAD:
        reached = next((at[status] for status in statuses if status in at), None)
        steps.append(Step(label, "done" if reached else "ahead", reached))
    if application.status in _ENDED:
        label = "没有通过" if application.status == "declined" else application.label
        if any(event.event == "decided_anew" for event in story):
            label = "用现在的资料重新审批"
        done = [step for step in steps if step.state == "done" and not _is_decline(step, application)]
        return (*done, Step(label, "stopped", at.get(application.status)))
    first = next((n for n, step in enumerate(steps) if step.state == "ahead"), None)
    if first is not None:
        note = "人工审查" if application.status == "referred" else ""
        steps[first] = msgspec.structs.replace(steps[first], state="now", note=note)
    return tuple(steps)


def _is_decline(step: Step, application: Application) -> bool:
    return application.status == "declined" and step.label == "审批"
