"""核实答复: the officer says what they found out, and the reviewers have the ball again (A7-05)."""

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import InquiryMissing, WordsMissing
from backend.flows.context import Context
from backend.flows.return_case import LONGEST
from backend.flows.review_case import SHORTEST_REASON


async def answer_inquiry(context: Context, actor: Actor, inquiry_id: str, answer: str) -> None:
    """Raises `InquiryMissing` for another officer's question as for an unknown one; `WordsMissing`."""
    answer = answer.strip()[:LONGEST]
    if len(answer) < SHORTEST_REASON:
        raise WordsMissing(fields={"answer": "请写明核实到什么"})
    async with context.db.begin(actor) as tx:
        asked = await reviews.inquiry(tx, inquiry_id)
        if asked.officer_id != actor.id or asked.answered_at is not None:
            raise InquiryMissing()
        review = await reviews.get(tx, asked.review_id)
        application = await applications.get(tx, review.application_id, lock=True)
        await reviews.answer_inquiry(tx, asked, review, answer)
        await applications.note(tx, application, "review_inquiry_answered", review.kind)
