"""A case goes on as a new application that says what the old one said: of a granted request, or decided anew."""

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.products.model import Product
from backend.flows import submit_application


async def begin_again(tx: Tx, application: Application, product: Product) -> Application:
    """A draft that is complete. What it is judged by was said and shown in the old one (`gather_facts`)."""
    assert application.customer_id is not None
    new = await applications.begin(
        tx,
        product_code=application.product_code,
        product_version=product.version_label,
        channel="review",
        session_id=application.session_id,
        openid=application.openid,
        code_id=application.code_id,
        officer_id=application.officer_id,
        is_internet_loan=application.is_internet_loan,
    )
    await applications.belongs_to(tx, new, application.customer_id, product.name)
    await applications.declare(tx, new, application.declared)
    await applications.set_liveness(tx, new, application.liveness)
    await applications.reach(tx, new, "submit")
    return new


async def by_the_road(tx: Tx, new: Application, why: str) -> Application:
    """Handed in, with the versions of today; the decision is asked for."""
    new = await submit_application.hand_in(tx, new, new.product_code, why)
    await submit_application.ask_decision(tx, new.id)
    return new
