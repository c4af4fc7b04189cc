"""申请人工复核: the customer asks that a person looks at the decision (D3-03)."""

from backend.core import clock
from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.regulation import calendar
from backend.domains.regulation import service as regulation
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import (
    GROUNDS,
    GroundMissing,
    NothingToReview,
    Review,
    ReviewAlreadyAsked,
)
from backend.flows.context import Context

LONGEST = 500  # characters of the customer's own words


async def request_review(
    context: Context, actor: Actor, application_id: str, ground: str, said: str
) -> Review:
    """Of a refusal, or of an amount that seems too small. The decision stands until a person has answered, at
    the latest on `due_at`.

    Raises `GroundMissing`, `NothingToReview`, `ReviewAlreadyAsked`.
    """
    if ground not in GROUNDS:
        raise GroundMissing(fields={"ground": GroundMissing.message})
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        if application.status not in ("declined", "approved"):
            raise NothingToReview()
        rules = await regulation.in_force(tx, clock.today())
        due = await calendar.due(tx, rules.count("human_review.working_days"))
        said = said.strip()[:LONGEST]
        first = await reviews.open_review(
            tx, application_id, "requested", due_at=due, ground=ground, said=said
        )
        review = (await reviews.of_application(tx, application_id))["requested"]
        if not first:
            raise ReviewAlreadyAsked(due=f"{clock.local(review.due_at):%m月%d日}")
        await applications.note(tx, application, "review_requested", ground)
        return review
