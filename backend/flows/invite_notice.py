"""请客户允许一次订阅通知 (N17): when a page may ask for a grant, and what WeChat's element needs to be shown.

The page only asks. What was answered reaches the ledger by WeChat's own signed event (`bot/handlers/notices.py`) and
by nothing else, so that a grant is counted once and never on a browser's word. Nobody has to answer: without a grant
the notice goes by SMS (`notify.py`).
"""

from typing import Literal

import msgspec

from backend.core.actor import Actor, everywhere
from backend.core.errors import Unavailable
from backend.domains.applications.model import Application
from backend.domains.channels import grants
from backend.domains.customers import service as customers
from backend.flows import remind_due
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.integrations.wechat.js_sdk import PageConfig

Moment = Literal["", "result", "contract", "money", "repayment"]

MOMENTS: dict[str, Moment] = {
    "submitted": "result",
    "deciding": "result",
    "held": "result",
    "referred": "result",
    "handed_off": "contract",
    "signed": "money",
    "drawn": "repayment",
}
"""What the next notice will be about, by status. `approved` is left out: there the next step is the person's own."""


class Invitation(msgspec.Struct, frozen=True):
    """One template to ask for, and the proof that this page may show WeChat's element."""

    template_id: str
    config: PageConfig


def moment(status: str) -> Moment:
    """Empty when there is nothing to ask for."""
    return MOMENTS.get(status, "")


async def worth_asking(context: Context, actor: Actor, application: Application, openid: str | None) -> bool:
    """Whether a notice of this case could go to the account that opened the page, is wanted, and has no grant yet."""
    template = context.settings.wechat_progress_template
    if not (template and openid and application.customer_id and moment(application.status)):
        return False
    async with context.db.read(actor) as tx:
        if await customers.openid_of(tx, application.customer_id) != openid:
            return False
        refused = await customers.refuses(tx, application.customer_id, remind_due.TOPIC)
        if moment(application.status) == "repayment" and refused:
            return False
    async with context.db.read(everywhere("invite notice")) as tx:
        return not (await grants.left(tx, openid)).get(template)


async def invite_notice(
    context: Context, actor: Actor, application: Application, openid: str | None, url: str
) -> Invitation | None:
    """`url`: the page's whole address. None when there is nothing to ask, or WeChat gives no ticket just now."""
    if not await worth_asking(context, actor, application, openid):
        return None
    try:
        config = await context.clients.wechat.page_config(url)
    except (Unavailable, OutsideRefused):
        return None
    return Invitation(context.settings.wechat_progress_template, config)
