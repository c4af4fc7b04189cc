"""申请人工复核: a person looks at the decision again (D3-03)."""

from collections.abc import Mapping

from litestar import get, post

from backend.core import clock
from backend.core.errors import Invalid
from backend.domains.regulation import service as regulation
from backend.domains.reviews.model import GROUNDS
from backend.flows import request_review
from backend.web import customer
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import views

SHOW = "customer/review/show.html"


@get("/my/{number:str}/review-request")
async def show(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    return mine.here.show(SHOW, await asking(mine))


@post("/my/{number:str}/review-request")
async def submit(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    form, here = await customer.fields(request), mine.here
    ground, said = form.get("ground", ""), form.get("said", "")
    try:
        await request_review.request_review(here.context, here.actor, mine.application.id, ground, said)
    except Invalid as problem:
        return here.show(SHOW, await asking(mine, ground, said, problem.fields), 422)
    return here.go(f"/my/{number}")


async def asking(
    mine: Draft, ground: str = "", said: str = "", errors: Mapping[str, str] | None = None
) -> views.ReviewRequest:
    async with mine.here.context.db.read(mine.here.actor) as tx:
        rules = await regulation.in_force(tx, clock.today())
    grounds = tuple(views.Choice(code, label) for code, label in GROUNDS.items())
    days = rules.count("human_review.working_days")
    return views.ReviewRequest(
        mine.application.application_no, grounds, days, ground, said, dict(errors or {})
    )
