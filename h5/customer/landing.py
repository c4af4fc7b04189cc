"""The offer behind a scanned code, or the bank's own page of a product; the first tap."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import STEPS
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import CodeState, OfficerCard, Verification
from backend.domains.products import rules as product_rules
from backend.domains.products import service as products
from backend.flows import start_application, turn_away
from backend.web import addresses, customer, forms, remembered, wechat_browser
from backend.web.customer import Here
from backend.web.http import Request, Response
from h5.customer import views

OFFER_SECONDS = 1

CLOSED = {
    CodeState.EXPIRED: "expired",
    CodeState.REVOKED: "revoked",
    CodeState.FROZEN: "frozen",
    CodeState.UNKNOWN: "forged",
}


@get("/q/{code:str}")
async def scan(request: Request, code: FromPath[str]) -> Response:
    """What a printed or sent code leads to (N1); 410 when it must not be used any more."""
    if url := wechat_browser.ask(request, request.app.state.settings):
        return Redirect(url, status_code=303)
    known = await customer.live_institutions(request)
    institution_id = campaigns.institution_of(code) or ""
    if institution_id not in known:
        here = await customer.anywhere(request)
        return here.show(
            "customer/landing/closed_code.html", closed("", Verification(state=CodeState.UNKNOWN)), 410
        )
    here = await customer.at(request, institution_id)
    try:
        return await _shown(here, code)
    except Closed as shut:
        return here.show("customer/landing/closed_code.html", closed(code, shut.verified), 410)


@get("/p/{institution_id:str}/{product_code:str}")
async def show(request: Request, institution_id: FromPath[str], product_code: FromPath[str]) -> Response:
    """The official page of a product, without an officer."""
    if url := wechat_browser.ask(request, request.app.state.settings):
        return Redirect(url, status_code=303)
    return await _shown(await customer.at(request, institution_id), product_code=product_code)


@post("/apply/start", fields=("code", "institution_id", "product_code"))
async def start(request: Request) -> Response:
    """The one button: a session and a draft come of it."""
    form = await forms.texts(request)
    code = form.get("code", "")
    here = await customer.at(request, campaigns.institution_of(code) or form.get("institution_id", ""))
    token = customer.token(request, here.settings, form.get("form_key", ""), "start")
    try:
        application = await start_application.start_application(
            here.context,
            here.actor,
            token=token,
            code=code,
            product_code=form.get("product_code", ""),
            openid=here.openid,
            session=here.session,
            address=addresses.counted(request, here.settings),
        )
    except start_application.CodeClosed:
        async with here.context.db.read(here.actor) as tx:
            verified = await campaigns.verify(tx, code)
        if verified.usable:
            return here.go(f"/q/{code}")
        return here.show("customer/landing/closed_code.html", closed(code, verified), 410)
    if here.session is None or application.session_id != here.session.id:
        here.keep_session(token)
    return here.go(customer.STEP_PATHS.get(application.step, "/apply/identity"))


@post("/apply/give-up")
async def give_up(request: Request) -> Response:
    """The person does not want their draft any more: nothing of it is kept."""
    draft = await customer.draft(request, *STEPS)
    here, application = draft.here, draft.application
    await turn_away.turn_away(here.context, here.actor, application.id, "customer")
    url = f"/p/{application.institution_id}/{application.product_code}"
    return here.show("customer/stop/given_up.html", views.GivenUp(url))


class Closed(Exception):
    """The scanned code must not be used."""

    def __init__(self, verified: Verification) -> None:
        self.verified = verified
        super().__init__("the code is closed")


async def _shown(here: Here, code: str = "", product_code: str = "") -> Response:
    """The offer of a code, or of a product alone. Raises `Closed`.

    A poster that a whole village scans at once is looked up once a second; the first tap verifies it again.
    """

    async def ask() -> views.Landing:
        async with here.context.db.read(here.actor) as tx:
            return await _offer(tx, code, product_code)

    known = remembered.of(here.request, "offers", OFFER_SECONDS)
    view: views.Landing = await known.get((here.institution.id, code, product_code), ask)
    if here.session is not None and here.session.application_id is not None:
        async with here.context.db.read(here.actor) as tx:
            view = replace(view, unfinished_url=await _unfinished(tx, here, view.product_code))
    return here.show_kept("customer/landing/show.html", view)


async def _offer(tx: Tx, code: str, product_code: str) -> views.Landing:
    if not code:
        return await landing(tx, product_code)
    verified = await campaigns.verify(tx, code)
    if not verified.usable:
        raise Closed(verified)
    assert verified.campaign is not None, "a usable code has a campaign"
    return await landing(tx, verified.campaign.product_code, code, verified)


async def landing(
    tx: Tx, product_code: str, code: str = "", verified: Verification | None = None
) -> views.Landing:
    product = await products.get_live(tx, tx.institution_id, product_code, clock.today())
    terms = product.terms
    low, high = product_rules.all_in_range(terms)
    return views.Landing(
        product_name=product.name,
        institution_id=tx.institution_id,
        product_code=product.code,
        limit_max_fen=terms.amount_max,
        annual_rate_min=terms.rate_min,
        annual_rate_max=terms.rate_max,
        all_in_min=low,
        all_in_max=high,
        term_months_max=max(terms.months),
        repayment="或".join(dict.fromkeys(each.method.label for each in terms.repayments)),
        report_url=f"/report?kind=fee_asked&code={code}" if code else "/report?kind=fee_asked",
        online=terms.online_road,
        code=code,
        officer=officer(verified.officer if verified else None),
        guarantors=terms.guarantors,
    )


def officer(card: OfficerCard | None) -> views.Officer | None:
    """None for nobody, and for an officer who may not market (D4-01)."""
    if card is None or card.authorised_to is None:
        return None
    return views.Officer(card.name, card.job_no, card.branch_name, card.authorised_to, card.phone)


async def _unfinished(tx: Tx, here: Here, product_code: str) -> str:
    """Where this browser left the same product, if it is still a draft."""
    assert here.session is not None, "asked of browsers with a session only"
    assert here.session.application_id is not None
    found = await applications.get(tx, here.session.application_id)
    draft = found.status == "draft" and found.session_id == here.session.id
    return customer.place(found, here.session) if draft and found.product_code == product_code else ""


def closed(code: str, verified: Verification) -> views.ClosedCode:
    product = verified.campaign.product_code if verified.campaign else ""
    institution_id = campaigns.institution_of(code)
    return views.ClosedCode(
        CLOSED[verified.state],  # type: ignore[arg-type]
        report_url=f"/report?code={code}" if code else "/report",
        official_url=f"/p/{institution_id}/{product}" if product else "",
        expired_on=verified.closed_on,
        why=verified.reason if verified.state is CodeState.REVOKED else "",
    )
