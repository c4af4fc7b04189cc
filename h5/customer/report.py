"""有人向您收费吗 (N15): a report of somebody who asks for money or pretends to be the bank."""

from litestar import get, post

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Invalid, TooMany
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import REPORT_KINDS
from backend.domains.identity.quota import Limit
from backend.domains.regulation import calendar
from backend.flows import send_code
from backend.outbox import idempotency
from backend.web import addresses, customer, forms
from backend.web.customer import Here
from backend.web.http import Request, Response
from h5.customer import views
from h5.customer.landing import officer

ANSWER_WORKING_DAYS = 5


class TooManyReports(TooMany):
    code = "too_many_reports"
    message = "从这个网络来的举报有点多，请过 {wait} 再说，或打客服电话"


FROM_ADDRESS = Limit("report-address", 60, 3600, TooManyReports)
"""A ticket is a person's work: nobody fills the list from one network address."""


@get("/report")
async def show(request: Request) -> Response:
    code = request.query_params.get("code", "")[:80]
    here, kind = await _here(request, code), request.query_params.get("kind", "")
    return here.show(
        "customer/report/show.html", await _view(here, code, kind if kind in REPORT_KINDS else "")
    )


@post("/report", fields=("code", "kind", "said", "phone"))
async def submit(request: Request) -> Response:
    """Told twice by one tap, one ticket comes of it."""
    form = await forms.texts(request)
    code, phone, kind = form.get("code", "")[:80], form.get("phone", ""), form.get("kind", "")
    here = await _here(request, code)
    try:
        if kind not in REPORT_KINDS:
            raise Invalid(fields={"kind": "请选发生了什么"})
        contact = send_code.check_phone(phone) if phone else None
    except Invalid as problem:
        view = await _view(here, code, kind, form.get("said", ""), problem.fields)
        return here.show("customer/report/show.html", view, 422)
    ticket_no = await _tell(here, code, kind, form, contact)
    async with here.context.db.read(_actor(here)) as tx:
        answer_by = (await calendar.known(tx)).after(clock.today(), ANSWER_WORKING_DAYS)
    return here.show("customer/report/thanks.html", views.Reported(ticket_no, answer_by))


async def _tell(here: Here, code: str, kind: str, form: dict[str, str], contact: str | None) -> str:
    async with here.context.db.begin(_actor(here)) as tx:
        verified = await campaigns.verify(tx, code)

        async def work() -> str:
            await FROM_ADDRESS.take_at(tx, addresses.counted(here.request, here.settings))
            code_id = verified.code.id if verified.code else None
            return await campaigns.report(
                tx, kind=kind, text=form.get("said", ""), code_id=code_id, contact=contact
            )

        return await idempotency.once(tx, work)


async def _here(request: Request, code: str) -> Here:
    """The code says whose officer it is; without one, the browser's own county, else the first. Raises
    `InstitutionNotFound` while there is none."""
    known = await customer.live_institutions(request)
    institution_id = campaigns.institution_of(code) or (await customer.anywhere(request)).institution.id
    return await customer.at(request, institution_id if institution_id in known else next(iter(known), ""))


def _actor(here: Here) -> Actor:
    return customer.customer(
        here.request, here.institution.id, customer.visit_name(here.request, here.settings)
    )


async def _view(
    here: Here, code: str, chosen: str = "", said: str = "", errors: dict[str, str] | None = None
) -> views.Report:
    async with here.context.db.read(_actor(here)) as tx:
        verified = await campaigns.verify(tx, code)
    kinds = tuple(views.Choice(*each) for each in REPORT_KINDS.items())
    return views.Report(kinds, officer(verified.officer), code, chosen, said, errors or {})
