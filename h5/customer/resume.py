"""Back to an application from another day or phone (A3-07)."""

from litestar import get, post

from backend.core import masking
from backend.core.actor import Actor
from backend.core.errors import Invalid, NotFound, TooMany
from backend.domains.applications import service as applications
from backend.domains.identity import service as identity
from backend.domains.institutions.model import UNION
from backend.flows import resume_application, send_code
from backend.web import addresses, customer, forms
from backend.web.customer import Here
from backend.web.http import Request, Response
from h5.customer import views
from h5.customer.phone import PART, Code, code_sent, waiting

SHOW = "customer/resume/show.html"


@get("/resume")
async def show(request: Request) -> Response:
    here = await customer.anywhere(request)
    return here.show(SHOW, views.Resume())


@post("/resume/code", fields=("phone", "code"))
async def send(request: Request) -> Response:
    """The answer does not tell whether the phone is known (ASVS 6.3.8)."""
    here, form = await customer.anywhere(request), await forms.texts(request)
    number = form.get("phone", "")
    try:
        number = send_code.check_phone(number)
        address = addresses.counted(request, here.settings)
        gap = await resume_application.ask_code(here.context, _browser(here), number, address)
    except Invalid as problem:
        return _part(here, views.Resume(phone=number, phone_error=problem.fields["phone"]), 422)
    except TooMany as problem:
        sms = waiting(number, problem)
        return _part(here, views.Resume(sms, number), 429 if sms.error else 200)
    return _part(here, views.Resume(code_sent(number, gap), number), 200)


@post("/resume", fields=("phone", "code"))
async def submit(request: Request) -> Response:
    """A fresh session at the step it stopped at, or at the page of what was handed in."""
    here, form = await customer.anywhere(request), await forms.texts(request)
    number, who = form.get("phone", ""), _browser(here)
    token = customer.token(request, here.settings, form.get("form_key", ""), "resume")
    try:
        found = await resume_application.resume_application(
            here.context,
            who,
            phone=number,
            code=form.get("code", ""),
            token=token,
            openid=here.openid,
        )
    except (Invalid, NotFound) as problem:
        return here.show(SHOW, _refused(number, problem), 422)
    return await _arrive(request, found, token)


async def _arrive(request: Request, found: resume_application.Resumed, token: str) -> Response:
    here = await customer.at(request, found.institution_id)
    async with here.context.db.read(here.actor) as tx:
        session = await identity.customer_session(tx, token)
        application = await applications.get(tx, found.application_id)
    assert session is not None, "the flow made it"
    here.keep_session(token)
    path = customer.place(application, session)
    return here.go(path if path != "/resume" else f"/my/{application.application_no}")


def _refused(number: str, problem: Invalid | NotFound) -> views.Resume:
    fields = problem.fields if isinstance(problem, Invalid) else {}
    error = fields.get("code", "" if fields else problem.text)
    sms = views.SmsCode(sent=bool(number), sent_to=masking.phone(number), error=error)
    return views.Resume(sms, number, fields.get("phone", ""))


def _browser(here: Here) -> Actor:
    """The browser acts; no county is known yet."""
    return customer.customer(here.request, UNION, customer.visit_name(here.request, here.settings))


def _part(here: Here, view: views.Resume, status: int) -> Response:
    if here.is_part:
        return here.show(PART, Code(view.sms, view.phone, view.phone_error, "/resume/code"), status)
    return here.show(SHOW, view, status)
