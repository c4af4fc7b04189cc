"""The customer asks that a person looks at the decision (D3-03)."""

from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import Conflict, Invalid
from backend.domains.regulation import service as regulation
from backend.domains.reviews.model import GROUNDS
from backend.flows import request_review
from backend.web import customer, forms
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import views

SHOW = "customer/review/show.html"


@get("/my/{number:str}/review-request")
async def show(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    if mine.application.status != "declined":
        return mine.here.go(f"/my/{number}")
    return mine.here.show(SHOW, await _view(mine))


@post("/my/{number:str}/review-request", fields=("ground", "said"))
async def submit(request: Request, number: FromPath[str]) -> Response:
    """Asked twice, the first request stands and its page is shown."""
    mine, form = await customer.mine(request, number), await forms.texts(request)
    here, ground, said = mine.here, form.get("ground", ""), form.get("said", "")
    try:
        await request_review.request_review(here.context, here.actor, mine.application.id, ground, said)
    except Invalid as problem:
        return here.show(SHOW, await _view(mine, ground, said, problem.fields), 422)
    except Conflict:
        return here.go(f"/my/{number}")
    return here.go(f"/my/{number}")


async def _view(
    mine: Draft, chosen: str = "", said: str = "", errors: dict[str, str] | None = None
) -> views.ReviewRequest:
    async with mine.here.context.db.read(mine.here.actor) as tx:
        days = (await regulation.in_force(tx, clock.today())).count("human_review.working_days")
    grounds = tuple(views.Choice(*each) for each in GROUNDS.items())
    return views.ReviewRequest(mine.application.application_no, grounds, days, chosen, said, errors or {})
