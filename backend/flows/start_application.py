"""开始申请: the first tap after the landing: a session, a draft and the officer's credit for it (A3-05, A3-06)."""

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Conflict, TooMany
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.campaigns import service as campaigns
from backend.domains.campaigns.model import CodeState, Verification
from backend.domains.identity import service as identity
from backend.domains.identity.model import CustomerSession
from backend.domains.identity.quota import Limit
from backend.domains.products import service as products
from backend.flows.context import Context
from backend.outbox import idempotency


class CodeClosed(Conflict):
    """Between the landing and the tap the code was revoked, frozen or ran out."""

    code = "code_closed"
    message = "这张码刚刚停用了，请从我行官方页面办"


class NotOnline(Conflict):
    """The product is offered, but its own road is not built: nothing may be judged by another product's rules."""

    code = "not_online"
    message = "{product}现在要到网点办，网上还不能申请。带上身份证到网点，或先打客服电话问问"


class TooManyStarts(TooMany):
    code = "too_many_starts"
    message = "从这个网络来申请的人有点多，请过 {wait} 再点一次，或到网点办"


STARTS = Limit("start-address", 600, 3600, TooManyStarts)
"""Drafts begun from one network address; generous, since a whole village may share one."""


async def start_application(
    context: Context,
    actor: Actor,
    *,
    token: str,
    code: str = "",
    product_code: str = "",
    openid: str | None = None,
    session: CustomerSession | None = None,
    address: str = "",
) -> Application:
    """The draft to go on with; an open application of this browser for the same product is taken up again.

    `token` becomes the cookie of a new session when there is no `session`. `address` as in `send_code`.
    Raises `CodeClosed`, `NotOnline`, `ProductNotLive`, `TooManyStarts`.
    """
    async with context.db.begin(actor) as tx:

        async def work() -> str:
            await STARTS.take_at(tx, address)
            return await _start(tx, token, code, product_code, openid, session)

        return await applications.get(tx, await idempotency.once(tx, work))


async def _start(
    tx: Tx,
    token: str,
    code: str,
    product_code: str,
    openid: str | None,
    session: CustomerSession | None,
) -> str:
    verified = await campaigns.verify(tx, code) if code else Verification(state=CodeState.UNKNOWN)
    if code and not verified.usable:
        raise CodeClosed()
    if verified.campaign is not None:
        product_code = verified.campaign.product_code
    product = await products.get_live(tx, tx.institution_id, product_code, clock.today())
    if not product.terms.online_road:
        raise NotOnline(product=product.name)
    if session is None:
        session, _ = await identity.new_customer_session(tx, openid, token=token)
    elif under_way := await _under_way(tx, session, product.code):
        return under_way
    application = await applications.begin(
        tx,
        product_code=product.code,
        product_version=product.version_label,
        channel="qr" if code else "web",
        session_id=session.id,
        openid=openid or session.openid,
        code_id=verified.code.id if verified.code else None,
        officer_id=verified.code.officer_id if verified.code else None,
        is_internet_loan=product.terms.is_internet_loan,
    )
    await identity.set_session_application(tx, session.id, application.id, session.customer_id)
    if verified.code is not None:
        await campaigns.record_scan(tx, verified.code.id, channel="h5", visitor=openid or session.id)
    return application.id


async def _under_way(tx: Tx, session: CustomerSession, product_code: str) -> str | None:
    """The browser's own draft of this product; anything handed in already is found on the identity step."""
    if session.application_id is None:
        return None
    found = await applications.get(tx, session.application_id)
    mine = found.product_code == product_code and found.session_id == session.id
    return found.id if mine and found.status == "draft" else None
