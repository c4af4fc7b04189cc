"""取存证: one case as a file that verifies on its own; with a reason, and a row in the audit chain (N6)."""

import litestar
from litestar import post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.flows import export_capsule
from backend.web import forms, staff
from backend.web.http import Request, Response
from h5.console import cases


@post(
    "/console/cases/{number:str}/capsule",
    opt=staff.only(*cases.CAPSULE_TAKERS),
    fields=("reason", "masked"),
)
async def download(request: Request, number: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    application = await cases.find(here, number)
    actor, masked = here.within(application.institution_id), form.get("masked") == "yes"
    reason = form.get("reason", "")
    try:
        made = await export_capsule.export_capsule(
            here.context.db, actor, application.id, reason, masked=masked
        )
    except Invalid as problem:
        view = await cases.view(here, number, capsule_error=problem.fields.get("reason", problem.text))
        return here.show(cases.SHOW, view, 422)
    name = f"capsule-{application.application_no}{'-masked' if masked else ''}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return litestar.Response(made, media_type="application/json", headers=headers, status_code=200)
