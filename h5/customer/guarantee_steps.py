"""The guarantor proves who it is: card, phone with consents, face; as an applicant does, in a session of its own."""

from collections.abc import Mapping

from litestar import get, post

from backend.core import masking
from backend.core.errors import Invalid, TooMany, Unavailable
from backend.domains.applications import service as applications
from backend.domains.customers import card_form
from backend.domains.customers import consents as consent_centre
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import CardContradictsItself, CardExpired
from backend.domains.identity import service as identity_service
from backend.domains.institutions import service as institutions
from backend.flows import capture_guarantor, confirm_guarantor, face_guarantor, prove_guarantor, send_code
from backend.flows.capture_identity import Side, TooYoung
from backend.flows.check_guarantor import NotAGuarantor
from backend.flows.prove_phone import OthersPhone
from backend.flows.require_guarantee import require_guarantee
from backend.flows.start_liveness import FaceConsentMissing, TooManyFaces
from backend.integrations.liveness.port import LivenessUnavailable
from backend.ocr import reading
from backend.web import addresses, forms, guarantor
from backend.web.guarantor import Guarantor
from backend.web.http import Request, Response
from h5.customer import phone, views
from h5.customer.guarantee_views import Identity, OtherWay
from h5.customer.identity import READER_AWAY, drawn, uploaded
from h5.customer.liveness import ADVICE, DOWN, HOURS

IDENTITY, PHONE = "customer/guarantee_steps/identity.html", "customer/guarantee_steps/phone_page.html"
LIVENESS, OTHER = "customer/guarantee_steps/liveness.html", "customer/guarantee_steps/other_way.html"
CAPTURE, CODE = "customer/identity/_capture.html", "customer/phone/_code.html"
CONSENTS = tuple(f"consent_{purpose}" for purpose in consent_centre.GUARANTOR)
TAKE_AGAIN = "{what}。可能是没拍清楚，也可能两面不是同一张证，请把两面重新拍一次"
CARD_OVER = "您的身份证已经过期，换领新证后再来。链接还在有效期里的话，接着用它就行"


@get("/guarantee/identity")
async def identity(request: Request) -> Response:
    here = await guarantor.at(request, "identity")
    return here.show(IDENTITY, await _identity(here))


@post("/guarantee/identity/front", files=("image",), request_max_body_size=forms.PHOTOGRAPH_BODY)
async def front(request: Request) -> Response:
    return await _capture(request, "front")


@post("/guarantee/identity/back", files=("image",), request_max_body_size=forms.PHOTOGRAPH_BODY)
async def back(request: Request) -> Response:
    return await _capture(request, "back")


@post("/guarantee/identity/confirm", fields=card_form.EDITABLE)
async def confirm(request: Request) -> Response:
    here = await guarantor.at(request, "identity")
    form = await forms.texts(request)
    try:
        await confirm_guarantor.confirm_guarantor(here.context, here.actor, here.session_id, form)
    except (TooYoung, NotAGuarantor):
        return here.go("/guarantee")
    except Invalid as problem:
        text = CARD_OVER if isinstance(problem, CardExpired) else problem.text
        if isinstance(problem, CardContradictsItself):
            text = TAKE_AGAIN.format(what="、".join(dict.fromkeys(problem.fields.values())))
        view = await _identity(here, typed=form, errors=problem.fields, error=text)
        return here.show(IDENTITY, view, 422)
    return here.go(guarantor.PATHS["phone"])


async def _capture(request: Request, side: Side) -> Response:
    """One photograph: the part, or the page again for a phone without JavaScript."""
    here = await guarantor.at(request, "identity")
    content, status = await uploaded(request), 200
    address = addresses.counted(request, here.settings)
    try:
        taken = await capture_guarantor.capture_guarantor(
            here.context, here.actor, here.session_id, side, content, address=address
        )
        shown = views.Side("read" if taken.readable else "retake", taken.advice)
    except TooYoung:
        return here.go("/guarantee")
    except (Invalid, TooMany, Unavailable) as problem:
        down = isinstance(problem, Unavailable)
        shown, status = views.Side("retake", READER_AWAY if down else problem.text), 503 if down else 422
    view = await _identity(here, (shown, None) if side == "front" else (None, shown))
    if here.is_part:
        return here.show(CAPTURE, view, status)
    return here.go(guarantor.PATHS["identity"]) if shown.state == "read" else here.show(IDENTITY, view, 422)


async def _identity(
    here: Guarantor,
    told: tuple[views.Side | None, views.Side | None] = (None, None),
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    error: str = "",
) -> Identity:
    async with here.context.db.read(here.actor) as tx:
        standing = await require_guarantee(tx, here.session_id, "identity")
        found = [
            await applications.latest_capture(tx, standing.application, kind, standing.guarantee.id)
            for kind in (reading.ID_FRONT, reading.ID_BACK)
        ]
    return Identity(*drawn(found, told, typed or {}, errors or {}), error)


@get("/guarantee/phone")
async def phone_page(request: Request) -> Response:
    here = await guarantor.at(request, "phone")
    return here.show(PHONE, await _phone(here))


@post("/guarantee/phone", fields=("phone", "code", *CONSENTS))
async def send(request: Request) -> Response:
    """Send the code; within the minute after one was sent nothing is, and the answer says how long to wait."""
    here = await guarantor.at(request, "phone")
    form, address = await forms.texts(request), addresses.counted(request, here.settings)
    number, sms, errors, status = form.get("phone", ""), views.SmsCode(), {}, 200
    try:
        number = send_code.check_phone(number)
        async with here.context.db.begin(here.actor) as tx:
            gap = await send_code.send_code(
                tx, here.session_id, prove_guarantor.PURPOSE, number, address=address
            )
        sms = phone.code_sent(number, gap)
    except Invalid as problem:
        errors, status = dict(problem.fields), 422
    except TooMany as problem:
        sms = phone.waiting(number, problem)
        status = 429 if sms.error else 200
    view = await _phone(here, form, number, sms, errors)
    if here.is_part:
        part = phone.Code(view.sms, view.phone, view.phone_error, guarantor.PATHS["phone"])
        return here.show(CODE, part, status)
    return here.show(PHONE, view, status)


@post("/guarantee/consents", fields=("phone", "code", *CONSENTS))
async def submit(request: Request) -> Response:
    here = await guarantor.at(request, "phone")
    form = await forms.texts(request)
    number, code, ticked = form.get("phone", ""), form.get("code", ""), phone.ticked(form)
    try:
        await prove_guarantor.prove_guarantor(
            here.context, here.actor, here.session_id, phone=number, code=code, ticked=ticked
        )
    except OthersPhone as problem:
        view = await _phone(here, form, number, errors={"phone": problem.text})
        return here.show(PHONE, view, 409)
    except Invalid as problem:
        sms = await _code_so_far(here, number, problem)
        return here.show(PHONE, await _phone(here, form, number, sms, problem.fields), 422)
    return here.go(guarantor.PATHS["liveness"])


async def _code_so_far(here: Guarantor, number: str, problem: Invalid) -> views.SmsCode:
    """Nobody is told to look for a code that was never asked for."""
    error = problem.fields.get("code", "")
    async with here.context.db.read(here.actor) as tx:
        asked = await identity_service.code_asked(tx, here.session_id, prove_guarantor.PURPOSE, number)
    if asked:
        return views.SmsCode(sent=True, sent_to=masking.phone(number), error=error)
    return views.SmsCode(error=phone.NOT_ASKED if error else "")


async def _phone(
    here: Guarantor,
    typed: Mapping[str, str] | None = None,
    number: str = "",
    sms: views.SmsCode | None = None,
    errors: Mapping[str, str] | None = None,
) -> views.Phone:
    """Ticks as in `phone.phone`: only the guarantor's own are shown again."""
    async with here.context.db.read(here.actor) as tx:
        texts = await consent_centre.guarantor(tx)
    told, own = errors or {}, phone.ticked(typed or {})
    return views.Phone(
        consents=tuple(phone.consent(text, own, told) for text in texts),
        sms=sms or views.SmsCode(),
        phone=number,
        phone_error=told.get("phone", ""),
    )


@get("/guarantee/liveness")
async def liveness(request: Request) -> Response:
    here = await guarantor.at(request, "liveness")
    return here.show(LIVENESS, await _liveness(here))


@post("/guarantee/liveness", fields=(f"consent_{Purpose.LIVENESS}",))
async def start(request: Request) -> Response:
    here = await guarantor.at(request, "liveness")
    version = phone.ticked(await forms.texts(request)).get(Purpose.LIVENESS, "")
    try:
        url = await face_guarantor.face_guarantor(here.context, here.actor, here.session_id, version)
    except (FaceConsentMissing, TooManyFaces) as problem:
        status = 429 if isinstance(problem, TooManyFaces) else 422
        return here.show(LIVENESS, await _liveness(here, "failed", problem.text), status)
    except LivenessUnavailable:
        return here.show(LIVENESS, await _liveness(here, "down", DOWN), 503)
    return here.go(url)


@get("/guarantee/liveness/back")
async def come_back(request: Request) -> Response:
    """The provider sends the person here. Like an applicant's, the one GET that records something."""
    here = await guarantor.at(request, "liveness")
    session = request.query_params.get("liveness_session", "")
    try:
        ending = await face_guarantor.heard(here.context, here.actor, here.session_id, session)
    except LivenessUnavailable:
        return here.show(LIVENESS, await _liveness(here, "down", DOWN), 503)
    if ending == "passed":
        return here.go(guarantor.PATHS["confirm"])
    return here.show(LIVENESS, await _liveness(here, "failed", ADVICE[ending]))


@get("/guarantee/liveness/other-way")
async def other_way(request: Request) -> Response:
    here = await guarantor.at(request, "liveness")
    async with here.context.db.read(here.actor) as tx:
        branch = (await institutions.branches(tx))[0]
    return here.show(OTHER, OtherWay(branch.name, branch.address, HOURS))


async def _liveness(here: Guarantor, state: str = "start", advice: str = "") -> views.Liveness:
    async with here.context.db.read(here.actor) as tx:
        text = await consent_centre.text(tx, Purpose.LIVENESS)
    return views.Liveness(text.recipient_name, phone.consent(text, {}, {}), state, advice)  # type: ignore[arg-type]
