"""审批: gather the facts, evaluate, record decision, move and effects together (A3-09, A3-12, N19).

Safe to run again from any point: what was answered is kept, the status is compared before it is set, and the
decision is written in the transaction that moves the case.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import structlog

from backend.core import clock, failpoints
from backend.core.actor import Actor
from backend.core.errors import Invalid, Unavailable
from backend.db.database import Tx
from backend.db.together import Together
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.campaigns import sentinel
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Terms
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Capsule, Case, Outcome, Stage, StrategyRefused, VersionMissing
from backend.domains.models import service as models
from backend.domains.regulation import calendar
from backend.domains.regulation import service as regulation
from backend.domains.relations import service as relations
from backend.domains.relations.model import Neighbourhood
from backend.domains.reviews import service as reviews
from backend.flows import gather_facts, notify, sample_recheck
from backend.flows.context import Context

log = structlog.get_logger("decide")

HELD_FOR = timedelta(hours=4)
"""How long a case waits for a system that is down before a person takes over (N19)."""

OFFER_DAYS = 30
HELPER = "RL_HELPER"
EVALUATE_SECONDS = 5.0

TAKEN = failpoints.declare("decide.taken", "the case is being decided; nothing was asked yet")
GATHERED = failpoints.declare("decide.gathered", "all answers are kept; nothing is decided")
EVALUATED = failpoints.declare("decide.evaluated", "the decision is made but not recorded")
RECORDED = failpoints.declare("decide.recorded", "the decision is recorded, and its effect with it")

_OPEN = ("submitted", "deciding", "held")


class FactsChanged(Unavailable):
    """While others were asked, something of our own became another: a consent was withdrawn, the person frozen or put
    on a list, another case of theirs approved. The facts are read again."""

    code = "facts_changed"
    message = "您的资料刚刚有变化，正在重新核对，马上继续"


class Taken(msgspec.Struct, frozen=True):
    """A case in hand, with everything of our own that decides it; a case that is closed to us has nothing.

    `usable`: whether it may be decided without a person: the versions it began with still pass our checks, and its
    customer is not frozen.
    """

    application: Application
    bundle: decisions.Bundle | None = None
    usable: bool = True
    known: gather_facts.Known | None = None


Done = Callable[[Tx], Coroutine[Any, Any, None]]
"""What is to be written in the transaction that ends a try at a case, beside everything else of it."""


async def take(tx: Tx, application_id: str, *, at_once: Done | None = None) -> Taken:
    """The case, locked, and what decides it. Need not be durable: what is decided later is written after it, and what
    is not is taken again.

    With `at_once` (what is to be written with the decision) it is decided here and now if every question was answered
    before: nobody is asked, and it is one durable commit. Raises then as `decide_application`, with nothing written.
    """
    application = await applications.get(tx, application_id, lock=True)
    if application.status not in _OPEN:
        return Taken(application)
    async with Together(tx) as also:
        bundles, read = also(_bundle(tx, application)), also(gather_facts.read(tx, application))
    bundle, usable = bundles.result()
    usable = usable and read.result().person.status != "frozen"
    await _watch_placement(tx, application, read.result().around)
    known = await gather_facts.known(tx, application, bundle, read.result())
    gathered = gather_facts.at_hand(application, bundle, known) if at_once else None
    if at_once and gathered:
        # Here and not on a thread: it holds the interpreter either way, for some two milliseconds.
        capsule, advice = _think(gathered, bundle, usable)
        failpoints.hit(EVALUATED)
        tx.durable = True
        return Taken(await _write(tx, application, gathered, capsule, advice, at_once))
    if application.status == "submitted":
        application = await applications.move(tx, application, "deciding", "deciding")
        await notify.announce_received(tx, application)
    return Taken(application, bundle, usable, known)


async def _watch_placement(tx: Tx, application: Application, around: Neighbourhood) -> None:
    """One pair of hands for several households, by the rules of the graph: the code they came by is watched (N15).
    The case itself goes on; its own facts say the same to the decision."""
    if application.code_id is None:
        return
    if any(hit.code == HELPER for hit in await relations.hits(tx, around)):
        await sentinel.signal(tx, application.code_id, "helper", application.id)


async def decide_application(
    context: Context,
    actor: Actor,
    application_id: str,
    *,
    taken: Taken | None = None,
    done: Done | None = None,
) -> Application:
    """submitted, deciding or held → approved, declined, referred or held; anything else is left as it is.

    `taken` by who calls, or here. Raises Unavailable when it should be tried again.
    """
    if taken is None:
        async with context.db.begin(actor, durable=False) as tx:
            taken = await take(tx, application_id)
    application, bundle, known = taken.application, taken.bundle, taken.known
    if bundle is None or known is None:
        return application
    failpoints.hit(TAKEN)
    waiting = application.status == "held"
    gathered = await gather_facts.gather_facts(context, actor, application, bundle, known, quiet=waiting)
    failpoints.hit(GATHERED)
    if gathered.down and clock.now() < _hold_until(application):
        return application if waiting else await _hold(context, actor, application, gathered.down, done)
    capsule, advice = await asyncio.to_thread(_think, gathered, bundle, taken.usable)
    failpoints.hit(EVALUATED)
    decided = await _record(context, actor, taken, gathered, capsule, advice, done)
    failpoints.hit(RECORDED)
    return decided


def _think(
    gathered: gather_facts.Gathered, bundle: decisions.Bundle, usable: bool
) -> tuple[Capsule, decisions.Nearest | None]:
    """Pure CPU."""
    case = Case(product=gathered.product.code, as_of=clock.now(), sources=gathered.sources)
    if not usable:
        case = msgspec.structs.replace(case, interrupted_at=str(Stage.FRAUD_CHECK))
    said = decisions.Said(told=True)
    capsule = decisions.decide(case, bundle, deadline=time.monotonic() + EVALUATE_SECONDS, said=said)
    return capsule, decisions.nearest_change(capsule, bundle, said)


async def _bundle(tx: Tx, application: Application) -> tuple[decisions.Bundle, bool]:
    """The versions the case began with, and the model its family's line-up gives it. Where the versions no longer
    pass our checks, or the model does not, a person decides: False, and the case is evaluated as one whose deadline
    struck before the first stage. Another model than the one head office chose approves nobody."""
    try:
        async with Together(tx) as also:
            bundle = also(decisions.bundle_for(tx, application.product_code, application.id))
            product = also(gather_facts.product_of(tx, application))
        family = product.result()[0].terms.purpose_class
    except (StrategyRefused, VersionMissing) as problem:
        log.error("strategies unusable", application=application.id, error=problem.code)
        return decisions.seeded(), False
    try:
        card = await models.chosen(tx, family, application.id)
        return bundle.result() if card is None else decisions.with_card(bundle.result(), card), True
    except Invalid as unfit:
        log.error("the chosen model does not fit", application=application.id, error=unfit.code)
        return bundle.result(), False


def _hold_until(application: Application) -> datetime:
    assert application.submitted_at is not None
    return application.submitted_at + HELD_FOR


async def _hold(
    context: Context, actor: Actor, application: Application, down: tuple[str, ...], done: Done | None
) -> Application:
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application.id, lock=True)
        if application.status != "deciding":
            return application
        held = await applications.move(
            tx, application, "held", "held", ",".join(down), promised_at=_hold_until(application)
        )
        await notify.announce(tx, held)
        if done:
            await done(tx)
        return held


async def _record(
    context: Context,
    actor: Actor,
    taken: Taken,
    gathered: gather_facts.Gathered,
    capsule: Capsule,
    advice: decisions.Nearest | None,
    done: Done | None,
) -> Application:
    """Decision, move and everything that follows from it: all or nothing."""
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, taken.application.id, lock=True)
        if application.status not in _OPEN:
            return application
        if capsule.decision.outcome is Outcome.APPROVED:
            await _as_known(tx, application, taken)
        return await _write(tx, application, gathered, capsule, advice, done)


async def _write(
    tx: Tx,
    application: Application,
    gathered: gather_facts.Gathered,
    capsule: Capsule,
    advice: decisions.Nearest | None,
    done: Done | None,
) -> Application:
    """Of a case that is open and locked, and in whose facts nothing has changed."""
    if application.status == "held":
        application = await applications.move(tx, application, "deciding", "resumed")
    outcome, untold = capsule.decision.outcome, application.status == "submitted"
    async with Together(tx, writing=True) as also:
        recorded = also(decisions.record(tx, application.id, capsule, advice=advice))
        if outcome is Outcome.APPROVED:
            also(_prepare(tx, application, gathered, capsule))
            moved = also(applications.move(tx, application, "approved", "approved"))
        elif outcome is Outcome.REFERRED:
            moved = also(_refer(tx, application))
        else:
            moved = also(applications.move(tx, application, "declined", "declined", _codes(capsule)))
        if untold:
            also(notify.announce_first(tx, application.id, outcome))
        if done:
            also(done(tx))
    decided = moved.result()
    if outcome is Outcome.APPROVED:
        await sample_recheck.sample_recheck(tx, application.id, recorded.result().id, capsule)
    if not untold:
        await notify.announce(tx, decided)
    return decided


async def _as_known(tx: Tx, application: Application, taken: Taken) -> None:
    """Raises `FactsChanged`; else nothing is promised to the person beside this until the transaction ends."""
    assert taken.bundle is not None
    assert taken.known is not None
    now = await gather_facts.known(tx, application, taken.bundle, await gather_facts.read(tx, application))
    if msgspec.structs.replace(now, answers=taken.known.answers) != taken.known:
        raise FactsChanged()


async def _prepare(
    tx: Tx, application: Application, gathered: gather_facts.Gathered, capsule: Capsule
) -> None:
    """The contract of an approval."""
    decision, terms, person = capsule.decision, gathered.product.terms, gathered.person
    assert person.id == application.customer_id
    assert decision.amount_fen is not None
    assert decision.annual_rate_bp is not None
    assert decision.term_months is not None
    agreed = Terms(
        agreed_by="decision",
        product_code=gathered.product.code,
        product_name=gathered.product.name,
        internet_consumer=terms.is_internet_loan and terms.purpose_class == "consumer",
        limit_fen=decision.amount_fen,
        annual_rate=Decimal(decision.annual_rate_bp) / 10_000,
        term_months=decision.term_months,
        repayment_method=contract_rules.method_for(terms, decision.term_months),
        purpose=application.declared.purpose,
        agreed_on=clock.today(),
        valid_until=clock.today() + timedelta(days=OFFER_DAYS),
    )
    await contracts.prepare(tx, application.id, person, agreed)


async def _refer(tx: Tx, application: Application) -> Application:
    rules = await regulation.in_force(tx, clock.today())
    due = await calendar.due(tx, rules.count("human_review.working_days"))
    await reviews.open_review(tx, application.id, "referred", due_at=due)
    return await applications.move(tx, application, "referred", "referred", promised_at=due)


def _codes(capsule: Capsule) -> str:
    return ",".join(reason.code for reason in capsule.decision.reasons)
