"""记下邀请: an officer invited somebody of their list; the gate is asked at that moment (A3-25, D3-03, D4-08).

Without its leave nothing is noted and the officer is told why. A touch counts for everybody of the institution, so that
a person invited by one is not invited again by the next.
"""

from backend.core.actor import Actor
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.applications.model import ApplicationNotFound
from backend.domains.campaigns import touches
from backend.domains.campaigns.model import NothingToInviteTo
from backend.domains.customers import service as customers
from backend.domains.decision import moments
from backend.flows import contact_lead


async def invite_lead(db: Database, actor: Actor, number: str) -> str:
    """Why not, in the strategy's words; empty where the invitation is noted. Raises `ApplicationNotFound`, also for a
    colleague's customer, and `NothingToInviteTo` for one with business under way."""
    async with db.begin(actor) as tx:
        found = await applications.by_number(tx, number)
        application = await applications.get(tx, found.id, lock=True)
        if application.officer_id != actor.id or application.customer_id is None:
            raise ApplicationNotFound()
        if application.status not in contact_lead.OUTREACH or await contact_lead.has_business(
            tx, application
        ):
            raise NothingToInviteTo()
        person = await customers.get(tx, application.customer_id)
        said, assessment_id = await contact_lead.ask(tx, application, person)
        if said.outcome != moments.ALLOWED:
            return contact_lead.why(said)
        await touches.add(tx, person.id, application.id, "invite", assessment_id)
        return ""
