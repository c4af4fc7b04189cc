"""贷后预警: every night each line with a loan, its signals, the live strategy, and what it asks for (A6-06, A3-25).

Our own books, the core system's, and at most once a month the bureau's, whose consent covers the loan until it is
paid off; the data platform's covers the application alone and is not asked. A system that is down leaves the line
for a later run; after a night without it the line is looked at with what is there, which is a watch at least.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from backend.core import clock
from backend.core.actor import Actor, everywhere, system
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import Consent, Person
from backend.domains.decision import assess, moments
from backend.domains.decision import facts as decision_facts
from backend.domains.decision.model import Case, SourceFacts, Stage
from backend.domains.evidence import service as evidence
from backend.domains.guarantees import service as guarantees
from backend.domains.post_loan import looks, warnings
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.domains.regulation import calendar
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.flows import check_guarantor, collect, loan_standing
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused, OutsideUnavailable
from backend.overview import loan_lines

log = structlog.get_logger("warnings")

AT_ONCE = 4
BATCH = 200
QUARTER = timedelta(days=90)


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """Our own side of a line, read in one transaction."""

    application: Application
    contract: Contract
    person: Person
    rules: InForce
    using: assess.Prepared | None
    standing: Sequence[loan_standing.Standing]
    consent: Consent | None
    readings: Sequence[looks.Reading]
    observed: tuple[str, datetime] | None
    guarantor_overdue: bool | None
    waited: bool


async def watch_loans(context: Context) -> int:
    """Look at every line not looked at today; how many were. Safe to run twice and beside itself."""
    today, after, done = clock.today(), loan_lines.START, 0
    while True:
        async with context.db.read(everywhere("warnings")) as tx:
            lines = await loan_lines.unlooked(tx, today, after, BATCH)
        if not lines:
            return done
        gate = asyncio.Semaphore(AT_ONCE)
        done += sum(await asyncio.gather(*(_one(context, gate, *line) for line in lines)))
        after = lines[-1]


async def _one(context: Context, gate: asyncio.Semaphore, institution_id: str, application_id: str) -> bool:
    """One line's trouble is not the others'."""
    async with gate:
        try:
            return await watch_line(context, system(institution_id, "warnings"), application_id)
        except Exception as error:
            # It is said at level error every time until somebody has looked, and the night goes on.
            log.error("a line could not be looked at", application=application_id, error=type(error).__name__)
            return False


async def watch_line(context: Context, actor: Actor, application_id: str) -> bool:
    """One line tonight; False where it waits for a system, or was looked at already."""
    async with context.db.read(actor) as tx:
        known = await _known(tx, application_id)
    if not known.standing:
        return False
    books = await _ask_core(context, known)
    readings = await _ask_bureau(context, actor, known)
    if (books is None or readings is None) and not known.waited:
        return False
    case = _case(known, books or {}, known.readings if readings is None else readings)
    said = moments.say(Stage.EARLY_WARNING, case, known.using)
    async with context.db.begin(actor) as tx:
        return await _keep(tx, known, case, said)


async def _known(tx: Tx, application_id: str) -> _Known:
    contract, today = await contracts.get(tx, application_id), clock.today()
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    given = await consents.given(tx, contract.customer_id)
    bureau = [each for each in given if each.purpose == Purpose.BUREAU_QUERY and each.withdrawn_at is None]
    last = await looks.last_on(tx, application_id)
    return _Known(
        application=await applications.get(tx, application_id),
        contract=contract,
        person=await customers.get(tx, contract.customer_id),
        rules=await regulation.in_force(tx, today),
        using=await moments.live(tx, contract.product_code, Stage.EARLY_WARNING),
        standing=await loan_standing.of_line(tx, contract),
        consent=bureau[0] if bureau else None,
        readings=await _readings(tx, application_id),
        observed=await warnings.observed(tx, application_id),
        guarantor_overdue=await _guarantor_overdue(tx, product, application_id),
        waited=last is not None and last < today - timedelta(days=1),
    )


async def _guarantor_overdue(tx: Tx, product: Product, application_id: str) -> bool | None:
    """By our own books, of whoever answers for the line (A6-06). None where somebody should and nobody is known here:
    the fact is then absent, and the line a watch."""
    if "surety" not in product.terms.risk_mitigation:
        return False
    given = await guarantees.confirmed(tx, application_id)
    if not given:
        return None
    late = [await check_guarantor.overdue(tx, g.guarantor_id) for g in given if g.guarantor_id]
    return any(late)


async def _readings(tx: Tx, application_id: str) -> list[looks.Reading]:
    """What the bureau ever said of the number of lenders, the report of the decision first."""
    found = await looks.readings(tx, application_id)
    first = (await evidence.answers(tx, application_id)).get("credit_bureau")
    lenders = first.facts.get("bureau_lenders_open") if first else None
    if first is not None and isinstance(lenders, int):
        found.insert(0, looks.Reading(read_at=first.observed_at, lenders=lenders))
    return found


async def _ask_core(context: Context, known: _Known) -> Mapping[str, object] | None:
    """Signals of our own books; None where the core system does not answer."""
    core, case_id, number = context.clients.core_banking, known.application.id, known.person.id_number
    try:
        customer = await core.find_customer(id_number=number)
        if customer is None:
            return {}
        flows = await core.flows(customer_no=customer.customer_no, months=7)
        average = await core.facts(id_number=number, names=["core_deposit_average_6m"], case_id=case_id)
    except (OutsideUnavailable, OutsideRefused):
        return None
    inflow = [month.in_fen for month in flows[1:]]  # this month is not over
    facts: dict[str, object] = {
        # Frozen by a court: execution against our customer, known from our own books.
        "loan_court_case": any(account.status == "frozen" for account in customer.accounts),
    }
    if len(inflow) == 6:
        facts["loan_inflow_change_bp"] = change_bp(sum(inflow[3:]), sum(inflow[:3]))
    half_year = average.facts.get("core_deposit_average_6m")
    if isinstance(half_year, int):
        balance = sum(account.balance_fen for account in customer.accounts)
        facts["loan_deposit_change_bp"] = change_bp(half_year, balance)
    return facts


def change_bp(before: int, now: int) -> int:
    """Basis points of a change, within the range of the catalogue; 0 where there was nothing before."""
    return min(1_000_000, (now - before) * 10_000 // before) if before > 0 else 0


async def _ask_bureau(context: Context, actor: Actor, known: _Known) -> Sequence[looks.Reading] | None:
    """The readings, with a new one where the last is old enough; None where the bureau does not answer. Nobody is
    asked about without a consent that stands."""
    now, last = clock.now(), known.readings[-1] if known.readings else None
    apart = timedelta(days=known.rules.count("warning.bureau_days"))
    if known.consent is None or (last is not None and last.read_at > now - apart):
        return known.readings
    try:
        report = await context.clients.credit_bureau.report(
            name=known.person.name,
            id_number=known.person.id_number,
            purpose="post_loan_review",
            authorisation_id=known.consent.id,
            consent_sha256=known.consent.text_sha256,
            case_id=known.application.id,
            key=f"bureau:after:{known.application.id}:{len(known.readings)}",
        )
    except (OutsideUnavailable, OutsideRefused):
        return None
    lenders = report.facts.get("bureau_lenders_open", 0)
    reading = looks.NewReading(
        customer_id=known.contract.customer_id,
        consent_id=known.consent.id,
        reference=report.report_id,
        sha256=report.sha256,
        price_fen=report.price_fen,
        lenders=lenders if isinstance(lenders, int) else 0,
        read_at=report.queried_at,
    )
    async with context.db.begin(actor) as tx:
        await looks.read(tx, known.application.id, reading)
    return [*known.readings, looks.Reading(read_at=reading.read_at, lenders=reading.lenders)]


def _case(known: _Known, books: Mapping[str, object], readings: Sequence[looks.Reading]) -> Case:
    now = clock.now()
    seen = _still_true(known.observed, now)
    facts: dict[str, object] = {
        "loan_days_past_due": max(each.days_past_due for each in known.standing),
        "loan_overdue_times_6m": sum(each.late for each in known.standing),
        "loan_misuse": seen.removeprefix("misuse_") if seen.startswith("misuse_") else "none",
        "loan_contact_lost": seen == "contact_lost",
        **books,
    }
    if known.guarantor_overdue is not None:
        facts["loan_guarantor_overdue"] = known.guarantor_overdue
    lenders = new_lenders(readings, now)
    if lenders is not None:
        facts["loan_new_lenders_3m"] = lenders
    return Case(
        product=known.contract.product_code,
        as_of=now,
        sources={"post_loan": SourceFacts(observed_at=now, facts=facts)},
    )


def _still_true(observed: tuple[str, datetime] | None, now: datetime) -> str:
    """What a person saw, for as long as the catalogue lets such a fact count."""
    if observed is None:
        return ""
    name = "loan_contact_lost" if observed[0] == "contact_lost" else "loan_misuse"
    return observed[0] if observed[1] > now - _fresh(name) else ""


def new_lenders(readings: Sequence[looks.Reading], now: datetime) -> int | None:
    """Lenders more than a quarter ago (or at the first report, if that was later); None where the last report is too
    old to tell."""
    if not readings or readings[-1].read_at < now - _fresh("loan_new_lenders_3m"):
        return None
    before = [each for each in readings if each.read_at <= now - QUARTER]
    return max(0, readings[-1].lenders - (before[-1] if before else readings[0]).lenders)


def _fresh(name: str) -> timedelta:
    return timedelta(days=decision_facts.catalogue()[name].fresh_days or 0)


async def _keep(tx: Tx, known: _Known, case: Case, said: moments.Assessment) -> bool:
    """Tonight's look, and what it raises, together."""
    application = await applications.get(tx, known.application.id, lock=True)
    today = clock.today()
    if not await looks.looked(tx, application.id, today, said.outcome, len(said.gaps)):
        return False
    await moments.keep_case(tx, case, application.id)
    await collect.plan(tx, application, known.contract, known.standing)
    if said.outcome == moments.NONE:
        return True
    assessment_id = await moments.record(
        tx, case, said, subject=application.application_no, application_id=application.id
    )
    days = known.rules.count(f"warning.{said.outcome}.working_days")
    signal = warnings.Signal(
        application_id=application.id,
        customer_id=known.contract.customer_id,
        owner_id=application.officer_id,
        action=said.outcome,
        codes=tuple(dict.fromkeys(reason.code for reason in said.reasons)),
        said="；".join(dict.fromkeys(reason.text.rstrip("。") for reason in said.reasons)),
        assessment_id=assessment_id,
    )
    quiet_since = today - timedelta(days=known.rules.count("warning.quiet_days"))
    due = (await calendar.known(tx, today)).after(today, days)
    raised = await warnings.signalled(tx, signal, today, due, quiet_since)
    if raised is not None:
        await applications.note(tx, application, "warning_raised", raised.action)
    return True
