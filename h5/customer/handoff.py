"""Over to the mobile bank: the offer waits there, plus a link, a QR and a short code (A3-10)."""

from litestar import get, post

from backend.domains.contracts import service as contracts
from backend.flows import issue_short_code, open_mobile_bank
from backend.web import customer
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import views

SHOW, CODE = "customer/handoff/show.html", "customer/handoff/_code.html"


@get("/my/{number:str}/hand-off")
async def show(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    view = await waiting(mine)
    return mine.here.show(SHOW, view) if view else mine.here.go(f"/my/{number}")


@post("/my/{number:str}/hand-off")
async def open_bank(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    here = mine.here
    return here.go(await open_mobile_bank.open_mobile_bank(here.context, here.actor, mine.application.id))


@post("/my/{number:str}/hand-off/code")
async def new_code(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    here = mine.here
    issued = await issue_short_code.issue_short_code(here.context, here.actor, mine.application.id)
    code = views.HandOffCode(issued.link, issued.short_code, issued.valid_until, issued.valid_seconds)
    view = await waiting(mine, code)
    if view is None:
        return here.go(f"/my/{number}")
    return here.show(CODE if here.is_part else SHOW, view)


async def waiting(mine: Draft, code: views.HandOffCode | None = None) -> views.HandOff | None:
    """The offer as it waits; None before there is a contract."""
    here = mine.here
    async with here.context.db.read(here.actor) as tx:
        contract = await contracts.of_application(tx, mine.application.id)
    if contract is None:
        return None
    return views.HandOff(
        application_no=mine.application.application_no,
        limit_fen=contract.limit_fen,
        annual_rate=contract.annual_rate,
        valid_until=contract.valid_until,
        bank_app=f"{here.institution.short_name}手机银行",
        code=code,
    )
