"""To the face check at the provider and back, or another way without the face (D3-04, D3-13)."""

from litestar import get, post

from backend.db.database import Tx
from backend.domains.applications.model import Application
from backend.domains.campaigns import service as campaigns
from backend.domains.customers import consents as consent_centre
from backend.domains.customers.consent_texts import Purpose
from backend.domains.identity import service as staff
from backend.domains.institutions import service as institutions
from backend.flows import choose_other_way, finish_liveness, go_to_branch, start_liveness
from backend.flows.start_liveness import FaceConsentMissing, TooManyFaces
from backend.integrations.liveness.port import LivenessUnavailable
from backend.web import customer, forms
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import views
from h5.customer.landing import officer
from h5.customer.phone import consent, ticked

SHOW = "customer/liveness/show.html"
HOURS = "周一到周日 8:30–17:00"
ADVICE = {
    "pending": "还没有做完。点“再试一次”接着做，或换一种方式",
    "failed": "没看清。到亮一点的地方，脸对着手机，再试一次；也可以换一种方式",
    "mismatch": "和身份证上的照片没对上。摘下帽子、口罩再试一次，或换一种方式",
    "cancelled": "您退出了人脸核对。可以再试一次，或换一种方式",
    "expired": "隔的时间太久了，请再试一次，或换一种方式",
    "stranger": "这次核对不算数，请从这里再做一次，或换一种方式",
}
DOWN = "人脸核对暂时连不上，您填的都在。可以等一会儿再试，也可以换一种方式"


@get("/apply/liveness")
async def show(request: Request) -> Response:
    draft = await customer.draft(request, "liveness")
    return draft.here.show(SHOW, await liveness(draft))


@post("/apply/liveness", fields=(f"consent_{Purpose.LIVENESS}",))
async def start(request: Request) -> Response:
    draft = await customer.draft(request, "liveness")
    form, here = await forms.texts(request), draft.here
    version = ticked(form).get(Purpose.LIVENESS, "")
    try:
        url = await start_liveness.start_liveness(here.context, here.actor, draft.application.id, version)
    except (FaceConsentMissing, TooManyFaces) as problem:
        view = await liveness(draft, "failed", problem.text)
        return here.show(SHOW, view, 429 if isinstance(problem, TooManyFaces) else 422)
    except LivenessUnavailable:
        return here.show(SHOW, await liveness(draft, "down", DOWN), 503)
    return here.go(url)


@get("/apply/liveness/back")
async def come_back(request: Request) -> Response:
    """The provider sends the person here. The one GET that records something: what the provider says."""
    draft = await customer.draft(request, "liveness")
    here, session_id = draft.here, request.query_params.get("liveness_session", "")
    try:
        ending = await finish_liveness.finish_liveness(
            here.context, here.actor, draft.application.id, session_id
        )
    except LivenessUnavailable:
        return here.show(SHOW, await liveness(draft, "down", DOWN), 503)
    if ending == "passed":
        return here.go("/apply/details")
    return here.show(SHOW, await liveness(draft, "failed", ADVICE[ending]))


@get("/apply/liveness/other-way")
async def other_way(request: Request) -> Response:
    draft = await customer.draft(request, "liveness", "phone")
    return draft.here.show("customer/liveness/other_way.html", await _other_way(draft))


@post("/apply/liveness/other-way", fields=("way",))
async def choose_other_way_(request: Request) -> Response:
    draft = await customer.draft(request, "liveness", "phone")
    form, here = await forms.texts(request), draft.here
    way: choose_other_way.Way = "visit" if form.get("way") == "visit" else "branch"
    if draft.application.step == "phone":  # no consent was given: nobody may be asked about this person
        number = await go_to_branch.go_to_branch(here.context, here.actor, draft.application.id, way)
        at = await _other_way(draft)
        view = views.AtBranch(at.branch, at.branch_address, at.branch_hours, number)
        return here.show("customer/stop/at_branch.html", view)
    await choose_other_way.choose_other_way(here.context, here.actor, draft.application.id, way)
    return here.go("/apply/details")


async def liveness(draft: Draft, state: str = "start", advice: str = "") -> views.Liveness:
    async with draft.here.context.db.read(draft.here.actor) as tx:
        text = await consent_centre.text(tx, Purpose.LIVENESS)
    return views.Liveness(text.recipient_name, consent(text, {}, {}), state, advice)  # type: ignore[arg-type]


async def _other_way(draft: Draft) -> views.OtherWay:
    async with draft.here.context.db.read(draft.here.actor) as tx:
        person = await officer_of(tx, draft.application)
        branches = await institutions.branches(tx)
    near = next((b for b in branches if person and b.name == person.branch), branches[0])
    return views.OtherWay(near.name, near.address, HOURS, person, draft.application.step == "phone")


async def officer_of(tx: Tx, application: Application) -> views.Officer | None:
    """The officer who looks after the person; None for one who has left."""
    found = await staff.staff(tx, application.officer_id) if application.officer_id else None
    return officer(await campaigns.officer_card(tx, found)) if found is not None and found.active else None
