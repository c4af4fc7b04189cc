"""重新审批: a referred case that waited too long is decided by the road on what is so today (A7-05).

Decision, facts and trace of the old case stay as they were; it ends, and names the application it goes on as: one
the customer hands in, for a face as old as that proves nothing (`begin_again`).
"""

from backend.core import clock
from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationMoved
from backend.domains.contracts import service as contracts
from backend.domains.products import service as products
from backend.domains.reviews import exceedings
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import ExceedingWaits, FactsInTime
from backend.flows import begin_again, end_guarantees, review_case
from backend.flows.context import Context

REASON = "资料放久了，用现在的资料重新审批"


async def decide_anew(context: Context, actor: Actor, review_id: str) -> Application:
    """The application it goes on as, which waits for the customer.

    Raises `NotYours`, `NotYourReview`, `ReviewMissing`, `ReviewAnswered`, `ExceedingWaits`, `FactsInTime`,
    `ProductNotLive`, `ApplicationMoved`.
    """
    async with context.db.begin(actor) as tx:
        review, application = await review_case.open_for(tx, review_id)
        if application.status != "referred" or review.kind != "referred":
            raise ApplicationMoved(label=application.label)
        if await exceedings.waiting(tx, review.id):
            raise ExceedingWaits()
        if await review_case.facts_of(tx, application) is None:
            raise FactsInTime()
        product = await products.get_live(tx, tx.institution_id, application.product_code, clock.today())
        await applications.move(tx, application, "cancelled", "decided_anew", "review")
        if (contract := await contracts.of_application(tx, application.id)) is not None:
            await contracts.move(tx, contract, "void", "review")
        await end_guarantees.end_guarantees(tx, application)
        new = await begin_again.begin_again(tx, application, product)
        new = await begin_again.by_the_road(tx, application, new)
        await reviews.answer(tx, review, outcome="anew", reason=REASON, new_application_id=new.id)
        return new
