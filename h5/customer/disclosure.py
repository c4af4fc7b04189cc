"""综合融资成本明示表: read for as long as it takes, then confirmed (D2-09)."""

from collections.abc import Sequence

from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Problem
from backend.documents.disclosure import Line
from backend.domains.contracts.model import (
    DisclosureChanged,
    OfferExpired,
    ReadTooFast,
    ShownTokenInvalid,
)
from backend.domains.guarantees.model import GuaranteeOutstanding
from backend.flows import confirm_disclosure, hand_off, show_disclosure
from backend.flows.show_disclosure import NothingToDisclose
from backend.web import customer, forms
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import stops, views

SHOW, PART = "customer/disclosure/show.html", "customer/disclosure/_sheet.html"


@get("/my/{number:str}/disclosure")
async def show(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    here = mine.here
    try:
        shown = await show_disclosure.show_disclosure(here.context, here.actor, mine.application.id)
    except (NothingToDisclose, OfferExpired, GuaranteeOutstanding) as problem:
        return await _over(mine, problem)
    return here.show(PART if here.is_part else SHOW, _view(shown))


@post("/my/{number:str}/disclosure", fields=("shown_token", "version"))
async def confirm(request: Request, number: FromPath[str]) -> Response:
    """Too early, or a table that has changed meanwhile: shown again, nothing is confirmed."""
    mine = await customer.mine(request, number)
    form, here, case = await forms.texts(request), mine.here, mine.application.id
    token = form.get("shown_token", "")
    try:
        await confirm_disclosure.confirm_disclosure(
            here.context, here.actor, case, token, form.get("version", "")
        )
    except (ReadTooFast, DisclosureChanged, ShownTokenInvalid) as problem:
        shown = await show_disclosure.show_disclosure(here.context, here.actor, case, shown_token=token)
        return here.show(SHOW, _view(shown, early=isinstance(problem, ReadTooFast)), 422)
    except (NothingToDisclose, OfferExpired, GuaranteeOutstanding) as problem:
        return await _over(mine, problem)
    await hand_off.hand_off(here.context, here.actor, case)
    return here.go(f"/my/{number}/hand-off")


async def _over(mine: Draft, problem: Problem) -> Response:
    """Nothing stands to be confirmed: the page of the application says why, or that the last day is over, or the page
    of the guarantors who are still missing."""
    if isinstance(problem, GuaranteeOutstanding):
        return mine.here.go(f"/my/{mine.application.application_no}/guarantors")
    return await stops.answer(mine, problem) or mine.here.go(f"/my/{mine.application.application_no}")


def _view(shown: show_disclosure.Shown, *, early: bool = False) -> views.Disclosure:
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
        items=_items(table.lines),
        contingent=_items(table.contingent),
        version=shown.version,
        text_hash=shown.sha256,
        shown_token=shown.shown_token,
        wait_seconds=shown.wait_seconds,
        early=early and shown.wait_seconds > 0,
        confirmed_at=shown.confirmed_at,
    )


def _items(lines: Sequence[Line]) -> tuple[views.CostItem, ...]:
    return tuple(
        views.CostItem(each.item, each.method, each.standard, each.collected_by, each.amount)
        for each in lines
    )
