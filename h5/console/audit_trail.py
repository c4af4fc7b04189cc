"""审计记录: the hash chain as a page, for auditors and head office; masked, and reading it leaves a row itself.

By POST, since a GET of staff writes nothing and a case's number need not stand in an address.
"""

from datetime import date, datetime, time, timedelta

import msgspec
from litestar import get, post

from backend.core import clock, ids
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.audit.service import Filter, Seen, Walked
from backend.domains.customers import erasing
from backend.domains.customers import service as customers
from backend.domains.customers.erasing import Erasures
from backend.domains.identity import service as identity
from backend.domains.institutions.model import HEAD_OFFICE, UNION, Institution
from backend.flows import read_audit_trail
from backend.flows.read_audit_trail import READERS
from backend.web import forms, logs, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import audit_words

SHOW = "console/audit_trail/show.html"
FIELDS = ("in", "person", "kind", "case", "since", "until", "before")
OTHERS = {"customer": "客户", "system": "系统", "partner": "合作方"}
"""Who acts beside staff, as the filter and the list call them."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in words. `path` leads to the case it is about, if it is about one."""

    seq: int
    at: datetime
    who: str
    what: str
    about: str
    path: str
    details: tuple[tuple[str, str], ...]
    sound: bool


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` is None before anything was asked. `form` keeps what was asked for the next page; `broken` are rows
    of this page that do not follow from the one before."""

    county: Institution
    counties: tuple[Institution, ...]
    people: dict[str, str]
    kinds: dict[str, str]
    erasures: Erasures
    lines: tuple[Line, ...] | None = None
    broken: tuple[int, ...] = ()
    next_before: int | None = None
    walked: Walked | None = None
    form: dict[str, str] = {}
    errors: dict[str, str] = {}


@get("/console/audit", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    asked: str = request.query_params.get("in", here.person.institution_id)
    return here.show(SHOW, await _view(here, asked))


@post("/console/audit", opt=staff.only(*READERS), fields=FIELDS)
async def read(request: Request) -> Response:
    """A page of the chain, newest first, older than the row `before`."""
    here, form = staff.here(request), await forms.texts(request)
    institution_id = form.get("in") or here.person.institution_id
    actor = here.within((await staff.institution(here, institution_id)).id)
    before = form.get("before", "")
    try:
        wanted = _filter(form)
        found = await read_audit_trail.read_audit_trail(
            here.context, actor, wanted, form.get("case", "").strip()[:64], int(before) if before else None
        )
    except Invalid as problem:
        view = msgspec.structs.replace(await _view(here, institution_id), form=form, errors=problem.fields)
        return here.show(SHOW, view, 422)
    view = await _view(here, institution_id, found.entries)
    return here.show(SHOW, msgspec.structs.replace(view, form=form, next_before=found.next_before))


@post("/console/audit/verify", opt=staff.only(*READERS), fields=("in",))
async def verify(request: Request) -> Response:
    """The whole chain of one institution, link by link."""
    here, form = staff.here(request), await forms.texts(request)
    institution_id = form.get("in") or here.person.institution_id
    actor = here.within((await staff.institution(here, institution_id)).id)
    walked = await read_audit_trail.walk_audit_chain(here.context, actor)
    return here.show(SHOW, msgspec.structs.replace(await _view(here, institution_id), walked=walked))


def _filter(form: dict[str, str]) -> Filter:
    """Raises `Invalid` with a sentence per field."""
    since, until = _day(form, "since"), _day(form, "until")
    person, kind, before = form.get("person", ""), form.get("kind", ""), form.get("before", "")
    problems = {}
    if kind and kind not in audit_words.KINDS:
        problems["kind"] = "请从列出的种类里选"
    if person and person not in OTHERS and not ids.is_uuid(person):
        problems["person"] = "请从列出的人里选"
    if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
        problems["before"] = "这一页接不上，请重新查"
    if since and until and until < since:
        problems["until"] = "结束的日期要不早于开始的日期"
    if problems:
        raise Invalid(fields=problems)
    return Filter(
        actor=f"staff:{person}" if ids.is_uuid(person) else "",
        actor_kind=person if person in OTHERS else "",
        kind=kind,
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
    )


def _day(form: dict[str, str], field: str) -> date | None:
    text = form.get(field, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as cause:
        raise Invalid(fields={field: "请写成 2026-11-26 这样的日期"}) from cause


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.LOCAL)


async def _view(here: Here, institution_id: str, entries: tuple[Seen, ...] | None = None) -> Trail:
    county = await staff.institution(here, institution_id)
    people = await _people(here, county.id)
    lines = None
    async with here.context.db.read(here.within(county.id)) as tx:
        erasures = await erasing.erasures(tx)
        known = await _customers(tx, entries or ())
    if entries is not None:
        lines = tuple(_line(each, people, known) for each in entries)
    return Trail(
        county=county,
        counties=(HEAD_OFFICE, *await staff.counties(here)) if here.head_office else (),
        people=people,
        kinds=audit_words.KINDS,
        erasures=erasures,
        lines=lines,
        broken=tuple(line.seq for line in lines or () if not line.sound),
    )


async def _people(here: Here, institution_id: str) -> dict[str, str]:
    """Staff by id: the institution's own, and for head office its own too, who act in counties."""
    found: dict[str, str] = {}
    for each in dict.fromkeys((institution_id, UNION) if here.head_office else (institution_id,)):
        async with here.context.db.read(here.within(each)) as tx:
            found |= {
                person.id: f"{person.name} {person.staff_no}" for person in await identity.all_staff(tx)
            }
    return found


async def _customers(tx: Tx, entries: tuple[Seen, ...]) -> dict[str | None, str]:
    """Masked names of the people entries are about."""
    return await customers.names(tx, {each.subject for each in entries if ids.is_uuid(each.subject)})


def _line(entry: Seen, people: dict[str, str], known: dict[str | None, str]) -> Line:
    kind, _, who = entry.actor.partition(":")
    number = entry.subject.isascii() and entry.subject.isdigit() and len(entry.subject) == 12
    named = people.get(entry.subject) or known.get(entry.subject) or audit_words.SUBJECTS.get(entry.subject)
    about = named or _scrubbed(entry.subject)
    return Line(
        seq=entry.seq,
        at=entry.at,
        who=people.get(who, "省联社人员") if kind == "staff" else OTHERS.get(kind, "系统"),
        what=audit_words.word(entry.action),
        about=about,
        path=f"/console/cases/{entry.subject}" if number else "",
        details=_details(entry.details, people),
        sound=entry.sound,
    )


def _details(text: str, people: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """What a person can use of them, with whatever looks like a number of somebody's masked (D3-15)."""
    found: dict[str, object] = msgspec.json.decode(text)
    told = [audit_words.detail(key, people.get(str(value), value)) for key, value in found.items()]
    return tuple((label, _scrubbed(words)) for each in told if each for label, words in [each])


def _scrubbed(text: str) -> str:
    """Ids and hashes are nobody's number, whatever digits are in them."""
    return text if audit_words.whole(text) else logs.scrub(text)
