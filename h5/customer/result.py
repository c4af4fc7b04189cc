"""The page of one application, from the moment it is handed in to the day it is repaid."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import asdict, replace

from backend.core import clock
from backend.domains.applications.model import ApplicationNotFound
from backend.flows import cancel_application, invite_notice
from backend.overview import application_result
from backend.web import customer, wechat_browser
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import guarantors, notice, stops, views
from h5.customer.liveness import officer_of


@get("/my/{number:str}")
async def show(request: Request, number: FromPath[str]) -> Response:
    if url := wechat_browser.ask(request, request.app.state.settings):
        return Redirect(url, status_code=303)
    try:
        mine = await customer.mine(request, number)
    except ApplicationNotFound:
        return await stops.not_yours(request)
    if mine.application.status == "draft":
        return mine.here.go(customer.place(mine.application, mine.session))
    view = replace(await result(mine), asks_notice=await notice.asks(mine))
    return mine.here.show("customer/result/show.html", view)


@get("/my/{number:str}/status")
async def status(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    return mine.here.show("customer/result/_status.html", await result(mine))


@post("/my/{number:str}/cancel")
async def cancel(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    await cancel_application.cancel_application(mine.here.context, mine.here.actor, mine.application.id)
    return mine.here.go(f"/my/{number}")


async def result(mine: Draft) -> views.Result:
    async with mine.here.context.db.read(mine.here.actor) as tx:
        found = await application_result.of(tx, mine.application)
        officer = await officer_of(tx, mine.application)
        missing = await guarantors.missing(tx, mine.application)
    return views.Result(
        application_no=found.application_no,
        status=found.status,  # type: ignore[arg-type]
        product_name=found.product_name,
        asked_fen=found.asked_fen,
        steps=tuple(views.Step(each.label, each.state, each.at, each.note) for each in found.steps),
        submitted_at=found.submitted_at,
        offer=_offer(found.offer),
        reasons=tuple(views.Reason(each.text, each.effect) for each in found.reasons),
        advice=found.advice,
        nearest=found.nearest,
        promise_at=found.promise_at,
        retry_on=found.retry_on,
        review=views.Review(**asdict(found.review)) if found.review else None,
        officer=officer,
        waiting_for=found.waiting_for,
        drawdown=found.drawdown,
        goes_on=found.goes_on,
        reusable=found.status == "repaid" and _stands(found.offer),
        moment=invite_notice.moment(found.status),
        guarantors_missing=missing,
        product_url=f"/p/{mine.here.institution.id}/{mine.application.product_code}",
    )


def _stands(offer: application_result.Offer | None) -> bool:
    return offer is not None and offer.line_until >= clock.today()


def _offer(offer: application_result.Offer | None) -> views.Offer | None:
    if offer is None:
        return None
    given = {name: value for name, value in asdict(offer).items() if name != "contract_no"}
    given["schedule"] = tuple(
        views.Instalment(i.due_on, i.principal_fen, i.interest_fen) for i in offer.schedule
    )
    return views.Offer(**given)
