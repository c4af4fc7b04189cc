"""节假日: which days are off and which are made up for, year by year; head office puts them in (D3-03, D4-09)."""

import msgspec
from litestar import get, post

from backend.core import clock
from backend.core.errors import Invalid
from backend.domains.regulation import calendar
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW = "console/calendar/show.html"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`form` holds year, source and days as text, one line each; `done` the year just put in."""

    years: tuple[int, ...]
    known: tuple[tuple[calendar.Year, tuple[calendar.Day, ...]], ...]
    mine: bool
    form: dict[str, str]
    errors: dict[str, str]
    labels: dict[str, str] = msgspec.field(default_factory=calendar.LABELS.copy)


@get("/console/calendar", opt=staff.only(*staff.DESK))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, request.query_params.get("year", "")))


@post("/console/calendar", opt=staff.only("head_office_admin"), fields=("year", "source", "days"))
async def save(request: Request) -> Response:
    """A whole year in place of what stood there."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        year = form.get("year", "")
        if not (year.isascii() and year.isdigit() and len(year) == 4 and 2020 <= int(year) <= 2100):
            raise Invalid(fields={"year": "请填四位数的年份"})
        async with here.context.db.begin(here.actor) as tx:
            await calendar.set_year(tx, int(year), form.get("source", ""), form["days"])
    except Invalid as problem:
        return here.show(SHOW, await _view(here, "", form, problem.fields), 422)
    return here.go("/console/calendar")


async def _view(
    here: Here, chosen: str, form: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> Shown:
    """The form stands at the chosen year, else at the first that is missing, else at next year."""
    async with here.context.db.read(here.actor) as tx:
        missing = (await calendar.known(tx)).missing(clock.today())
        known = [(each, tuple(await calendar.days(tx, each.year))) for each in await calendar.years(tx)]
    year = chosen if chosen.isdigit() else str(next(iter(missing), clock.today().year + 1))
    stands = next(((each, days) for each, days in known if str(each.year) == year), None)
    first = {"year": year, "source": "", "days": ""}
    if stands is not None:
        first |= {"source": stands[0].source, "days": calendar.written(list(stands[1]))}
    return Shown(
        years=missing,
        known=tuple(reversed(known)),
        mine=here.has("head_office_admin") and here.head_office,
        form=form or first,
        errors=errors or {},
    )
