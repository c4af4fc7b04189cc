"""One application of the person: the decision as it happens, then the way to the last repayment (A3-09)."""

from litestar import get, post

from backend.flows import cancel_application
from backend.overview import application_result
from backend.web import customer
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import liveness, views

SHOW, STATUS = "customer/result/show.html", "customer/result/_status.html"


@get("/my/{number:str}")
async def show(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    if mine.application.status == "draft":
        return mine.here.go(customer.place(mine.application, mine.session))
    return mine.here.show(SHOW, await result(mine))


@get("/my/{number:str}/status")
async def status(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    return mine.here.show(STATUS, await result(mine))


@post("/my/{number:str}/cancel")
async def cancel(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    here = mine.here
    await cancel_application.cancel_application(here.context, here.actor, mine.application.id)
    return here.go(f"/my/{number}")


async def result(mine: Draft) -> views.Result:
    async with mine.here.context.db.read(mine.here.actor) as tx:
        found = await application_result.of(tx, mine.application)
        officer = await liveness.officer_of(tx, mine.application)
    return views.Result(
        application_no=found.application_no,
        status=found.status,  # type: ignore[arg-type]
        product_name=found.product_name,
        asked_fen=found.asked_fen,
        steps=tuple(views.Step(s.label, s.state, s.at, s.note) for s in found.steps),
        submitted_at=found.submitted_at,
        offer=_offer(found.offer) if found.offer else None,
        reasons=tuple(views.Reason(r.text, r.effect) for r in found.reasons),
        advice=found.advice,
        promise_at=found.promise_at,
        retry_on=found.retry_on,
        review=views.Review(found.review.asked_at, found.review.answer_by, found.review.answer)
        if found.review
        else None,
        officer=officer,
        waiting_for=found.waiting_for,
    )


def _offer(offer: application_result.Offer) -> views.Offer:
    return views.Offer(
        limit_fen=offer.limit_fen,
        annual_rate=offer.annual_rate,
        all_in_cost=offer.all_in_cost,
        term_months=offer.term_months,
        repayment=offer.repayment,
        valid_until=offer.valid_until,
        example_principal_fen=offer.example_principal_fen,
        example_days=offer.example_days,
        example_interest_fen=offer.example_interest_fen,
        schedule=tuple(views.Instalment(i.due_on, i.principal_fen, i.interest_fen) for i in offer.schedule),
    )
