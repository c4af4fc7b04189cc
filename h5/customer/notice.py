"""审批有结果时，微信告诉我一声: the page asks for one subscription notice by WeChat's own element (N17).

The part comes after the page, so that no page waits for WeChat; what the element reports is a hint by which this
browser is not asked again. The ledger is raised by WeChat's signed event alone.
"""

from urllib.parse import urlsplit

import litestar
import msgspec
import structlog
from litestar import get, post
from litestar.params import FromPath

from backend.flows import invite_notice
from backend.flows.invite_notice import Moment
from backend.web import cookies, customer, forms, wechat_browser
from backend.web.customer import Draft
from backend.web.http import Request, Response

COOKIE = "notice"
SILENT_SECONDS = {
    "accept": 120,  # until WeChat's event has come
    "reject": 12 * 3600,
    "cancel": 12 * 3600,
    "filter": 12 * 3600,
    "error": 600,
    "unsigned": 600,
}
"""How long this browser is not asked again, by what the element reported; a refusal holds for the visit."""

log = structlog.get_logger()


class NoticeAsk(msgspec.Struct, frozen=True):
    """One notice to be allowed, and what `wx.config` needs for this page (N17)."""

    application_no: str
    moment: Moment
    template_id: str
    app_id: str
    timestamp: str
    nonce: str
    signature: str


@get("/my/{number:str}/notice")
async def show(request: Request, number: FromPath[str]) -> Response:
    """The part, or nothing at all (204): asked for by the page after it has opened."""
    mine = await customer.mine(request, number)
    url = _address(request, number)
    if not url or not _may(mine):
        return _nothing()
    here, application = mine.here, mine.application
    found = await invite_notice.invite_notice(here.context, here.actor, application, here.openid, url)
    if found is None:
        return _nothing()
    config = found.config
    view = NoticeAsk(
        application_no=number,
        moment=invite_notice.moment(application.status),
        template_id=found.template_id,
        app_id=config.app_id,
        timestamp=config.timestamp,
        nonce=config.nonce,
        signature=config.signature,
    )
    return here.show("customer/result/_notice.html", view)


@post("/my/{number:str}/notice", fields=("template", "outcome"))
async def submit(request: Request, number: FromPath[str]) -> Response:
    """What WeChat's element reported of one template. Writes nothing: a hint, not a grant."""
    mine = await customer.mine(request, number)
    if mine.application.status == "draft":
        return mine.here.go(customer.place(mine.application, mine.session))
    told = (await forms.texts(request)).get("outcome", "")
    outcome = told if told in SILENT_SECONDS else "error"
    log.info("notice_asked", outcome=outcome, moment=invite_notice.moment(mine.application.status))
    answer = _nothing()
    answer.cookies.append(cookies.make(mine.here.settings, COOKIE, outcome, SILENT_SECONDS[outcome]))
    return answer


async def asks(mine: Draft) -> bool:
    """Whether the page should ask: in WeChat, where nobody has just answered, and a grant is wanted."""
    here = mine.here
    return _may(mine) and await invite_notice.worth_asking(
        here.context, here.actor, mine.application, here.openid
    )


def _may(mine: Draft) -> bool:
    here = mine.here
    return wechat_browser.inside(here.request) and not cookies.read(here.request, here.settings, COOKIE)


def _address(request: Request, number: str) -> str:
    """Of the page that asks, as WeChat's browser sees it; empty for a request of another page.

    The host is ours from the settings, never from a header: we sign for no address but our own.
    """
    page = urlsplit(request.headers.get("hx-current-url", "")[:2000])
    if page.path != f"/my/{number}":
        return ""
    base: str = request.app.state.settings.public_base.rstrip("/")
    return base + page.path + (f"?{page.query}" if page.query else "")


def _nothing() -> Response:
    return litestar.Response(None, status_code=204)
