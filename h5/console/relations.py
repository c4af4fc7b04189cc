"""关系核查: what the nightly look found, who looks into it, and how often it was right (N9)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.identity import service as identity
from backend.domains.institutions.model import Institution
from backend.domains.relations import findings
from backend.domains.relations.model import FINDING, FalseAlarms, Finding, FindingMoved, Run
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

PATH = "/console/relations"
SHOW = "console/relations/show.html"
READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
HANDLERS = ("risk_analyst", "county_admin")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`number` is the newest application of somebody on it, where the picture is; empty when there is none."""

    finding: Finding
    status: str
    owner: str
    number: str
    mine: bool
    errors: dict[str, str] = {}
    said: str = ""


class Relations(msgspec.Struct, frozen=True, kw_only=True):
    """`moved` tells that somebody else was first; `cut`: there may be more than are shown."""

    lines: tuple[Line, ...]
    alarms: tuple[FalseAlarms, ...]
    runs: tuple[Run, ...]
    county: Institution
    counties: tuple[Institution, ...]
    may_act: bool
    cut: bool
    moved: bool = False


@get(PATH, opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    institution_id = await staff.chosen(here)
    return here.show(SHOW, await _view(here, institution_id, moved="moved" in request.query_params))


@post("/console/relations/{finding_id:str}/take", opt=staff.only(*HANDLERS))
async def take(request: Request, finding_id: FromPath[str]) -> Response:
    """The finding has an owner from now on."""
    here = staff.here(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            await findings.take_in_hand(tx, finding_id)
    except FindingMoved:
        return here.go("/console/relations?moved=1")
    return here.go(PATH)


@post("/console/relations/{finding_id:str}/answer", opt=staff.only(*HANDLERS), fields=("outcome", "said"))
async def answer(request: Request, finding_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            await findings.answer(tx, finding_id, outcome=form.get("outcome", ""), said=form.get("said", ""))
    except FindingMoved:
        return here.go("/console/relations?moved=1")
    except Invalid as problem:
        wrong = (finding_id, problem.fields, form.get("said", ""))
        return here.show(SHOW, await _view(here, here.person.institution_id, wrong=wrong), 422)
    return here.go(PATH)


async def _view(
    here: Here,
    institution_id: str,
    *,
    moved: bool = False,
    wrong: tuple[str, dict[str, str], str] = ("", {}, ""),
) -> Relations:
    async with here.context.db.read(here.within(institution_id)) as tx:
        names = {person.id: person.name for person in await identity.all_staff(tx)}
        found = await findings.all_findings(tx)
        lines = tuple([await _line(tx, here, each, names, wrong) for each in found])
        return Relations(
            lines=lines,
            alarms=tuple(await findings.false_alarms(tx)),
            runs=tuple(await findings.runs(tx)),
            county=await staff.institution(here, institution_id),
            counties=await staff.counties(here),
            may_act=here.has(*HANDLERS) and institution_id == here.person.institution_id,
            cut=len(found) >= findings.MOST,
            moved=moved,
        )


async def _line(
    tx: Tx, here: Here, finding: Finding, names: dict[str, str], wrong: tuple[str, dict[str, str], str]
) -> Line:
    cases = await applications.of_customer(tx, finding.customer_id)
    newest = max(cases, key=lambda each: each.created_at, default=None)
    here_wrong = wrong[0] == finding.id
    return Line(
        finding=finding,
        status=FINDING.labels[finding.status],
        owner=names.get(finding.owner or "", ""),
        number=newest.application_no if newest else "",
        mine=finding.owner == here.person.id,
        errors=wrong[1] if here_wrong else {},
        said=wrong[2] if here_wrong else "",
    )
