"""预筛: right at the submission, on our own records alone, before any source is asked and paid (A3-25, A3-38).

A refusal gives its reasons at once, without a query at the bureau; the customer may still ask for a person (D3-03).
Whatever is not a clear refusal goes on to the decision, which approves nobody by absence.
"""

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.db.together import Together
from backend.domains.applications.model import Application
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.customers import card_form
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


class Own(msgspec.Struct, frozen=True):
    """What our own records say of a person: the card as photographed, the longest a loan is overdue, and whether a line
    of the product stands open."""

    printed: card_form.Printed | None
    overdue_days: int
    line_open: bool


async def read(tx: Tx, application: Application, customer_id: str) -> Own:
    """In one question, where there is no line."""
    async with Together(tx) as also:
        printed = also(gather_facts.printed_on(tx, application))
        lines = also(_lines(tx, customer_id, application.product_code))
    return Own(printed.result(), *lines.result())


class Screened(msgspec.Struct, frozen=True):
    """What our own records come to, and from what."""

    case: Case
    said: moments.Assessment

    @property
    def goes_on(self) -> bool:
        """False when the application is turned away."""
        return self.said.outcome != moments.NOT_ALLOWED


async def pre_screen(
    tx: Tx, application: Application, person: Person, product: Product, own: Own
) -> Screened:
    """Writes nothing: `record` keeps what was said, either way."""
    known = SourceFacts(observed_at=tx.now, facts=await _facts(tx, application, person, product, own))
    case = Case(product=product.code, as_of=tx.now, sources={"prospects": known})
    said = moments.say(Stage.PRE_SCREEN, case, await moments.live(tx, product.code, Stage.PRE_SCREEN))
    return Screened(case, said)


async def record(tx: Tx, application: Application, screened: Screened) -> None:
    """Beside the case, which is in the database."""
    number = application.application_no
    await moments.record(tx, screened.case, screened.said, subject=number, application_id=application.id)


async def _facts(
    tx: Tx, application: Application, person: Person, product: Product, own: Own
) -> dict[str, object]:
    institution = await institutions.get(tx, tx.institution_id)
    facts: dict[str, object] = {
        # Everybody who comes to us has come by themselves; lists of people to invite there are none yet.
        "prospect_listed": False,
        "prospect_in_area": institutions.covers(institution, person.id_number, person.address),
        "prospect_min_age": product.terms.age_min,
        "prospect_max_age": product.terms.age_max,
        "prospect_risk_list": await _listed(tx, application, person),
        "prospect_line_open": own.line_open,
        "prospect_overdue_days": own.overdue_days,
    }
    if own.printed is None or own.printed.id_number in ("", person.id_number):
        # A number typed over what the card says proves no age; a person looks at the photographs (A5-03).
        facts["prospect_age_years"] = clock.years_between(person.birth_on, clock.today())
    return facts


async def _listed(tx: Tx, application: Application, person: Person) -> str:
    texts = (("id_number", person.id_number), ("phone", person.phone or ""))
    return relation_rules.list_standing(await relations.listed(tx, person.id, application.id, texts))


async def _lines(tx: Tx, customer_id: str, product_code: str) -> tuple[int, bool]:
    """By our own mirror: the longest days past due of their loans, and whether a line of the product stands open."""
    today, overdue, same = clock.today(), 0, False
    for contract in await contracts.of_customer(tx, customer_id):
        if contract.status in LINE_OPEN:
            stands = contract_rules.line_until(contract) >= today
            same = same or (stands and contract.product_code == product_code)
            standing = await loan_standing.of_line(tx, contract)
            overdue = max([overdue, *(each.days_past_due for each in standing)])
    return overdue, same
