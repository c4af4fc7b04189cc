"""A guarantor seen in person: the other way than by the face (D3-13)."""

from litestar import post
from litestar.params import FromPath

from backend.flows import see_guarantor
from backend.web import staff
from backend.web.http import Request, Response
from h5.console.cases import GUARANTOR_SEERS


@post("/console/guarantees/{guarantee_id:str}/seen", opt=staff.only(*GUARANTOR_SEERS))
async def seen(request: Request, guarantee_id: FromPath[str]) -> Response:
    """Whoever looked at card and person says so; never the officer who brought the case."""
    here = staff.here(request)
    found = await see_guarantor.see_guarantor(here.context, here.actor, guarantee_id)
    return here.go(f"/console/cases/{found.application_no}")
