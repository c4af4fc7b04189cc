"""上门调查: an officer begins the survey of a customer of his, or goes on with the one there is (A6-20, A7-04)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationNotFound
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import NotAgreed
from backend.flows.context import Context


async def begin_survey(context: Context, actor: Actor, application: Application) -> str:
    """The survey's id. Raises `ApplicationNotFound` for a colleague's case, `NotAgreed` without a consent."""
    if application.officer_id != actor.id or application.customer_id is None:
        raise ApplicationNotFound()
    async with context.db.begin(actor) as tx:
        found = await applications.get(tx, application.id, lock=True)
        assert found.customer_id is not None, "a case never loses its person"
        given = await consents.given(tx, found.customer_id)
        if not any(c.purpose == Purpose.PERSONAL_INFO and c.withdrawn_at is None for c in given):
            raise NotAgreed()
        return await surveys.begin(tx, found.id, found.customer_id)
