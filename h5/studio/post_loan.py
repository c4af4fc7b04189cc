"""贷后: a drawdown that waits for the officer's look, and a warning about a line they look after (A7-06, A6-06)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import service as customers
from backend.domains.customers.model import MaskedPerson
from backend.domains.post_loan import drawdowns, warnings
from backend.domains.post_loan.model import OBSERVED, CheckMissing, DrawdownCheck, Warning, WarningMissing
from backend.flows import answer_drawdown, answer_warning
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

DRAWDOWN, WARNING = "studio/post_loan/drawdown.html", "studio/post_loan/warning.html"
VERDICTS = (("released", "核实无误，这一笔可以用"), ("rejected", "有问题，这一笔不能用"))


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A drawdown check before its officer; `text` and `verdict` are what was just written, `errors` by field."""

    check: DrawdownCheck
    application: Application
    person: MaskedPerson
    verdict: str = ""
    text: str = ""
    errors: dict[str, str] = {}
    verdicts: tuple[tuple[str, str], ...] = VERDICTS


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """A warning before its officer; as `Held`. `findings` are those the officer may choose."""

    warning: Warning
    application: Application
    person: MaskedPerson
    finding: str = ""
    text: str = ""
    errors: dict[str, str] = {}
    findings: tuple[tuple[str, str], ...] = ()
    seen: str = ""
    observable: tuple[tuple[str, str], ...] = tuple(OBSERVED.items())


@get("/studio/drawdowns/{check_id:str}", opt=staff.only("officer"))
async def drawdown(request: Request, check_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(DRAWDOWN, await _held(here, check_id))


@post("/studio/drawdowns/{check_id:str}", opt=staff.only("officer"), fields=("verdict", "found"))
async def answer_held(request: Request, check_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    verdict, text = form.get("verdict", ""), form.get("found", "")
    try:
        await answer_drawdown.answer_drawdown(here.context.db, here.actor, check_id, verdict, text)
    except Invalid as problem:
        view = await _held(here, check_id)
        sent = msgspec.structs.replace(view, verdict=verdict, text=text, errors=problem.fields)
        return here.show(DRAWDOWN, sent, 422)
    return here.go(f"/studio/drawdowns/{check_id}")


@get("/studio/warnings/{warning_id:str}", opt=staff.only("officer"))
async def warning(request: Request, warning_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(WARNING, await _warned(here, warning_id))


@post("/studio/warnings/{warning_id:str}", opt=staff.only("officer"), fields=("finding", "done", "observed"))
async def answer_warned(request: Request, warning_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    finding, text = form.get("finding", ""), form.get("done", "")
    try:
        await answer_warning.answer_warning(
            here.context.db, here.actor, warning_id, finding, text, form.get("observed", "")
        )
    except Invalid as problem:
        view = await _warned(here, warning_id)
        sent = msgspec.structs.replace(
            view, finding=finding, text=text, seen=form.get("observed", ""), errors=problem.fields
        )
        return here.show(WARNING, sent, 422)
    return here.go(f"/studio/warnings/{warning_id}")


async def _held(here: Here, check_id: str) -> Held:
    """Raises `CheckMissing` for a colleague's line as for an unknown one."""
    async with here.context.db.read(here.actor) as tx:
        check = await drawdowns.get(tx, check_id)
        application, person = await _about(tx, check.application_id, check.customer_id)
    if application.officer_id != here.person.id:
        raise CheckMissing()
    return Held(check=check, application=application, person=person)


async def _warned(here: Here, warning_id: str) -> Warned:
    """Raises `WarningMissing` for a colleague's as for an unknown one."""
    async with here.context.db.read(here.actor) as tx:
        found = await warnings.get(tx, warning_id)
        application, person = await _about(tx, found.application_id, found.customer_id)
    if found.owner_id != here.person.id:
        raise WarningMissing()
    mine = warnings.findings_for(found, here.actor)
    return Warned(warning=found, application=application, person=person, findings=mine)


async def _about(tx: Tx, application_id: str, customer_id: str) -> tuple[Application, MaskedPerson]:
    return await applications.get(tx, application_id), await customers.view(tx, customer_id)
