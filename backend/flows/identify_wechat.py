"""Ask WeChat, silently, which account opened a page (网页授权 snsapi_base)."""

import msgspec

from backend.core.actor import system
from backend.domains.channels import links
from backend.domains.institutions.model import UNION
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused, OutsideUnavailable
from backend.integrations.wechat.port import CodeUsed

CALLBACK = "/wechat/oauth/callback"
MOST_TRIES = 2


class Identified(msgspec.Struct, frozen=True):
    """`openid` is empty when nobody could be told. `again`: the address to begin once more at, or empty."""

    openid: str
    next_path: str
    again: str = ""


async def begin(context: Context, visit: str, next_path: str, tries: int = 0) -> str:
    """The address at WeChat to send the browser to. `visit` ties the state to this browser."""
    async with context.db.begin(system(UNION, "wechat oauth")) as tx:
        state = await links.new_state(tx, visit, next_path, tries)
    return context.clients.wechat.authorize_url(context.settings.public_base.rstrip("/") + CALLBACK, state)


async def identify_wechat(context: Context, visit: str, state: str, code: str) -> Identified:
    """What the callback learns. A used code begins again once; a snapshot visitor stays nobody.

    A state that is unknown or from another browser leads to the front page as nobody; one this browser has used
    already, because the answer was lost on the way, to where it was going.
    """
    async with context.db.begin(system(UNION, "wechat oauth")) as tx:
        known = await links.use_state(tx, visit, state)
        used = None if known else await links.path_of_used(tx, visit, state)
    if known is None:
        return Identified("", used or "/")
    try:
        identity = await context.clients.wechat.oauth_identity(code)
    except CodeUsed:
        if known.tries + 1 < MOST_TRIES:
            again = await begin(context, visit, known.next_path, known.tries + 1)
            return Identified("", known.next_path, again)
        return Identified("", known.next_path)
    except (OutsideUnavailable, OutsideRefused):
        # The page must open all the same; the phone code will say who it is.
        return Identified("", known.next_path)
    return Identified("" if identity.is_snapshot_user else identity.openid, known.next_path)
