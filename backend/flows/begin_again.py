"""A case goes on as a new application that says what the old one said: of a granted request, or decided anew.

Where the face or a consent is too old to be decided on, the new one waits for the customer: a draft that is filled
in, in which they look into the camera, read the consents again and hand it in themselves (D3-04, D3-09).
"""

from datetime import timedelta

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import consents
from backend.domains.decision import facts
from backend.domains.identity import service as identity
from backend.domains.products.model import Product
from backend.flows import notify, said_in, submit_application


async def begin_again(tx: Tx, application: Application, product: Product) -> Application:
    """A draft that is complete. What it is judged by was said and shown in the old one (`said_in`)."""
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
    return await applications.get(tx, new.id)


async def as_shown(tx: Tx, application: Application, new: Application) -> Application:
    """With the face of the old case, ready to be handed in."""
    await applications.set_liveness(tx, new, application.liveness)
    await applications.reach(tx, new, "submit")
    return await applications.get(tx, new.id)


async def by_the_road(tx: Tx, application: Application, new: Application) -> Application:
    """Handed in, with the versions of today, and the decision asked for; or left to the customer to hand in, where
    what they showed and agreed to has lapsed."""
    why = f"review:{application.application_no}"
    if await _lapsed(tx, application):
        return await _ask_customer(tx, new, why)
    new = await as_shown(tx, application, new)
    new = await submit_application.hand_in(tx, new, new.product_code, why)
    await submit_application.ask_decision(tx, new.id)
    return new


async def _lapsed(tx: Tx, application: Application) -> bool:
    assert application.customer_id is not None
    if await consents.missing(tx, application.customer_id):
        return True
    shown_at = (await said_in.said_in(tx, application)).submitted_at
    days = facts.catalogue()["liveness_result"].fresh_days
    return shown_at is None or days is None or shown_at < tx.now - timedelta(days=days)


async def _ask_customer(tx: Tx, new: Application, why: str) -> Application:
    """The browser of the old case finds it; any other does by phone and code (`resume_application`)."""
    await applications.reach(tx, new, "liveness")
    await applications.note(tx, new, said_in.ASKED_AGAIN, why)
    if new.session_id is not None:
        await identity.set_session_application(tx, new.session_id, new.id, new.customer_id)
    await notify.announce_asked_again(tx, new)
    return await applications.get(tx, new.id)
