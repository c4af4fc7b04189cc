"""保存申报: what was tapped on the last page, kept at every tap (A3-07)."""

from collections.abc import Collection, Mapping

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import NotPermitted
from backend.db.database import Tx
from backend.domains.applications import declarations
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, Declared
from backend.domains.institutions import service as institutions
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.flows.context import Context

STUDENT = "student"
"""Offered among the incomes to people whose age or address speaks of school (D6-01)."""


class StudentsNotServed(NotPermitted):
    code = "students_not_served"
    message = "按国家规定，我们不向在校学生发放网上消费贷款"


async def save_details(
    context: Context, actor: Actor, application_id: str, given: Mapping[str, str], *, whole: bool = False
) -> None:
    """Keep purpose, income, village and amount (whole yuan as text); with `whole` they must all be right.

    Raises `StudentsNotServed` (nothing is kept), `StepMissing`; with `whole` also `DeclaredIncomplete` and
    `AmountOutOfRange`.
    """
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        await applications.declare(tx, application, await read(tx, application, given, whole=whole))


async def read(
    tx: Tx, application: Application, given: Mapping[str, str], *, whole: bool = False
) -> Declared:
    """As `save_details`, of an application that is locked: what it is to declare, not kept yet."""
    if given.get("income") == STUDENT:
        raise StudentsNotServed()
    applications.require_at(application, "details")
    product = await products.get_live(tx, tx.institution_id, application.product_code, clock.today())
    villages = institutions.villages(await institutions.areas(tx, tx.institution_id))
    declared = declared_from(given, product, villages)
    if whole:
        declarations.check(product, declared)
    return declared


def declared_from(given: Mapping[str, str], product: Product, villages: Collection[str]) -> Declared:
    """The form as a declaration; what cannot be read, or is none of the county's `villages`, stays empty and is asked
    for at the end."""
    amount = "".join(c for c in given.get("amount", "") if c not in " ,，")
    place = given.get("village", "")
    town, _, village = place.partition(" ") if place in villages else ("", "", "")
    if place == declarations.UNLISTED:
        village = place
    return Declared(
        purpose=given.get("purpose", "")[:40],
        amount_fen=int(amount) * 100 if amount.isascii() and amount.isdigit() and len(amount) < 9 else 0,
        term_months=term_of(product),
        income_band=given.get("income", "")[:40],
        town=town,
        village=village,
    )


def term_of(product: Product) -> int:
    """A year where the product has it, else its longest term below, else its shortest."""
    months = product.terms.months
    return max((m for m in months if m <= 12), default=min(months))
