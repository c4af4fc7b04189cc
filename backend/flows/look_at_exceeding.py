"""超上限的第二人: another reviewer looks at what is to go above the caps, or its maker takes it back (A7-05)."""

from typing import Literal

from backend.core.actor import Actor
from backend.domains.applications.model import Application
from backend.domains.reviews import exceedings
from backend.domains.reviews.model import Exceeding, ExceedingEnded
from backend.flows import review_case
from backend.flows.context import Context
from backend.flows.review_case import Verdict

Look = Literal["confirmed", "refused", "taken_back"]


async def look_at_exceeding(
    context: Context, actor: Actor, review_id: str, look: Look, found: str
) -> Application:
    """Confirmed, it is carried out by and under the name of the second person, once more within what no person may
    exceed; refused or taken back, the case waits for an answer again.

    Raises `NotYours`, `NotYourReview`, `ReviewMissing`, `ReviewAnswered`, `ExceedingEnded`, `ExceedingYours`,
    `ExceedingNotYours`, `WordsMissing`, `VerdictInvalid`, `AlreadyOpen`, `ApplicationMoved`.
    """
    async with context.db.begin(actor) as tx:
        review, application = await review_case.open_for(tx, review_id)
        waiting = await exceedings.waiting(tx, review.id)
        if waiting is None:
            raise ExceedingEnded()
        if look == "taken_back":
            await exceedings.take_back(tx, review, waiting, found)
            return application
        await exceedings.look(tx, review, waiting, look, found)
        if look == "refused":
            return application
        verdict = _verdict(waiting)
        product, above = await review_case.check(tx, application, review, verdict)
        return await review_case.carry_out(
            tx, application, review, product, verdict, exceedings.labels(above)
        )


def _verdict(waiting: Exceeding) -> Verdict:
    return Verdict(
        outcome=waiting.outcome,  # type: ignore[arg-type]
        reason=waiting.reason,
        amount_fen=waiting.amount_fen,
        annual_rate=waiting.annual_rate,
        term_months=waiting.term_months,
        why_more=waiting.why,
    )
