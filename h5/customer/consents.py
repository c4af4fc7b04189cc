"""Full text of a consent, one tap away (D3-01)."""

from datetime import datetime

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.core.errors import NotFound
from backend.domains.customers import consents as consent_centre
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.regulation import service as regulation
from backend.flows import remind_due
from backend.web import addresses, customer, forms, guarantor
from backend.web.http import Request, Response
from h5.customer import views

NOBODY = "00000000-0000-0000-0000-000000000000"


class GivenConsent(msgspec.Struct, frozen=True):
    """A consent as it stands. `effect` says what withdrawing changes; `withdrawable` False once used up."""

    key: str
    purpose: str
    recipient: str
    version: str
    given_at: datetime
    effect: str = ""
    withdrawn_at: datetime | None = None
    withdrawable: bool = True


class MyConsents(msgspec.Struct, frozen=True):
    """All consents of an application; withdrawing is as easy as giving (D3-01). `reminded`: told before a due date
    (None before anybody is known), so many days before."""

    application_no: str
    consents: tuple[GivenConsent, ...]
    reminded: bool | None = None
    days_before: int = 0


class TextGone(NotFound):
    code = "consent_text_gone"
    message = "这一版授权书已经换了，请退回上一页刷新，看新的内容"


@get("/consents/{key:str}/{version:str}")
async def show(request: Request, key: FromPath[str], version: FromPath[str]) -> Response:
    back = addresses.local(request.query_params.get("back", "/apply/phone"))
    theirs = back.startswith("/guarantee/")
    here = await guarantor.of(request) if theirs else await customer.anywhere(request)
    if key not in set(Purpose) or not here.institution.id:
        raise TextGone()
    async with here.context.db.read(here.actor) as tx:
        text = await consent_centre.text(tx, Purpose(key))
    if version != str(text.version):
        raise TextGone()
    view = views.ConsentText(
        title=text.title,
        recipient=text.recipient_name,
        version=version,
        effective_on=text.effective_on,
        text_hash=text.sha256,
        sections=text.sections,
        back_url=back,
    )
    return here.show("customer/consents/_text.html" if here.is_part else "customer/consents/show.html", view)


@get("/my/{number:str}/consents")
async def mine(request: Request, number: FromPath[str]) -> Response:
    """What the person agreed to, and the way to take it back (D3-01)."""
    found = await customer.mine(request, number)
    customer_id = found.application.customer_id
    async with found.here.context.db.read(found.here.actor) as tx:
        given = await consent_centre.given(tx, customer_id or NOBODY)
        texts = [await consent_centre.text_of(tx, each) for each in given]
        reminded = not await customers.refuses(tx, customer_id, remind_due.TOPIC) if customer_id else None
        days = (await regulation.in_force(tx, clock.today())).count("repayment.remind_days_before")
    shown = tuple(
        GivenConsent(
            key=each.purpose,
            purpose=text.title,
            recipient=text.recipient_name,
            version=str(each.version),
            given_at=each.given_at,
            effect="收回以后，还没办完的申请不能再查这一项。" if text.required else "不影响审批。",
            withdrawn_at=each.withdrawn_at,
        )
        for each, text in zip(given, texts, strict=True)
    )
    return found.here.show("customer/consents/mine.html", MyConsents(number, shown, reminded, days))


@post("/my/{number:str}/consents/{key:str}/withdraw")
async def withdraw(request: Request, number: FromPath[str], key: FromPath[str]) -> Response:
    """As easy as giving; a second tap changes nothing."""
    found = await customer.mine(request, number)
    if key not in set(Purpose):
        raise TextGone()
    async with found.here.context.db.begin(found.here.actor) as tx:
        await consent_centre.withdraw(tx, found.application.customer_id or NOBODY, Purpose(key))
    return found.here.go(f"/my/{number}/consents")


@post("/my/{number:str}/reminders", fields=("wanted",))
async def choose_reminders(request: Request, number: FromPath[str]) -> Response:
    """Told before a due date, or not (N17); a second tap changes nothing."""
    found, form = await customer.mine(request, number), await forms.texts(request)
    if found.application.customer_id is not None and form.get("wanted") in ("yes", "no"):
        async with found.here.context.db.begin(found.here.actor) as tx:
            await customers.choose_notice(
                tx, found.application.customer_id, remind_due.TOPIC, refused=form["wanted"] == "no"
            )
    return found.here.go(f"/my/{number}/consents")
