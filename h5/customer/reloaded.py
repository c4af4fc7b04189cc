"""Addresses that only forms are sent to, opened by reload, by the back button or by hand: on to their page."""

from litestar import get
from litestar.params import FromPath

from backend.web import customer
from backend.web.http import Request, Response


@get(
    [
        "/apply/start",
        "/apply/give-up",
        "/apply/identity/front",
        "/apply/identity/back",
        "/apply/identity/confirm",
        "/apply/consents",
        "/apply/submit",
        "/guarantee/identity/front",
        "/guarantee/identity/back",
        "/guarantee/identity/confirm",
        "/guarantee/consents",
        "/guarantee/refuse",
        "/resume/code",
        "/display",
    ]
)
async def lead_on(request: Request) -> Response:
    """The page of the form, which itself leads to the step where the application stands (`STEP_PATHS`)."""
    return customer.go(request, customer.stands_at(request))


@get(
    [
        "/my/{number:str}/cancel",
        "/my/{number:str}/hand-off/code",
        "/my/{number:str}/consents/{key:str}/withdraw",
        "/my/{number:str}/reminders",
        "/my/{number:str}/guarantors/{key:str}/withdraw",
    ]
)
async def lead_on_mine(request: Request, number: FromPath[str]) -> Response:
    """The same for an application that is handed in. Raises `ApplicationNotFound` for anybody else's."""
    await customer.mine(request, number)
    return customer.go(request, customer.stands_at(request))
