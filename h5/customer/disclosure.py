"""综合融资成本明示表: shown, read for as long as the rule says, confirmed (D2-09)."""

from litestar import get, post

from backend.domains.contracts.model import DisclosureChanged, ReadTooFast, ShownTokenInvalid
from backend.flows import confirm_disclosure, hand_off, show_disclosure
from backend.web import customer
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import views

SHOW, SHEET = "customer/disclosure/show.html", "customer/disclosure/_sheet.html"


@get("/my/{number:str}/disclosure")
async def show(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    return mine.here.show(SHEET if mine.here.is_part else SHOW, await sheet(mine))


@post("/my/{number:str}/disclosure")
async def confirm(request: Request, number: str) -> Response:
    mine = await customer.mine(request, number)
    form, here = await customer.fields(request), mine.here
    shown, version = form.get("shown_token", ""), form.get("version", "")
    try:
        await confirm_disclosure.confirm_disclosure(
            here.context, here.actor, mine.application.id, shown, version
        )
    except (ReadTooFast, DisclosureChanged, ShownTokenInvalid):
        return here.show(SHOW, await sheet(mine, shown, early=True), 422)
    await hand_off.hand_off(here.context, here.actor, mine.application.id)
    return here.go(f"/my/{number}/hand-off")


async def sheet(mine: Draft, shown_token: str = "", *, early: bool = False) -> views.Disclosure:
    here = mine.here
    shown = await show_disclosure.show_disclosure(
        here.context, here.actor, mine.application.id, shown_token=shown_token
    )
    table = shown.disclosure
    return views.Disclosure(
        application_no=shown.application_no,
        product_name=shown.product_name,
        borrower=shown.borrower,
        lender=shown.lender,
        principal_fen=table.principal,
        term_months=table.term_months,
        repayment=shown.method_label,
        annual_rate=table.annual_rate,
        all_in_cost=table.annualised,
        items=tuple(
            views.CostItem(i.item, i.method, i.standard, i.collected_by, i.amount) for i in table.lines
        ),
        contingent=tuple(
            views.CostItem(i.item, i.method, i.standard, i.collected_by, i.amount) for i in table.contingent
        ),
        version=shown.version,
        text_hash=shown.sha256[:12],
        shown_token=shown.shown_token,
        wait_seconds=shown.wait_seconds,
        early=early,
        confirmed_at=shown.confirmed_at,
    )
