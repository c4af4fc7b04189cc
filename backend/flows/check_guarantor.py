"""能不能做保证人: what stands against somebody answering for this borrower, by our own records (A1-08, A8-12)."""

from backend.core import clock
from backend.core.errors import NotPermitted
from backend.db.database import Tx
from backend.domains.contracts import service as contracts
from backend.domains.customers import service as customers
from backend.domains.customers.model import Person
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee
from backend.domains.identity import service as identity
from backend.domains.regulation import service as regulation
from backend.domains.relations import service as relations
from backend.flows import loan_standing
from backend.flows.require_guarantee import Standing


class NotAGuarantor(NotPermitted):
    """`why` is a code of `guarantees.model.REASONS`, for the guarantor's own page alone."""

    code = "not_a_guarantor"
    message = "这笔担保您不能做"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why=why)


async def check_guarantor(tx: Tx, standing: Standing, customer_id: str) -> str:
    """The first thing against it as a code, or empty. Holds off other confirmations: call it where the guarantee is
    confirmed, when phone and face are proved."""
    guarantee = standing.guarantee
    if why := await no_third_person(tx, guarantee, customer_id):
        return why
    person = await customers.get(tx, customer_id)
    if person.status != "active":
        return "frozen"
    await guarantees.hold_confirming(tx)
    if await guarantees.comes_back(tx, customer_id, guarantee.borrower_id):
        return "circle"
    return await _listed(tx, person) or await _late(tx, person) or await _too_much(tx, guarantee, person)


async def no_third_person(tx: Tx, guarantee: Guarantee, customer_id: str) -> str:
    """What may be told to whoever holds the card alone: nothing of anybody's debts or lists."""
    if customer_id == guarantee.borrower_id:
        return "borrower"
    others = await guarantees.of_application(tx, guarantee.application_id)
    twice = any(o.guarantor_id == customer_id and o.status == "confirmed" for o in others)
    return "twice" if twice else ""


async def _listed(tx: Tx, person: Person) -> str:
    """Staff of the bank do not answer for its customers; whom a list stops is stopped here, too."""
    if person.phone and await identity.is_staff_phone(tx, person.phone):
        return "staff"
    numbers = (("id_number", person.id_number), ("phone", person.phone or ""))
    hits = await relations.listed(tx, person.id, None, numbers)
    if any(hit.list == "staff" for hit in hits):
        return "staff"
    return "listed" if any(hit.list == "block" for hit in hits) else ""


async def _late(tx: Tx, person: Person) -> str:
    return "own_overdue" if await overdue(tx, person.id) else ""


async def overdue(tx: Tx, customer_id: str) -> bool:
    """Whether a loan of theirs here is past due, by our mirror of what the bank reported."""
    for contract in await contracts.of_customer(tx, customer_id):
        if any(each.days_past_due for each in await loan_standing.of_line(tx, contract)):
            return True
    return False


async def _too_much(tx: Tx, guarantee: Guarantee, person: Person) -> str:
    rules = await regulation.in_force(tx, clock.today())
    known = await guarantees.exposure(tx, person.id, but_for=guarantee.borrower_id)
    if known.borrowers >= rules.count("guarantee.most_borrowers"):
        return "too_many"
    room = rules.amount("guarantee.most_amount") - known.amount_fen
    return "too_much" if guarantee.amount_fen > room else ""
