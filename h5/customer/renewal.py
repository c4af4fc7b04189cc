"""Consents that ran out, or were taken back, before the draft was handed in (D3-09)."""

from collections.abc import Mapping

from litestar import get, post

from backend.core.errors import Invalid
from backend.domains.applications.model import Application
from backend.domains.customers import consents as consent_centre
from backend.flows import renew_consents
from backend.web import customer, forms
from backend.web.customer import Draft, Here
from backend.web.http import Request, Response
from h5.customer import views
from h5.customer.phone import CONSENTS, consent, ticked

SHOW, PATH = "customer/renewal/show.html", "/apply/renewal"


@get(PATH)
async def show(request: Request) -> Response:
    draft = await customer.draft(request, "details")
    view = await renewal(draft)
    return draft.here.show(SHOW, view) if view.consents else draft.here.go("/apply/details")


@post(PATH, fields=CONSENTS)
async def submit(request: Request) -> Response:
    draft = await customer.draft(request, "details")
    form, here = await forms.texts(request), draft.here
    try:
        await renew_consents.renew_consents(here.context, here.actor, draft.application.id, ticked(form))
    except Invalid as problem:
        return here.show(SHOW, await renewal(draft, ticked(form), problem.fields), 422)
    return here.go("/apply/details")


async def needed(here: Here, application: Application) -> bool:
    """Whether something has to be agreed to again before the draft can be handed in."""
    async with here.context.db.read(here.actor) as tx:
        return bool(await consent_centre.missing(tx, application.customer_id or ""))


async def renewal(
    draft: Draft, own: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> views.Renewal:
    async with draft.here.context.db.read(draft.here.actor) as tx:
        missing = await consent_centre.missing(tx, draft.application.customer_id or "")
        texts = [text for text in await consent_centre.road(tx) if text.purpose in missing]
    return views.Renewal(tuple(consent(text, own or {}, errors or {}) for text in texts))
