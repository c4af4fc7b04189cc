"""The way in and out for staff (A5-01): the union's sign-on, a step-up in between, and leaving."""

import litestar
import msgspec
from litestar import get, post

from backend.core.errors import Unavailable
from backend.domains.identity import service as identity
from backend.flows import sign_in_staff
from backend.flows.context import Context
from backend.web import addresses, cookies, customer, forms, staff
from backend.web.http import Request, Response


class Door(msgspec.Struct, frozen=True):
    next_path: str
    left: bool = False


@get(staff.SIGN_IN, opt=staff.anyone())
async def show(request: Request) -> Response:
    """The one button; whoever is signed in goes on."""
    here = await staff.signed_in(request)
    path = addresses.local(request.query_params.get("next", ""), "")
    if here is not None:
        return customer.go(request, path or staff.home_of(here.person))
    view = Door(path, left="left" in request.query_params)
    return staff.show_outside(request, "console/sign_in/show.html", view)


@post(staff.SIGN_IN, opt=staff.anyone(), fields=("next",))
async def start(request: Request) -> Response:
    """Off to the sign-on. Raises `SignOnUnavailable`."""
    form = await forms.texts(request)
    return await _to_sign_on(request, addresses.local(form.get("next", ""), ""))


@post(staff.CONFIRM, opt=staff.only(*staff.EVERYBODY), fields=("next",))
async def confirm(request: Request) -> Response:
    """Step-up: the same person proves once more who they are, and comes back to where they were."""
    form, here = await forms.texts(request), staff.here(request)
    path = addresses.local(form.get("next", ""), staff.home_of(here.person))
    return await _to_sign_on(request, path, here.person.subject)


@get(sign_in_staff.RETURN, opt=staff.anyone())
async def come_back(request: Request) -> Response:
    """Back from the sign-on with a code, or with a refusal: a session, or a page that says what to do."""
    context: Context = request.app.state.context
    visit = cookies.read(request, context.settings, cookies.VISIT)
    done = await sign_in_staff.sign_in_staff(
        context,
        visit,
        request.query_params.get("state", ""),
        request.query_params.get("code", ""),
        cookies.session(request, context.settings, cookies.STAFF),
    )
    answer = customer.go(request, done.next_path or staff.home_of(done.person))
    value = f"{done.person.institution_id}.{done.token}"
    answer.cookies.append(cookies.make(context.settings, cookies.STAFF, value))
    return answer


@post("/staff/sign-out", opt=staff.only(*staff.EVERYBODY))
async def leave(request: Request) -> Response:
    """The session ends here at once, and at the sign-on when it can be reached."""
    here = staff.here(request)
    async with here.context.db.begin(here.actor) as tx:
        await identity.sign_out(tx, here.token, here.person.staff_no)
    ours = f"{here.settings.public_base.rstrip('/')}{staff.SIGN_IN}?left=1"
    try:
        target = await here.context.clients.sign_on.logout_url(ours)
    except Unavailable:
        target = ours
    answer = litestar.Response("", status_code=303, headers={"Location": target}, media_type="text/plain")
    answer.cookies.append(cookies.make(here.settings, cookies.STAFF, "", 0))
    return answer


async def _to_sign_on(request: Request, path: str, for_subject: str = "") -> Response:
    context: Context = request.app.state.context
    visit, _ = cookies.visit(request, context.settings)
    address = addresses.counted(request, context.settings)
    url = await sign_in_staff.begin(context, visit, path, address, for_subject)
    return customer.go(request, url)
