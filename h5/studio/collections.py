"""催收: an overdue customer of mine, whether I may turn to them now, and what came of it (A6-07, D5-01…D5-05)."""

from datetime import date

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import notices
from backend.domains.customers import service as customers
from backend.domains.customers.model import MaskedPerson
from backend.domains.post_loan import collections
from backend.domains.post_loan.model import SEGMENTS, CollectionCase, Contact, ContactNote
from backend.flows import collect
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "studio/collections/show.html"


class Done(msgspec.Struct, frozen=True):
    """A contact; `told` says of a reminder by which means it reached the customer."""

    contact: Contact
    told: str = ""


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """`turn` is the answer to a tap on 联系; `sent` what was just written, `errors` by field."""

    case: CollectionCase
    application: Application
    person: MaskedPerson
    notes: tuple[ContactNote, ...]
    contacts: tuple[Done, ...] = ()
    turn: collect.Turn | None = None
    sent: dict[str, str] = {}
    errors: dict[str, str] = {}
    segments: tuple[tuple[str, str], ...] = tuple(SEGMENTS.items())


@get("/studio/collections/{case_id:str}", opt=staff.only("officer"))
async def show(request: Request, case_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, case_id))


@post("/studio/collections/{case_id:str}/contact", opt=staff.only("officer"), fields=())
async def contact(request: Request, case_id: FromPath[str]) -> Response:
    """May I turn to this person now? Asked anew at every tap."""
    here = staff.here(request)
    turn = await collect.contact(here.context.db, here.actor, case_id)
    return here.show(SHOW, msgspec.structs.replace(await _view(here, case_id), turn=turn))


@post(
    "/studio/collections/{case_id:str}",
    opt=staff.only("officer"),
    fields=("note", "segment", "promise_on", "disputed", "do_not_contact"),
)
async def record(request: Request, case_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    try:
        await collect.record(here.context.db, here.actor, case_id, _outcome(form))
    except Invalid as problem:
        view = msgspec.structs.replace(await _view(here, case_id), sent=form, errors=problem.fields)
        return here.show(SHOW, view, 422)
    return here.go(f"/studio/collections/{case_id}")


def _outcome(form: dict[str, str]) -> collections.Outcome:
    """Raises Invalid for a day that is none."""
    try:
        promised = date.fromisoformat(form["promise_on"]) if form.get("promise_on") else None
    except ValueError as cause:
        raise Invalid(fields={"promise_on": "请按 2026-12-31 这样写日子"}) from cause
    return collections.Outcome(
        note=form.get("note", ""),
        segment=form.get("segment", ""),
        promise_on=promised,
        disputed=form.get("disputed") == "yes",
        do_not_contact=form.get("do_not_contact") == "yes",
    )


async def _view(here: Here, case_id: str) -> Owed:
    async with here.context.db.read(here.actor) as tx:
        case = await collect.mine(tx, here.actor, case_id)
        return Owed(
            case=case,
            application=await applications.get(tx, case.application_id),
            person=await customers.view(tx, case.customer_id),
            notes=tuple(await collections.notes(tx, case.id)),
            contacts=await _contacts(tx, case),
        )


async def _contacts(tx: Tx, case: CollectionCase) -> tuple[Done, ...]:
    told = {each.key: each for each in await notices.of_case(tx, case.application_id)}
    return tuple(
        Done(each, _told(told.get(each.notice_key or "")) if not each.held else "")
        for each in await collections.contacts(tx, case.id)
    )


def _told(notice: notices.Notice | None) -> str:
    if notice is None:
        return ""
    if notice.sent_at:
        return f"已用{notices.LABELS[notice.means or '']}送到"
    return "没有送到" if notice.ended_at else "正在送"
