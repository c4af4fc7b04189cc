"""Phone number, SMS code and the consents: one screen."""

from collections.abc import Mapping

import msgspec
from litestar import get, post

from backend.core import masking
from backend.core.errors import Invalid, TooMany
from backend.domains.customers.consent_texts import ConsentText, Purpose
from backend.domains.identity import service as identity
from backend.domains.identity.model import CodeTooSoon
from backend.flows import ask_consents, prove_phone, send_code
from backend.flows.prove_phone import OthersPhone
from backend.web import addresses, customer, forms
from backend.web.customer import Draft, Here
from backend.web.http import Request, Response
from h5.customer import views

SHOW, PART = "customer/phone/show.html", "customer/phone/_code.html"
CONSENTS = tuple(f"consent_{purpose}" for purpose in Purpose)
"""Names of the ticks; their value is the version of the text shown."""
NOT_ASKED = "这个手机号还没有要过验证码，先点“发验证码”"


@get("/apply/phone")
async def show(request: Request) -> Response:
    draft = await customer.draft(request, "phone")
    return draft.here.show(SHOW, await phone(draft))


@post("/apply/phone", fields=("phone", "code", *CONSENTS))
async def send(request: Request) -> Response:
    """Send the code; within the minute after one was sent nothing is, and the answer says how long to wait."""
    draft = await customer.draft(request, "phone")
    form, here = await forms.texts(request), draft.here
    number = form.get("phone", "")
    try:
        number = send_code.check_phone(number)
        address = addresses.counted(request, here.settings)
        async with here.context.db.begin(here.actor) as tx:
            gap = await send_code.send_code(
                tx, draft.session.id, prove_phone.PURPOSE, number, address=address
            )
    except (Invalid, TooMany) as problem:
        return await _again(here, draft, form, problem)
    view = await phone(draft, typed=form, number=number, sms=code_sent(number, gap))
    return _part(here, view, 200)


@post("/apply/consents", fields=("phone", "code", *CONSENTS))
async def submit(request: Request) -> Response:
    """Everything on the screen at once; the browser's token changes, for now it is known whose it is."""
    if answer := await _tapped_again(request):
        return answer
    draft = await customer.draft(request, "phone")
    form, here = await forms.texts(request), draft.here
    token = customer.next_token(request, here.settings)
    try:
        application = await prove_phone.prove_phone(
            here.context,
            here.actor,
            draft.session,
            draft.application.id,
            phone=form.get("phone", ""),
            code=form.get("code", ""),
            ticked=ticked(form),
            token=token,
        )
    except OthersPhone as problem:
        return here.show(
            "customer/stop/others_phone.html", views.OthersPhone(str(problem.details["phone"])), 409
        )
    except Invalid as problem:
        number = form.get("phone", "")
        async with here.context.db.read(here.actor) as tx:
            asked = await identity.code_asked(tx, draft.session.id, prove_phone.PURPOSE, number)
        sms = _code_so_far(number, asked, problem.fields.get("code", ""))
        view = await phone(draft, typed=form, number=number, sms=sms, errors=problem.fields)
        return here.show(SHOW, view, 422)
    here.keep_session(token)
    return here.go(customer.STEP_PATHS[application.step])


def _code_so_far(number: str, asked: bool, error: str) -> views.SmsCode:
    """Nobody is told to look for a code that was never asked for."""
    if asked:
        return views.SmsCode(sent=True, sent_to=masking.phone(number), error=error)
    return views.SmsCode(error=NOT_ASKED if error else "")


async def _tapped_again(request: Request) -> Response | None:
    """An earlier attempt of this request died before its answer: the browser still has the token of before."""
    here = await customer.anywhere(request)
    application = await prove_phone.proved_before(here.context, here.actor)
    if application is None:
        return None
    here.keep_session(customer.next_token(request, here.settings))
    return here.go(customer.STEP_PATHS.get(application.step, "/resume"))


async def _again(here: Here, draft: Draft, form: Mapping[str, str], problem: Invalid | TooMany) -> Response:
    """A number to mend, or a code that is on its way already."""
    number = form.get("phone", "")
    if isinstance(problem, Invalid):
        return _part(here, await phone(draft, typed=form, number=number, errors=problem.fields), 422)
    sms = waiting(number, problem)
    return _part(here, await phone(draft, typed=form, number=number, sms=sms), 200 if not sms.error else 429)


def waiting(number: str, problem: TooMany) -> views.SmsCode:
    """Tapped again: nothing more was sent, and how long to wait. Used up for the hour or the day: said so."""
    if isinstance(problem, CodeTooSoon):
        return views.SmsCode(True, masking.phone(number), problem.retry_after, too_soon=True)
    return views.SmsCode(error=problem.text)


def code_sent(number: str, gap: int) -> views.SmsCode:
    return views.SmsCode(sent=True, sent_to=masking.phone(number), resend_seconds=gap)


def _part(here: Here, view: views.Phone, status: int) -> Response:
    if here.is_part:
        return here.show(PART, Code(view.sms, view.phone, view.phone_error, "/apply/phone"), status)
    return here.show(SHOW, view, status)


class Code(msgspec.Struct, frozen=True):
    """What the part under the phone number needs."""

    sms: views.SmsCode
    phone: str
    phone_error: str
    send_code_url: str


def ticked(form: Mapping[str, str]) -> dict[str, str]:
    """Purpose → version of the text shown, for every tick."""
    return {
        name.removeprefix("consent_"): value
        for name, value in form.items()
        if name.startswith("consent_") and value
    }


async def phone(
    draft: Draft,
    *,
    typed: Mapping[str, str] | None = None,
    number: str = "",
    sms: views.SmsCode | None = None,
    errors: Mapping[str, str] | None = None,
) -> views.Phone:
    """`typed`: the person's own ticks are shown again after an error, never anything else (D4-05)."""
    async with draft.here.context.db.read(draft.here.actor) as tx:
        texts = await ask_consents.ask_consents(tx, draft.application.product_code)
    errors, own = errors or {}, ticked(typed or {})
    return views.Phone(
        consents=tuple(consent(text, own, errors) for text in texts),
        sms=sms or views.SmsCode(),
        phone=number,
        phone_error=errors.get("phone", ""),
    )


def consent(text: ConsentText, own: Mapping[str, str], errors: Mapping[str, str]) -> views.Consent:
    return views.Consent(
        key=text.purpose,
        purpose=text.title,
        recipient=text.recipient_name,
        summary=text.summary,
        version=str(text.version),
        required=text.required,
        ticked=own.get(text.purpose) == str(text.version),
        error=errors.get(f"consent_{text.purpose}", ""),
    )
