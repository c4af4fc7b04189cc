"""预筛: right at the submission, on our own records alone, before any source is asked and paid (A3-25, A3-38).

A refusal gives its reasons at once, without a query at the bureau; the customer may still ask for a person (D3-03).
Whatever is not a clear refusal goes on to the decision, which approves nobody by absence.
"""

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications.model import Application
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.customers.model import Person
from backend.domains.decision import moments
from backend.domains.decision.model import Case, SourceFacts, Stage
from backend.domains.institutions import service as institutions
from backend.domains.products.model import Product
from backend.domains.relations import rules as relation_rules
from backend.domains.relations import service as relations
from backend.flows import gather_facts, loan_standing

LINE_OPEN = ("signed", "completed")
"""States of a contract whose line may be drawn on."""


async def pre_screen(tx: Tx, application: Application, person: Person, product: Product) -> bool:
    """Whether the application goes on; False when it is turned away. What was said is kept either way."""
    known = SourceFacts(observed_at=tx.now, facts=await _facts(tx, application, person, product))
    case = Case(product=product.code, as_of=tx.now, sources={"prospects": known})
    said = moments.say(Stage.PRE_SCREEN, case, await moments.live(tx, product.code, Stage.PRE_SCREEN))
    await moments.record(tx, case, said, subject=application.application_no, application_id=application.id)
    return said.outcome != moments.NOT_ALLOWED


async def _facts(tx: Tx, application: Application, person: Person, product: Product) -> dict[str, object]:
    institution = await institutions.get(tx, tx.institution_id)
    printed = await gather_facts.printed_on(tx, application)
    facts: dict[str, object] = {
        # Everybody who comes to us has come by themselves; lists of people to invite there are none yet.
        "prospect_listed": False,
        "prospect_in_area": institutions.covers(institution, person.id_number, person.address),
        "prospect_min_age": product.terms.age_min,
        "prospect_max_age": product.terms.age_max,
        "prospect_risk_list": await _listed(tx, application, person),
        **await _lines(tx, person, product),
    }
    if printed is None or printed.id_number in ("", person.id_number):
        # A number typed over what the card says proves no age; a person looks at the photographs (A5-03).
        facts["prospect_age_years"] = clock.years_between(person.birth_on, clock.today())
    return facts


async def _listed(tx: Tx, application: Application, person: Person) -> str:
    texts = (("id_number", person.id_number), ("phone", person.phone or ""))
    return relation_rules.list_standing(await relations.listed(tx, person.id, application.id, texts))


async def _lines(tx: Tx, person: Person, product: Product) -> dict[str, object]:
    """What we know of the person's lines with us, by our own mirror."""
    today, overdue, same = clock.today(), 0, False
    for contract in await contracts.of_customer(tx, person.id):
        if contract.status in LINE_OPEN:
            stands = contract_rules.line_until(contract) >= today
            same = same or (stands and contract.product_code == product.code)
            standing = await loan_standing.of_line(tx, contract)
            overdue = max([overdue, *(each.days_past_due for each in standing)])
    return {"prospect_line_open": same, "prospect_overdue_days": overdue}
