"""退回核实: a reviewer sends a case back to its officer with a question; the review's clock goes on (A7-05)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.identity import service as identity
from backend.domains.identity.model import NotYours
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import NobodyToAsk, ReviewAnswered, WordsMissing
from backend.flows.context import Context
from backend.flows.review_case import SHORTEST_REASON, require_another_person

LONGEST = 500  # characters


async def return_case(context: Context, actor: Actor, review_id: str, question: str) -> None:
    """Raises `NotYours`, `NotYourReview`, `ReviewMissing`, `ReviewAnswered`, `NobodyToAsk`, `InquiryOpen`,
    `WordsMissing`."""
    if not actor.has("reviewer"):
        raise NotYours()
    question = question.strip()[:LONGEST]
    if len(question) < SHORTEST_REASON:
        raise WordsMissing(fields={"reason": "请写明要客户经理核实什么"})
    async with context.db.begin(actor) as tx:
        review = await reviews.get(tx, review_id, lock=True)
        if review.status != "open":
            raise ReviewAnswered()
        application = await applications.get(tx, review.application_id, lock=True)
        await require_another_person(tx, application, review)
        officer = await identity.staff(tx, application.officer_id) if application.officer_id else None
        if officer is None or not officer.active:
            raise NobodyToAsk()
        await reviews.ask(tx, review, officer.id, question)
        await applications.note(tx, application, "review_inquiry", review.kind)
