"""微信: the platform's API, its pushes to our door, and the phones of its users."""

from litestar import Router

from backend.sandbox.systems.wechat import accounts, oauth, sending, tools
from backend.sandbox.systems.wechat.errors import WeChatError, answered

router = Router(
    "/wechat",
    route_handlers=[*accounts.HANDLERS, *sending.HANDLERS, *tools.HANDLERS, *oauth.HANDLERS],
    exception_handlers={WeChatError: answered},
)
