"""The borrower's side: who is asked to answer for the line, the link to pass on, the way to take it back (A1-08)."""

from litestar import get, post
from litestar.params import FromPath

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.customers import consents as consent_centre
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import OPEN, Guarantee
from backend.domains.products import service as products
from backend.flows import ask_guarantor, withdraw_guarantor
from backend.flows.ask_guarantor import ShareConsentMissing
from backend.overview import guarantors as asked_for
from backend.web import customer, forms
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer.guarantee_views import Asked, Guarantors
from h5.customer.phone import consent, ticked

SHOW = "customer/guarantors/show.html"
SHARE = "我在{lender}批了 {amount} 元，想请您做保证人。先点开看看是什么意思，不愿意直接点“不担保”就行：{link}"


@get("/my/{number:str}/guarantors")
async def show(request: Request, number: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    view = await _view(mine)
    return mine.here.go(f"/my/{number}") if view is None else mine.here.show(SHOW, view)


@post("/my/{number:str}/guarantors", fields=("consent_guarantor_share",))
async def ask(request: Request, number: FromPath[str]) -> Response:
    """A link for one person more, once the borrower agreed to what it shows."""
    mine = await customer.mine(request, number)
    form, here = await forms.texts(request), mine.here
    version = ticked(form).get(Purpose.GUARANTOR_SHARE, "")
    try:
        await ask_guarantor.ask_guarantor(here.context, here.actor, mine.application.id, version)
    except ShareConsentMissing as problem:
        view = await _view(mine, problem.fields)
        return here.go(f"/my/{number}") if view is None else here.show(SHOW, view, 422)
    return here.go(f"/my/{number}/guarantors")


@post("/my/{number:str}/guarantors/{key:str}/withdraw")
async def withdraw(request: Request, number: FromPath[str], key: FromPath[str]) -> Response:
    mine = await customer.mine(request, number)
    await withdraw_guarantor.withdraw_guarantor(mine.here.context, mine.here.actor, mine.application.id, key)
    return mine.here.go(f"/my/{number}/guarantors")


async def _view(mine: Draft, errors: dict[str, str] | None = None) -> Guarantors | None:
    """None where the product wants nobody, or there is no line (any more)."""
    application = mine.application
    async with mine.here.context.db.read(mine.here.actor) as tx:
        contract = await contracts.of_application(tx, application.id)
        if contract is None or application.status in ("expired", "cancelled"):
            return None
        on = contract.agreed_on
        product = await products.get_begun(tx, tx.institution_id, contract.product_code, on)
        if not product.terms.guarantors:
            return None
        found = await guarantees.of_application(tx, application.id)
        text = await consent_centre.text(tx, Purpose.GUARANTOR_SHARE)
        standing = [e for e in found if e.status == "confirmed" or (e.status in OPEN and not e.over(tx.now))]
        return Guarantors(
            application_no=application.application_no,
            wanted=product.terms.guarantors,
            missing=await asked_for.missing(tx, contract),
            may_ask=application.status == "approved" and len(standing) < product.terms.guarantors,
            asked=tuple([await _asked(mine, tx, each) for each in reversed(found)]),
            consent=consent(text, {}, errors or {}),
        )


async def _asked(mine: Draft, tx: Tx, guarantee: Guarantee) -> Asked:
    here, over = mine.here, guarantee.over(clock.now())
    waiting = guarantee.status == "invited" and not over
    link = ask_guarantor.link(here.settings, guarantee) if waiting else ""
    amount = f"{guarantee.amount_fen // 100:,}"
    return Asked(
        id=guarantee.id,
        state="expired" if over else guarantee.status,
        label="链接已过期" if over else guarantee.label,
        asked_at=guarantee.created_at,
        expires_at=guarantee.expires_at,
        name=await _name(tx, guarantee),
        link=link,
        share=SHARE.format(lender=here.institution.short_name, amount=amount, link=link) if link else "",
    )


async def _name(tx: Tx, guarantee: Guarantee) -> str:
    """Of somebody who did not agree to be told of, nothing (D3-02)."""
    if guarantee.status != "confirmed" or guarantee.guarantor_id is None:
        return ""
    return (await customers.names(tx, [guarantee.guarantor_id])).get(guarantee.guarantor_id, "")


async def missing(tx: Tx, application: Application) -> int:
    """How many guarantors an approved case still waits for."""
    contract = await contracts.of_application(tx, application.id)
    if contract is None or application.status != "approved":
        return 0
    return await asked_for.missing(tx, contract)
