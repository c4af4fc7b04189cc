"""Large type or normal (适老化): a cookie, no account needed."""

from litestar import post
from litestar.datastructures import Cookie

from backend.web import addresses, customer, forms
from backend.web.http import Request, Response

_YEAR = 365 * 24 * 3600


@post("/display", fields=("display", "back"))
async def choose(request: Request) -> Response:
    """Back to the page the person came from; only to one of ours."""
    form = await forms.texts(request)
    display = "care" if form.get("display") == "care" else "normal"
    answer = customer.go(request, addresses.local(form.get("back", "/")))
    secure = request.app.state.settings.secure_cookies
    # The page's script sets it too, so that nothing typed is lost: it says nothing about anybody.
    answer.cookies.append(
        Cookie(key=customer.DISPLAY, value=display, max_age=_YEAR, path="/", secure=secure, samesite="lax")
    )
    return answer
