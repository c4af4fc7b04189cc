"""用款核查: the mobile bank asks before it pays out; fresh facts, the live strategy, one stored answer (A7-06, A3-25).

`allow` only when every fact is there and no rule says no. What a rule wants looked at is held for a person, whose
release is good for this one drawdown and is asked anew. A system that is down holds it too: try again later.
"""

import asyncio
import hmac
from collections.abc import Awaitable
from datetime import datetime, time, timedelta
from typing import Literal, TypeVar

import msgspec

from backend.core import clock
from backend.core.actor import Actor, everywhere
from backend.core.errors import Conflict, Unavailable
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract, ContractMissing
from backend.domains.customers import service as customers
from backend.domains.customers.model import Person
from backend.domains.decision import assess, moments
from backend.domains.decision.model import Case, SourceFacts, Stage
from backend.domains.post_loan import drawdowns, warnings
from backend.domains.post_loan.model import DrawdownCheck
from backend.domains.products.model import PURPOSES
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.domains.relations import service as relations
from backend.flows import loan_standing
from backend.flows.context import Context
from backend.integrations.core_banking.port import CoreCustomer, Line
from backend.integrations.http import OutsideRefused, OutsideUnavailable

T = TypeVar("T")

ASK_SECONDS = 5.0
"""How long the core system may take; the bank's customer waits."""
NOT_KNOWN = "额度情况暂时没有查到，这一笔先不放。请过几分钟再试；还不行，请联系客户经理"
ANSWERS: dict[str, Literal["allow", "hold", "refuse"]] = {
    "allowed": "allow",
    "used": "allow",
    "held": "hold",
    "released": "hold",
    "passed": "hold",
    "refused": "refuse",
    "rejected": "refuse",
}
"""How the bank hears the states of a check. A release is no permission: it is asked anew."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """`account_no` is the borrower's own account that gets the money, `payee_account` where it goes on to (受托支付),
    empty when it stays; `purpose` empty: the contract's."""

    application_id: str
    customer_hash: str
    request_no: str
    line_no: str
    amount_fen: int
    account_no: str
    payee_account: str = ""
    purpose: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is for the customer; `valid_until` of an allowance."""

    answer: Literal["allow", "hold", "refuse"]
    check_id: str
    text: str
    codes: tuple[str, ...]
    valid_until: datetime | None


class RequestReused(Conflict):
    """The bank's number belongs to another question."""

    code = "drawdown_request_reused"
    message = "这个用款请求编号已经用过，内容不一样"


class StandingChanged(Unavailable):
    """Another drawdown of this borrower was answered, or a warning raised, while this one asked: nothing is kept."""

    code = "drawdown_standing_changed"
    message = "额度情况刚刚有变化，这一笔先没有放，请再试一次"


class _Standing(msgspec.Struct, frozen=True):
    """What another transaction may change between the question and its answer."""

    drawn_today: int
    warning: str


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """Our own side, read in one transaction."""

    contract: Contract
    person: Person
    rules: InForce
    using: assess.Prepared | None
    overdue_days: int
    standing: _Standing
    payee: bytes | None
    payee_blocked: bool
    payee_verified: bool


async def check_drawdown(context: Context, asked: Question) -> Answer:
    """Raises `ContractMissing`, also for another customer's line; `RequestReused`; `StandingChanged`, where asking
    again under the same number is what to do."""
    async with context.db.read(everywhere("mobile bank")) as tx:
        institution_id = await contracts.institution_of(tx, asked.application_id)
    bank = Actor(kind="partner", id="mobile-bank", institution_id=institution_id, name="手机银行")
    async with context.db.read(bank) as tx:
        known = await _known(tx, asked)
        ours = context.clients.mobile_bank.customer_hash(known.person.id_number)
        if not hmac.compare_digest(ours.encode(), asked.customer_hash.encode()):
            raise ContractMissing()
        before = await drawdowns.of_request(tx, asked.application_id, asked.request_no)
    if before is not None:
        return _again(before, asked, known.payee)
    line, core = await asyncio.gather(
        _asked(context.clients.core_banking.line(asked.line_no)),
        _asked(context.clients.core_banking.find_customer(id_number=known.person.id_number)),
    )
    case = _case(asked, known, line, core)
    said = moments.say(Stage.DRAWDOWN_CHECK, case, known.using)
    async with context.db.begin(bank) as tx:
        return _answer(await _keep(tx, asked, known, case, said))


async def _known(tx: Tx, asked: Question) -> _Known:
    contract = await contracts.get(tx, asked.application_id)
    payee = drawdowns.payee_key(tx, asked.payee_account) if asked.payee_account else None
    money_to = asked.payee_account or asked.account_no
    loans_now = await loan_standing.of_line(tx, contract)
    return _Known(
        contract=contract,
        person=await customers.get(tx, contract.customer_id),
        rules=await regulation.in_force(tx, clock.today()),
        using=await moments.live(tx, contract.product_code, Stage.DRAWDOWN_CHECK),
        overdue_days=max((each.days_past_due for each in loans_now), default=0),
        standing=await _standing(tx, contract.customer_id),
        payee=payee,
        payee_blocked=await relations.blocked(tx, "payee", money_to),
        payee_verified=payee is not None and await drawdowns.verified(tx, contract.customer_id, payee),
    )


async def _standing(tx: Tx, customer_id: str) -> _Standing:
    midnight = datetime.combine(clock.today(), time(), clock.LOCAL)
    return _Standing(
        await drawdowns.count_today(tx, customer_id, midnight), await warnings.level(tx, customer_id)
    )


async def _asked(question: Awaitable[T]) -> T | None:
    """None where the core system is down, slow or knows nothing of it: the facts are then absent."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await question
    except (OutsideUnavailable, OutsideRefused, TimeoutError):
        return None


def _case(asked: Question, known: _Known, line: Line | None, core: CoreCustomer | None) -> Case:
    now = clock.now()
    facts: dict[str, object] = {
        "line_overdue_days": known.overdue_days,
        "line_warning": known.standing.warning,
        "drawdown_amount": asked.amount_fen,
        "drawdown_min_amount": known.rules.amount("drawdown.minimum"),
        "drawdown_count_today": known.standing.drawn_today,
        **_line_facts(known.contract, line),
        **_account_facts(asked, known, core),
    }
    purpose = asked.purpose or known.contract.purpose
    if purpose in PURPOSES:
        facts["drawdown_purpose_forbidden"] = purpose in known.rules.words("purposes.forbidden")
    return Case(
        product=known.contract.product_code,
        as_of=now,
        sources={"credit_lines": SourceFacts(observed_at=now, facts=facts)},
    )


def _line_facts(contract: Contract, line: Line | None) -> dict[str, object]:
    """Nothing of a line that is not this contract's. The contract's own last day counts where it is earlier."""
    if line is None or line.contract_no != contract.contract_no:
        return {}
    ends_on, today = min(line.ends_on, contract_rules.line_until(contract)), clock.today()
    status = line.status
    if contract.status in ("draft", "void", "terminated"):
        status = "closed"
    elif status == "active" and ends_on < today:
        status = "expired"
    return {
        "line_status": status,
        "line_available": line.available_fen,
        "line_days_left": (ends_on - today).days,
    }


def _account_facts(asked: Question, known: _Known, core: CoreCustomer | None) -> dict[str, object]:
    """Whose account gets the money, by the core system's word and our lists, never by the bank's question alone."""
    if core is None:
        return {}
    accounts = {account.account_no: account for account in core.accounts}
    facts: dict[str, object] = {}
    if own := accounts.get(asked.account_no):
        facts["line_account_frozen"] = own.status != "normal" or known.person.status == "frozen"
    payee = "self" if (asked.payee_account or asked.account_no) in accounts else "unverified"
    if payee == "unverified" and known.payee_verified:
        payee = "verified"
    return facts | {"drawdown_payee": "forbidden" if known.payee_blocked else payee}


async def _keep(
    tx: Tx, asked: Question, known: _Known, case: Case, said: moments.Assessment
) -> DrawdownCheck:
    """Assessment, answer, event and audit together. The borrower's lock makes questions at once, of any of their lines,
    follow each other, and what the earlier one changed is seen."""
    application = await applications.get(tx, asked.application_id, lock=True)
    await drawdowns.lock_borrower(tx, known.contract.customer_id)
    before = await drawdowns.of_request(tx, application.id, asked.request_no)
    if before is not None:
        return before
    if await _standing(tx, known.contract.customer_id) != known.standing:
        raise StandingChanged()
    assessment_id = await moments.record(
        tx, case, said, subject=asked.request_no, application_id=application.id
    )
    codes = [reason.code for reason in said.reasons if reason.severity in ("decline", "refer")]
    release = await _release(tx, asked, known, said, codes)
    status = "allowed" if release else _STATUS[said.outcome]
    minutes = known.rules.count("drawdown.valid_minutes")
    kept = await drawdowns.keep(
        tx,
        application_id=application.id,
        customer_id=known.contract.customer_id,
        request_no=asked.request_no,
        amount_fen=asked.amount_fen,
        payee=known.payee,
        status=status,
        reason_codes=[] if said.gaps else codes,
        said="" if status == "allowed" else _sentence(said),
        assessment_id=assessment_id,
        release_id=release.id if release else None,
        valid_until=tx.now + timedelta(minutes=minutes) if status == "allowed" else None,
    )
    await applications.note(tx, application, f"drawdown_{status}", asked.request_no)
    return kept


_STATUS = {moments.ALLOWED: "allowed", moments.ASK: "held", moments.NOT_ALLOWED: "refused"}


async def _release(
    tx: Tx, asked: Question, known: _Known, said: moments.Assessment, codes: list[str]
) -> DrawdownCheck | None:
    """A person's release of this drawdown, where they saw everything that is held against it now. Missing facts are
    nobody's to let pass."""
    if said.outcome != moments.ASK or said.gaps or not codes:
        return None
    release = await drawdowns.release_for(tx, asked.application_id, asked.amount_fen, known.payee)
    if release is None or not set(codes) <= set(release.reason_codes):
        return None
    await drawdowns.passed(tx, release)
    return release


def _sentence(said: moments.Assessment) -> str:
    """The plain sentence: every reason once, then what to do."""
    if said.gaps or not said.strategy:
        return NOT_KNOWN
    against = [each for each in said.reasons if each.severity in ("decline", "refer")]
    if said.outcome == moments.NOT_ALLOWED:
        against = [each for each in against if each.severity == "decline"]
    told = dict.fromkeys(each.text.rstrip("。") for each in against)
    advice = dict.fromkeys(each.advice.rstrip("。") for each in against if each.advice)
    return "；".join(told) + "。" + "；".join(advice)


def _again(check: DrawdownCheck, asked: Question, payee: bytes | None) -> Answer:
    if (check.amount_fen, check.payee) != (asked.amount_fen, payee):
        raise RequestReused()
    return _answer(check)


def _answer(check: DrawdownCheck) -> Answer:
    answer = ANSWERS[check.status]
    return Answer(
        answer=answer,
        check_id=check.id,
        text=check.said,
        codes=check.reason_codes,
        valid_until=check.valid_until if answer == "allow" else None,
    )
