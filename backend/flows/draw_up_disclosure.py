"""编制明示表: the one 综合融资成本明示表 of an approved case, the same on every drawing (D2-09, N3)."""

import msgspec

from backend.core import money
from backend.db.database import Tx
from backend.documents import disclosure as disclosures
from backend.documents.disclosure import Disclosure
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts.model import Contract
from backend.domains.customers import service as customers
from backend.domains.customers.model import Person
from backend.domains.institutions import service as institutions
from backend.domains.institutions.model import Institution
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products
from backend.domains.products.model import Product


class DrawnUp(msgspec.Struct, frozen=True):
    """The table and everything it was made from."""

    disclosure: Disclosure
    schedule: money.Schedule
    institution: Institution
    person: Person
    product: Product


async def draw_up_disclosure(tx: Tx, contract: Contract) -> DrawnUp:
    """Made from the contract and the product version of the day it was agreed, so its hash does not change."""
    institution = await institutions.get(tx, tx.institution_id)
    person = await customers.get(tx, contract.customer_id)
    product = await products.get_begun(tx, tx.institution_id, contract.product_code, contract.agreed_on)
    schedule = contract_rules.plan(contract, product.terms)
    table = disclosures.build(
        reference=contract.contract_no,
        lender=institution.name,
        lender_phone=institution.service_phone,
        borrower=person.name,
        product_name=contract.product_name,
        schedule=schedule,
        charges=product_rules.charges(
            product.terms, contract.limit_fen, contract.agreed_on, institution.name
        ),
        overdue_factor=product.terms.overdue_factor,
        misuse_factor=product.terms.misuse_factor,
        made_on=contract.agreed_on,
    )
    return DrawnUp(table, schedule, institution, person, product)
