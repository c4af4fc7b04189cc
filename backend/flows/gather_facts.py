"""Ask the outside systems what a decision needs, each once, and write down what each one said (A5-02, A5-09).

The identity check, core banking and the data platform are asked at once. The credit bureau is asked only when
the identity is confirmed: a report about somebody else would be a query nobody agreed to (D3-09). An answer is
kept before the next step, so that a crash or a pause neither asks nor pays twice.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from backend.core import clock, failpoints
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.applications import declarations
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.customers import card_form, consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import Consent, Person
from backend.domains.decision import facts as decision_facts
from backend.domains.decision.model import SourceFacts
from backend.domains.evidence import service as evidence
from backend.domains.evidence.model import Answer, Repetition
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution
from backend.domains.products import service as products
from backend.domains.products.model import Product, ProductNotLive
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.flows.context import Context
from backend.integrations.data_platform.port import Features
from backend.integrations.http import OutsideRefused, OutsideUnavailable
from backend.integrations.identity_check.port import Match
from backend.ocr import reading

ANSWERED = failpoints.declare("decide.answered", "a system answered; its answer is not kept yet")
KEPT = failpoints.declare("decide.kept", "an answer is kept; others may be missing")


class Gathered(msgspec.Struct, frozen=True):
    """`down` are the systems that did not answer; `promised_fen` what the case's person was promised elsewhere
    with us when the facts were read. `product` is the one applied for, also when it has ended since: its facts
    are then absent."""

    product: Product
    sources: dict[str, SourceFacts]
    down: tuple[str, ...]
    promised_fen: int


class _Known(msgspec.Struct, frozen=True):
    """Everything of our own that goes into the case, read in one transaction."""

    person: Person
    product: Product
    on_offer: bool
    institution: Institution
    rules: InForce
    consents: dict[str, Consent]
    answers: dict[str, Answer]
    repetition: Repetition
    promised_fen: int
    printed: card_form.Printed | None


async def gather_facts(context: Context, actor: Actor, application: Application, *, quiet: bool) -> Gathered:
    """All facts of a case. Never raises for a system that is down or refuses: its facts are then absent.

    `quiet` leaves out the notes on the case's story, for the repeated tries of a held case.
    """
    async with context.db.read(actor) as tx:
        known = await _known(tx, application)
    asking = _Asking(context, actor, application, known, quiet)
    await asyncio.gather(*(asking.ask(s) for s in ("identity_check", "core_banking", "data_platform")))
    if _is_the_person(asking.answers.get("identity_check")):
        await asking.ask("credit_bureau")
    own = _own_sources(application, known)
    outside = {source: _source(answer) for source, answer in asking.answers.items()}
    return Gathered(known.product, {**own, **outside}, tuple(sorted(asking.down)), known.promised_fen)


def _is_the_person(identity: Answer | None) -> bool:
    """Who consented is who the report is about: the identity holds, and the phone is not somebody else's."""
    if identity is None:
        return False
    return identity.facts.get("identity_match") == "match" and identity.facts.get("phone_match") != "mismatch"


async def _known(tx: Tx, application: Application) -> _Known:
    assert application.customer_id is not None, "submit_application checked it"
    today = clock.today()
    person = await customers.get(tx, application.customer_id)
    product, on_offer = await _product(tx, application)
    standing = [c for c in await consents.given(tx, application.customer_id) if _stands(c, tx.now)]
    return _Known(
        person=person,
        product=product,
        on_offer=on_offer,
        institution=await institutions.get(tx, tx.institution_id),
        rules=await regulation.in_force(tx, today),
        consents={c.purpose: c for c in reversed(standing)},
        answers=await evidence.answers(tx, application.id),
        repetition=await evidence.repetition(tx, application.id),
        promised_fen=await contracts.promised(tx, person),
        printed=await _printed(tx, application),
    )


async def _printed(tx: Tx, application: Application) -> card_form.Printed | None:
    """What the photographs say; None for a case without any, which no page leads to."""
    found = [
        await applications.latest_capture(tx, application, k) for k in (reading.ID_FRONT, reading.ID_BACK)
    ]
    readings: list[Any] = [capture.reading for capture in found if capture is not None and capture.reading]
    read = {label: text for each in readings for label, text in each["fields"].items()}
    return (
        card_form.printed(read, {label for each in readings for label in each["doubtful"]}) if read else None
    )


async def _product(tx: Tx, application: Application) -> tuple[Product, bool]:
    """The product as it stands today; the version applied for, and False, when it is no longer on offer."""
    assert application.submitted_at is not None
    code, begun_on = application.product_code, clock.local(application.submitted_at).date()
    try:
        return await products.get_live(tx, tx.institution_id, code, clock.today()), True
    except ProductNotLive:
        return await products.get_begun(tx, tx.institution_id, code, begun_on), False


def _stands(consent: Consent, now: datetime) -> bool:
    today = clock.local(now).date()
    return consent.withdrawn_at is None and (consent.valid_until is None or consent.valid_until >= today)


class _Asking:
    """One round of questions; `answers` by source, `down` what could not be reached."""

    def __init__(
        self, context: Context, actor: Actor, application: Application, known: _Known, quiet: bool
    ) -> None:
        self._context, self._actor, self._application = context, actor, application
        self._known, self._quiet = known, quiet
        self.answers = dict(known.answers)
        self.down: set[str] = set()
        self._questions: dict[str, Callable[[], Awaitable[Answer | None]]] = {
            "identity_check": self._identity_check,
            "core_banking": self._core_banking,
            "data_platform": self._data_platform,
            "credit_bureau": self._credit_bureau,
        }

    async def ask(self, source: str) -> None:
        """Ask unless it is known. A system that is down is noted, one that refuses leaves its facts absent."""
        if source in self.answers:
            return
        await self._note(f"asked.{source}")
        try:
            answer = await self._questions[source]()
        except OutsideUnavailable as failure:
            self.down.add(source)
            await self._note(f"down.{source}", failure.reason)
            return
        except OutsideRefused as refusal:
            await self._note(f"refused.{source}", refusal.remote_code)
            return
        if answer is None:
            await self._note(f"no_consent.{source}")
            return
        failpoints.hit(ANSWERED)
        async with self._context.db.begin(self._actor) as tx:
            # The case's lock comes first: the answer's foreign key would share it, and two that share it
            # and both want it for their note wait for each other.
            await applications.get(tx, self._application.id, lock=True)
            if await evidence.store(tx, self._application.id, answer) and not self._quiet:
                await applications.note(tx, self._application, f"got.{source}")
            self.answers[source] = (await evidence.answers(tx, self._application.id))[source]
        failpoints.hit(KEPT)

    async def _note(self, event: str, why: str = "") -> None:
        if not self._quiet:
            async with self._context.db.begin(self._actor) as tx:
                await applications.note(tx, self._application, event, why)

    def _consent(self, purpose: Purpose) -> Consent | None:
        return self._known.consents.get(purpose)

    async def _identity_check(self) -> Answer | None:
        consent = self._consent(Purpose.IDENTITY_CHECK)
        if consent is None:
            return None
        person = self._known.person
        said = await self._context.clients.identity_check.verify(
            name=person.name,
            id_number=person.id_number,
            phone=person.phone or "",
            authorisation_id=consent.id,
            case_id=self._application.id,
            key=f"identity:{self._application.id}",
        )
        match = "match"
        if said.result is Match.NOT_FOUND:
            match = "no_record"
        elif said.result is not Match.MATCH:
            match = "name_mismatch"
        elif said.photo_result is Match.MISMATCH:
            match = "photo_mismatch"
        raw = msgspec.json.encode(said)
        return Answer(
            source="identity_check",
            consent_id=consent.id,
            reference=said.query_id,
            sha256=hashlib.sha256(raw).hexdigest(),
            facts={"identity_match": match, "phone_match": str(said.phone_result)},
            raw=raw,
            observed_at=said.checked_at,
            price_fen=said.price_fen,
        )

    async def _credit_bureau(self) -> Answer | None:
        consent = self._consent(Purpose.BUREAU_QUERY)
        if consent is None:
            return None
        report = await self._context.clients.credit_bureau.report(
            name=self._known.person.name,
            id_number=self._known.person.id_number,
            purpose="loan_application",
            authorisation_id=consent.id,
            consent_sha256=consent.text_sha256,
            case_id=self._application.id,
            key=f"bureau:{self._application.id}",
        )
        return Answer(
            source="credit_bureau",
            consent_id=consent.id,
            reference=report.report_id,
            sha256=report.sha256,
            facts=report.facts,
            raw=report.raw,
            observed_at=report.queried_at,
            price_fen=report.price_fen,
        )

    async def _core_banking(self) -> Answer | None:
        said = await self._context.clients.core_banking.facts(
            id_number=self._known.person.id_number,
            names=_names("core_banking"),
            case_id=self._application.id,
        )
        return _features("core_banking", None, said)

    async def _data_platform(self) -> Answer | None:
        consent = self._consent(Purpose.DATA_PLATFORM)
        if consent is None:
            return None
        said = await self._context.clients.data_platform.features(
            id_number=self._known.person.id_number,
            names=_names("data_platform"),
            authorisation_id=consent.id,
            case_id=self._application.id,
        )
        return _features("data_platform", consent.id, said)


def _names(source: str) -> list[str]:
    return [fact.name for fact in decision_facts.catalogue().facts.values() if fact.source == source]


def _features(source: str, consent_id: str | None, said: Features) -> Answer:
    raw = msgspec.json.encode(said, order="deterministic")
    digest = hashlib.sha256(raw).hexdigest()
    return Answer(
        source=source,
        consent_id=consent_id,
        reference=digest[:16],
        sha256=digest,
        facts=said.facts,
        raw=raw,
        observed_at=said.observed_at,
    )


def _source(answer: Answer) -> SourceFacts:
    return SourceFacts(observed_at=answer.observed_at, consent_id=answer.consent_id, facts=dict(answer.facts))


def _own_sources(application: Application, known: _Known) -> dict[str, SourceFacts]:
    assert application.submitted_at is not None
    day = datetime.combine(known.rules.on, time(), tzinfo=clock.LOCAL)
    effective = datetime.combine(known.product.effective_from, time(), tzinfo=clock.LOCAL)
    own = {}
    # A product that has ended, or one judged at the spot (D1-06), is decided by a person.
    if known.on_offer and known.product.terms.judgement == "model":
        own["product"] = SourceFacts(observed_at=effective, facts=_product_facts(application, known))
    liveness = "passed" if application.liveness == "passed" else "skipped"
    return own | {
        "application": SourceFacts(
            observed_at=application.submitted_at, facts=_application_facts(application, known)
        ),
        "own_records": SourceFacts(
            observed_at=application.submitted_at,
            # What we approved and nobody has booked yet counts towards the cap, beside what is booked (D1-01).
            facts={**msgspec.structs.asdict(known.repetition), "own_promised_credit": known.promised_fen},
        ),
        "liveness": SourceFacts(observed_at=application.submitted_at, facts={"liveness_result": liveness}),
        "regulation": SourceFacts(observed_at=day, facts=_regulation_facts(application, known.rules)),
    }


def _application_facts(application: Application, known: _Known) -> dict[str, object]:
    person, declared = known.person, application.declared
    until = person.card_valid_until
    facts: dict[str, object] = {
        "birth_on": person.birth_on.isoformat(),
        "id_expires_on": until.isoformat() if until else "9999-12-31",
        "in_service_area": institutions.covers(known.institution, person.id_number, person.address),
        "requested_amount": declared.amount_fen,
        "requested_term_months": declared.term_months,
        "purpose": declared.purpose,
        "declared_annual_income": declarations.INCOMES[declared.income_band].annual_fen,
        "occupation": "student" if declared.student else declared.occupation or "other",
    }
    over = _typed_over(known)
    return {name: value for name, value in facts.items() if name not in over}


def _typed_over(known: _Known) -> set[str]:
    """Facts that hold only by what the person typed over what the card says: no fact, so a person looks at the
    photographs (A5-03, D1-12). Name and number are proved by the identity check and the face."""
    printed, person = known.printed, known.person
    if printed is None:
        return set()
    over = set()
    if printed.id_number and printed.id_number != person.id_number:
        over.add("birth_on")
    today, until = known.rules.on, person.card_valid_until
    if (until is None or until >= today) and not printed.holds(today):
        over.add("id_expires_on")
    here, number = known.institution, person.id_number
    if institutions.covers(here, number, person.address) > institutions.covers(here, number, printed.address):
        over.add("in_service_area")
    return over


def _product_facts(application: Application, known: _Known) -> dict[str, object]:
    terms = known.product.terms
    method = contract_rules.method_for(terms, application.declared.term_months)
    months = terms.terms_of(method)
    return {
        "product_kind": terms.purpose_class,
        "purpose_in_product": application.declared.purpose in terms.purposes,
        "product_min_amount": terms.amount_min,
        "product_max_amount": terms.amount_max,
        "product_min_term_months": min(months),
        "product_max_term_months": max(months),
        "product_min_age": terms.age_min,
        "product_max_age": terms.age_max,
        "product_rate_floor_bp": _bp(terms.rate_min),
        "product_rate_cap_bp": _bp(terms.rate_max),
        "product_repayment_method": str(method),
        "campaign_discount_bp": 0,
    }


def _regulation_facts(application: Application, rules: InForce) -> dict[str, object]:
    return {
        "purpose_forbidden": application.declared.purpose in rules.words("purposes.forbidden"),
        "lpr_1y_bp": _bp(rules.rate("lpr.1y")),
        "reg_internet_consumer_cap": rules.amount("internet_consumer.cap"),
        "reg_bullet_max_term_months": rules.count("internet_consumer.bullet_months"),
        "reg_all_in_cost_cap_bp": _bp(rules.rate("all_in_cost.cap")),
        "reg_on_site_skip_amount": rules.amount("on_site.skip_amount"),
        "reg_consumer_max_term_months": rules.count("consumer.term_months"),
        "reg_min_age": rules.count("age.minimum"),
    }


def _bp(rate: Decimal) -> int:
    return int(rate * 10_000)
