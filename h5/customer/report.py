"""有人向您收费吗: a report about a code or a person, answered with a ticket number (N15)."""

from collections.abc import Mapping

from litestar import get, post

from backend.core import clock
from backend.domains.campaigns import rules as code_rules
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import REPORT_KINDS
from backend.web import customer
from backend.web.customer import Here
from backend.web.http import Request, Response
from h5.customer import views
from h5.customer.landing import officer

SHOW = "customer/report/show.html"
WRONG = "请点一下是哪种情况"
ANSWER_DAYS = 5


@get("/report")
async def show(request: Request) -> Response:
    code = request.query_params.get("code", "")
    here = await _where(request, code)
    return here.show(SHOW, await _form(here, code))


@post("/report")
async def submit(request: Request) -> Response:
    form = await customer.fields(request)
    code, kind, said = form.get("code", ""), form.get("kind", ""), form.get("said", "")
    here = await _where(request, code)
    if kind not in REPORT_KINDS:
        return here.show(SHOW, await _form(here, code, said, {"kind": WRONG}), 422)
    async with here.context.db.begin(here.actor) as tx:
        seen = await campaigns.verify(tx, code)
        ticket = await campaigns.report(
            tx,
            kind=kind,
            text=said or REPORT_KINDS[kind],
            code_id=seen.code.id if seen.code else None,
            contact=form.get("phone") or None,
        )
    answer_by = clock.local(clock.later(days=ANSWER_DAYS)).date()
    return here.show("customer/report/thanks.html", views.Reported(ticket, answer_by))


async def _where(request: Request, code: str) -> Here:
    """The institution of the code, else of the browser's session, else the first county."""
    institution_id = code_rules.institution_of(code)
    known = await customer.live_institutions(request)
    if institution_id in known:
        return await customer.at(request, institution_id or "")
    here = await customer.anywhere(request)
    return here if here.institution.id else await customer.at(request, next(iter(known)))


async def _form(
    here: Here, code: str, said: str = "", errors: Mapping[str, str] | None = None
) -> views.Report:
    async with here.context.db.read(here.actor) as tx:
        seen = await campaigns.verify(tx, code)
    kinds = tuple(views.Choice(value, label) for value, label in REPORT_KINDS.items())
    who = officer(seen.officer) if seen.officer else None
    return views.Report(kinds, who, code, "", said, dict(errors or {}))
