"""网页授权: the silent redirect to WeChat and back (wechat.md). See backend/web/wechat_browser.py."""

from litestar import get
from litestar.response import Redirect

from backend.flows import identify_wechat
from backend.web import addresses, cookies, wechat_browser
from backend.web.http import Request, Response


@get("/wechat/oauth/start")
async def start(request: Request) -> Response:
    """`next`: a path of ours to come back to."""
    context = request.app.state.context
    visit, _ = cookies.visit(request, context.settings)
    url = await identify_wechat.begin(context, visit, addresses.local(request.query_params.get("next", "/")))
    answer: Response = Redirect(url, status_code=302)
    cookies.keep_visit(request, context.settings, answer)
    return answer


@get("/wechat/oauth/callback")
async def callback(request: Request) -> Response:
    """Keeps the account in a signed cookie, or that nobody could be told, and goes on."""
    context = request.app.state.context
    visit = cookies.read(request, context.settings, cookies.VISIT)
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    found = await identify_wechat.identify_wechat(context, visit, state, code)
    if found.again:
        return Redirect(found.again, status_code=302)
    answer: Response = Redirect(found.next_path, status_code=303)
    if found.openid or wechat_browser.openid(request, context.settings) is None:
        wechat_browser.keep(context.settings, answer, found.openid)  # a repeat forgets nobody who is known
    return answer
