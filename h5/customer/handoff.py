"""The offer waits in the mobile bank; nothing is signed or paid here (A3-10)."""

from litestar import get, post
from litestar.params import FromPath

from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import OfferExpired
from backend.domains.handoff.model import NotHandedOff
from backend.flows import issue_short_code, issue_token, open_mobile_bank
from backend.web import customer
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import stops, views

SHOW, PART = "customer/handoff/show.html", "customer/handoff/_code.html"


@get("/my/{number:str}/hand-off")
async def show(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    view = await _view(mine)
    return mine.here.go(f"/my/{number}") if view is None else mine.here.show(SHOW, view)


@post("/my/{number:str}/hand-off")
async def open_bank(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    here = mine.here
    try:
        link = await open_mobile_bank.open_mobile_bank(here.context, here.actor, mine.application.id)
    except (NotHandedOff, OfferExpired) as problem:
        return await stops.answer(mine, problem) or here.go(f"/my/{number}")
    return here.go(link)


@post("/my/{number:str}/hand-off/code")
async def new_code(request: Request, number: FromPath[str]) -> Response:
    """A QR and a short code for another phone; a new one ends the ones before."""
    mine = await customer.mine(request, number)
    here = mine.here
    try:
        issued = await issue_short_code.issue_short_code(here.context, here.actor, mine.application.id)
    except (NotHandedOff, OfferExpired) as problem:
        return await stops.answer(mine, problem) or here.go(f"/my/{number}")
    code = views.HandOffCode(issued.link, issued.short_code, issued.valid_until, issued.valid_seconds)
    view = await _view(mine, code)
    return here.go(f"/my/{number}") if view is None else here.show(PART if here.is_part else SHOW, view)


async def _view(mine: Draft, code: views.HandOffCode | None = None) -> views.HandOff | None:
    status = mine.application.status
    if status not in issue_token.AT_THE_BANK:
        return None
    async with mine.here.context.db.read(mine.here.actor) as tx:
        contract = await contracts.get(tx, mine.application.id)
    return views.HandOff(
        application_no=mine.application.application_no,
        limit_fen=contract.limit_fen,
        annual_rate=contract.annual_rate,
        valid_until=contract.valid_until,
        bank_app=f"{mine.here.institution.short_name}手机银行",
        signed=status != "handed_off",
        code=code,
    )
