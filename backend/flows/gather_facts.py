"""Gather what a decision needs: ask outside (`ask_sources`), add what we know, and say of each how it is known.

Every source carries when it was observed and under which consent (D3-09), and the rung of the ladder it stands on
(N19); what the strategies do not look at is neither asked for nor passed on (A5-10).
"""

from collections.abc import Iterable
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.db.together import Together
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
from backend.domains.decision import service as decisions
from backend.domains.decision.model import SourceFacts, Standing
from backend.domains.evidence import service as evidence
from backend.domains.evidence import sources
from backend.domains.evidence.model import Answer
from backend.domains.guarantees import service as guarantees
from backend.domains.identity import service as identity
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution
from backend.domains.products import service as products
from backend.domains.products.model import Product, ProductNotLive
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.domains.relations import rules as relation_rules
from backend.domains.relations import service as relations
from backend.domains.relations.model import Neighbourhood, Velocity
from backend.domains.reviews import service as reviews
from backend.domains.surveys import rules as survey_rules
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import Survey, SurveyRefused
from backend.flows import ask_sources, compare_survey, said_in
from backend.flows.context import Context
from backend.ocr import reading


class Gathered(msgspec.Struct, frozen=True):
    """`down` are the systems nothing could be had of. `product` is the one applied for, also when it has ended since:
    its facts are then absent."""

    person: Person
    product: Product
    sources: dict[str, SourceFacts]
    down: tuple[str, ...]


class Known(msgspec.Struct, frozen=True):
    """Everything of our own that goes into the case, read in one transaction (`known`); `standing` are the ids of all
    consents that stand; `said_at` is when the customer said and showed what is theirs."""

    said_at: datetime
    person: Person
    product: Product
    on_offer: bool
    institution: Institution
    rules: InForce
    consents: dict[str, Consent]
    standing: frozenset[str]
    answers: dict[str, Answer]
    related: dict[str, int | bool | str]
    promised_fen: int
    guaranteed_fen: int
    printed: card_form.Printed | None
    survey: Survey | None
    villages: tuple[str, ...]


async def gather_facts(
    context: Context,
    actor: Actor,
    application: Application,
    bundle: decisions.Bundle,
    known: Known,
    *,
    quiet: bool,
) -> Gathered:
    """All facts the bundle looks at. Never raises for a system that is down or refuses: its facts are then absent.

    `quiet` leaves out the notes on the case's story, for the repeated tries of a held case.
    """
    answered = await ask_sources.ask_sources(
        context,
        actor,
        ask_sources.Subject(
            application=application,
            person=known.person,
            wanted=_wanted(bundle),
            consents=known.consents,
            answers=known.answers,
            quiet=quiet,
        ),
    )
    return _gathered(application, bundle, known, answered)


def at_hand(application: Application, bundle: decisions.Bundle, known: Known) -> Gathered | None:
    """As `gather_facts` of a case whose every question was answered before; None where somebody must be asked."""
    if not _wanted(bundle).keys() <= known.answers.keys():
        return None
    return _gathered(application, bundle, known, ask_sources.Answered(known.answers, ()))


def _gathered(
    application: Application, bundle: decisions.Bundle, known: Known, answered: ask_sources.Answered
) -> Gathered:
    wanted, own = _wanted(bundle), _own_sources(application, known)
    own |= _surveyed(application, known, answered.answers)
    outside = {
        source: _source(answer, wanted.get(source, ()), known.standing)
        for source, answer in answered.answers.items()
    }
    return Gathered(known.person, known.product, {**own, **outside}, answered.down)


def _wanted(bundle: decisions.Bundle) -> dict[str, list[str]]:
    """Fact names by outside source. The identity is always checked: who asks comes before what they may have."""
    wanted: dict[str, list[str]] = {"identity_check": []}
    outside = {source.name for source in sources.asked()}
    for fact in (*bundle.needed, *bundle.county_needed):
        if fact.source in outside:
            wanted.setdefault(fact.source, []).append(fact.name)
    return wanted


class Read(msgspec.Struct, frozen=True):
    """What is known of a case whatever its bundle looks at (`read`)."""

    said_at: datetime
    person: Person
    offered: tuple[Product, bool]
    standing: list[Consent]
    answers: dict[str, Answer]
    around: Neighbourhood
    velocity: Velocity
    guaranteed_fen: int
    printed: card_form.Printed | None


async def read(tx: Tx, application: Application) -> Read:
    """In one question."""
    assert application.customer_id is not None, "submit_application checked it"
    number = application.customer_id
    said = await said_in.said_in(tx, application)
    pictured = await _pictured_in(tx, application)
    assert said.submitted_at is not None
    async with Together(tx) as also:
        person = also(customers.get(tx, number))
        offered = also(product_of(tx, application))
        given = also(consents.given(tx, number))
        answers = also(evidence.answers(tx, application.id))
        around = also(relations.neighbourhood(tx, number))
        velocity = also(relations.velocity(tx, said.id))
        exposure = also(guarantees.exposure(tx, number))
        printed = also(printed_on(tx, pictured))
    return Read(
        said_at=said.submitted_at,
        person=person.result(),
        offered=offered.result(),
        standing=[c for c in given.result() if _stands(c, tx.now)],
        answers=answers.result(),
        around=around.result(),
        velocity=velocity.result(),
        guaranteed_fen=exposure.result().amount_fen,
        printed=printed.result(),
    )


async def _pictured_in(tx: Tx, application: Application) -> Application:
    """Of a case that goes on from another the one its photographs belong to, unless the card was taken anew."""
    if application.channel != "review" or await applications.latest_captures(
        tx, application, reading.ID_FRONT, reading.ID_BACK
    ):
        return application
    first = await reviews.origin(tx, application.id)
    return await applications.get(tx, first) if first else application


async def known(tx: Tx, application: Application, bundle: decisions.Bundle, before: Read) -> Known:
    """What the bundle may look at; `promised_fen` holds off another approval of the person until `tx` ends."""
    person, (product, on_offer) = before.person, before.offered
    async with Together(tx) as also:
        institution = also(institutions.get(tx, tx.institution_id))
        rules = also(regulation.in_force(tx, clock.today()))
        related = also(_related(tx, application, before))
        promised = also(contracts.promised(tx, person))
        surveyed = also(_survey(tx, person, bundle))
    survey, places = surveyed.result()
    return Known(
        said_at=before.said_at,
        person=person,
        product=product,
        on_offer=on_offer,
        institution=institution.result(),
        rules=rules.result(),
        consents={c.purpose: c for c in reversed(before.standing)},
        standing=frozenset(c.id for c in before.standing),
        answers=before.answers,
        related=related.result(),
        promised_fen=promised.result(),
        guaranteed_fen=before.guaranteed_fen,
        printed=before.printed,
        survey=survey,
        villages=places,
    )


async def _survey(tx: Tx, person: Person, bundle: decisions.Bundle) -> tuple[Survey | None, tuple[str, ...]]:
    survey = await surveys.latest_confirmed(tx, person.id) if _looks_at_survey(bundle) else None
    return survey, institutions.villages(await institutions.areas(tx, tx.institution_id)) if survey else ()


async def _related(tx: Tx, application: Application, before: Read) -> dict[str, int | bool | str]:
    """Repetition, lists and relations, from our own records alone (A6-01, N9)."""
    person = before.person
    numbers = (("id_number", person.id_number), ("phone", person.phone or ""))
    async with Together(tx) as also:
        staff = also(_is_staff(tx, person))
        listed = also(relations.listed(tx, person.id, application.id, numbers))
    return relation_rules.facts(
        before.around, before.velocity, listed.result(), now=tx.now, staff_number=staff.result()
    )


async def _is_staff(tx: Tx, person: Person) -> bool:
    return bool(person.phone) and await identity.is_staff_phone(tx, person.phone or "")


async def printed_on(tx: Tx, application: Application) -> card_form.Printed | None:
    """What the photographs say; None for a case without any, which no page leads to."""
    found = await applications.latest_captures(tx, application, reading.ID_FRONT, reading.ID_BACK)
    readings: list[Any] = [capture.reading for capture in found if capture.reading]
    read = {label: text for each in readings for label, text in each["fields"].items()}
    return (
        card_form.printed(read, {label for each in readings for label in each["doubtful"]}) if read else None
    )


async def product_of(tx: Tx, application: Application) -> tuple[Product, bool]:
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


def _source(answer: Answer, wanted: Iterable[str], standing: frozenset[str]) -> SourceFacts:
    """What of an answer goes into the case: what is looked at, and what nobody here knows, so that it shows.

    An answer whose consent was withdrawn while the case waited goes in without one, and the gate uses none of it.
    """
    known, looked_at = decision_facts.catalogue(), set(wanted)
    substitute = sources.every()[answer.source].substitute
    cap = substitute.cap_fen if substitute and answer.rung == "substitute" else None
    return SourceFacts(
        observed_at=answer.observed_at,
        consent_id=answer.consent_id if answer.consent_id in standing else None,
        facts={name: v for name, v in answer.facts.items() if name in looked_at or name not in known},
        standing=Standing(rung=answer.rung, cap_fen=cap),
    )


def _own_sources(application: Application, known: Known) -> dict[str, SourceFacts]:
    assert application.submitted_at is not None
    day = datetime.combine(known.rules.on, time(), tzinfo=clock.LOCAL)
    effective = datetime.combine(known.product.effective_from, time(), tzinfo=clock.LOCAL)
    own = {}
    # A product that has ended, or one judged at the spot (D1-06), is decided by a person.
    if known.on_offer and known.product.terms.judgement == "model":
        own["product"] = SourceFacts(observed_at=effective, facts=_product_facts(application, known))
    liveness = "passed" if application.liveness == "passed" else "skipped"
    told, face = known.consents.get(Purpose.PERSONAL_INFO), known.consents.get(Purpose.LIVENESS)
    return own | {
        "application": SourceFacts(
            observed_at=known.said_at,
            consent_id=told.id if told else None,
            facts=_application_facts(application, known),
        ),
        "own_records": SourceFacts(
            observed_at=application.submitted_at,
            consent_id=told.id if told else None,
            # What we approved and nobody has booked yet counts towards the cap, beside what is booked (D1-01); whom a
            # person answers for counts before the bureau hears of it (A1-08).
            facts={
                **known.related,
                "own_promised_credit": known.promised_fen,
                "own_guarantee_balance": known.guaranteed_fen,
            },
        ),
        "liveness": SourceFacts(
            observed_at=known.said_at,
            consent_id=face.id if face else None,
            facts={"liveness_result": liveness},
        ),
        "regulation": SourceFacts(observed_at=day, facts=_regulation_facts(application, known.rules)),
    }


def _looks_at_survey(bundle: decisions.Bundle) -> bool:
    return any(fact.source == "officer_survey" for fact in (*bundle.needed, *bundle.county_needed))


def _surveyed(application: Application, known: Known, answers: dict[str, Answer]) -> dict[str, SourceFacts]:
    """The newest visit a second person confirmed (A6-20), where a strategy looks at it. Its differences are counted
    against what is known for this very case; a consent taken back since leaves it without one, and the gate
    uses none of it."""
    survey = known.survey
    if survey is None:
        return {}
    try:
        answered = survey_rules.answered(survey, known.villages, known.rules.on)
    except SurveyRefused:  # written under an older form: it says nothing any more, and a person decides
        return {}
    told = compare_survey.told(application, known.person, answers)
    return {
        "officer_survey": SourceFacts(
            observed_at=survey_rules.observed_at(survey),
            consent_id=survey.consent_id if survey.consent_id in known.standing else None,
            facts=dict(survey_rules.facts(survey, answered, told)),
        )
    }


def _application_facts(application: Application, known: Known) -> dict[str, object]:
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
    if facts["in_service_area"] and declared.village == declarations.UNLISTED:
        over.add("in_service_area")  # in the area by the card, and by their own word in none of its villages
    return {name: value for name, value in facts.items() if name not in over}


def _typed_over(known: Known) -> set[str]:
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


def _product_facts(application: Application, known: Known) -> dict[str, object]:
    return {
        "purpose_in_product": application.declared.purpose in known.product.terms.purposes,
        **product_facts(known.product),
        **term_facts(known.product, application.declared.term_months),
    }


def product_facts(product: Product) -> dict[str, int | str]:
    """What a product says whoever asks; a trial's cases meet the same (A3-33)."""
    terms = product.terms
    return {
        "product_kind": str(terms.purpose_class),
        "product_min_amount": terms.amount_min,
        "product_max_amount": terms.amount_max,
        "product_min_age": terms.age_min,
        "product_max_age": terms.age_max,
        "product_rate_floor_bp": _bp(terms.rate_min),
        "product_rate_cap_bp": _bp(terms.rate_max),
        "campaign_discount_bp": 0,
    }


def term_facts(product: Product, months: int) -> dict[str, int | str]:
    """What a product says of a loan of so many months."""
    method = contract_rules.method_for(product.terms, months)
    offered = product.terms.terms_of(method)
    return {
        "product_repayment_method": str(method),
        "product_min_term_months": min(offered),
        "product_max_term_months": max(offered),
    }


def _regulation_facts(application: Application, rules: InForce) -> dict[str, object]:
    forbidden = application.declared.purpose in rules.words("purposes.forbidden")
    return {"purpose_forbidden": forbidden, **rule_facts(rules)}


def rule_facts(rules: InForce) -> dict[str, int | str]:
    """The dated rules a strategy may look at, whoever asks."""
    return {
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
