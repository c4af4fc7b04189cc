"""名单: one person proposes with reason, source and last day, another agrees (A6-01).

Head office writes the union's, and may be the second person of a county's.
"""

from datetime import date

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import masking
from backend.core.errors import Invalid
from backend.domains.identity import service as identity
from backend.domains.institutions.model import HEAD_OFFICE, Institution
from backend.domains.relations import lists
from backend.domains.relations import service as relations
from backend.domains.relations.model import LISTED_KINDS, LISTS, Entry, EntryMoved, EntryThere, NotYourEntry
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "console/lists/show.html"
READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
WRITERS = ("risk_analyst", "county_admin", "head_office_admin")
FIELDS = ("list", "kind", "text", "reason", "source", "expires_on")
OUTCOMES = {
    "agree": lists.approve, "refuse": lists.refuse, "end": lists.agree_to_end, "keep": lists.keep,
}  # fmt: skip
"""Words of their own for putting on and taking off: a page that is out of date must not answer the other question."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` is masked; `mine` may not be agreed to by who looks. `ending` is who wants it taken off."""

    entry: Entry
    list: str
    kind: str
    shown: str
    status: str
    made_by: str
    checked_by: str
    mine: bool
    ending: str = ""
    error: str = ""


class Lists(msgspec.Struct, frozen=True, kw_only=True):
    lines: tuple[Line, ...]
    may_write: bool
    may_propose: bool
    county: Institution
    counties: tuple[Institution, ...]
    kinds: dict[str, str]
    form: dict[str, str] = {}
    errors: dict[str, str] = {}
    told: str = ""
    lists: dict[str, str] = msgspec.field(default_factory=LISTS.copy)


@get("/console/lists", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    asked: str = request.query_params.get("in", here.person.institution_id)
    return here.show(SHOW, await _view(here, (await staff.institution(here, asked)).id))


@post("/console/lists", opt=staff.only(*WRITERS), fields=FIELDS)
async def propose(request: Request) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            given = {name: form.get(name, "") for name in ("kind", "text", "reason", "source")}
            day = _day(form.get("expires_on", ""))
            await lists.propose(tx, list_name=form.get("list", ""), expires_on=day, **given)
    except Invalid as problem:
        return here.show(
            SHOW, await _view(here, here.person.institution_id, form=form, errors=problem.fields), 422
        )
    except EntryThere as there:
        return here.show(SHOW, await _view(here, here.person.institution_id, form=form, told=there.text), 409)
    return here.go("/console/lists")


@post(
    "/console/lists/{institution_id:str}/{entry_id:str}/check", opt=staff.only(*WRITERS), fields=("outcome",)
)
async def check(request: Request, institution_id: FromPath[str], entry_id: FromPath[str]) -> Response:
    """The second person's word; the first person's is refused, here and in SQL."""
    here, outcome = staff.here(request), (await forms.texts(request)).get("outcome", "")
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            await lists.get(tx, entry_id)
            if outcome not in OUTCOMES:
                raise Invalid(fields={"check": "请选同意还是不同意"})
            await OUTCOMES[outcome](tx, entry_id)
    except Invalid as problem:
        return here.show(
            SHOW, await _view(here, institution_id, wrong=(entry_id, problem.fields["check"])), 422
        )
    except (EntryMoved, NotYourEntry) as problem:
        return here.show(SHOW, await _view(here, institution_id, told=problem.text), 409)
    return here.go(f"/console/lists?in={institution_id}")


@post("/console/lists/{institution_id:str}/{entry_id:str}/end", opt=staff.only(*WRITERS), fields=("reason",))
async def end(request: Request, institution_id: FromPath[str], entry_id: FromPath[str]) -> Response:
    here, reason = staff.here(request), (await forms.texts(request)).get("reason", "")
    try:
        async with here.context.db.begin(here.within(institution_id)) as tx:
            await lists.end(tx, entry_id, reason)
    except Invalid as problem:
        return here.show(
            SHOW, await _view(here, institution_id, wrong=(entry_id, problem.fields["end"])), 422
        )
    except EntryMoved as problem:
        return here.show(SHOW, await _view(here, institution_id, told=problem.text), 409)
    return here.go(f"/console/lists?in={institution_id}")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


async def _view(
    here: Here,
    institution_id: str,
    *,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    told: str = "",
    wrong: tuple[str, str] = ("", ""),
) -> Lists:
    async with here.context.db.read(here.within(institution_id)) as tx:
        labels = {kind: each.label for kind, each in (await relations.kinds(tx)).items()}
        names = {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}
        found = await lists.entries(tx)
    return Lists(
        lines=tuple(_line(here, each, labels, names, wrong) for each in found),
        may_write=here.has(*WRITERS),
        may_propose=here.has(*WRITERS) and institution_id == here.person.institution_id,
        county=await staff.institution(here, institution_id),
        counties=(HEAD_OFFICE, *await staff.counties(here)) if here.head_office else (),
        kinds={kind: labels[kind] for kind in LISTED_KINDS},
        form=form or {},
        errors=errors or {},
        told=told,
    )


def _line(
    here: Here, entry: Entry, labels: dict[str, str], names: dict[str, str], wrong: tuple[str, str]
) -> Line:
    return Line(
        entry=entry,
        list=LISTS[entry.list],
        kind=labels[entry.kind],
        shown=_masked(entry.kind, entry.shown) if entry.shown else "",
        status=lists.label(entry),
        made_by=names.get(entry.made_by, "系统"),
        checked_by=names.get(entry.checked_by or "", ""),
        mine=(entry.end_asked_by or entry.made_by) == f"staff:{here.person.id}",
        ending=names.get(entry.end_asked_by, "系统") if entry.end_asked_by else "",
        error=wrong[1] if wrong[0] == entry.id else "",
    )


def _masked(kind: str, text: str) -> str:
    """As for third eyes: who must know the whole number has the file it came from."""
    if kind == "address":
        return masking.address(text)
    return {
        "id_number": masking.id_number,
        "phone": masking.phone,
        "payee": masking.card,
        "openid": masking.openid,
    }.get(kind, str)(text)
