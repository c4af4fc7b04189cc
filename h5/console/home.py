"""工作台: what waits for me first, each with its reason; head office sees how the counties stand."""

import msgspec
from litestar import get
from litestar.params import FromPath

from backend.core import clock
from backend.domains.campaigns import sentinel
from backend.domains.regulation import calendar
from backend.overview import work_list
from backend.overview.work_list import CountyLoad, Task
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import dead_letters, rechecks, tickets, waiting
from h5.console.waiting import Wait

MINE = {
    "reviewer": ("cases", "rechecks"),
    "county_admin": ("wrong", "tickets", "reports", "dead"),
    "head_office_admin": ("tickets", "dead"),
    "risk_analyst": ("dead",),
}
"""Which lists a role can act on; the others it only sees, further down."""

PATHS = {
    "referred": "/console/cases/{number}",
    "requested": "/console/cases/{number}",
    "recheck": "/console/rechecks?in={institution}",
    "wrong": "/console/rechecks?in={institution}",
    "human": "/console/tickets/{institution}/{number}",
    "complaint": "/console/tickets/{institution}/{number}",
    "erasure": "/console/tickets/{institution}/{number}",
    "report": "/console/reports/{institution}/{number}",
}
LISTS = {
    "cases": "等人审查的申请",
    "rechecks": "自动审批抽查",
    "wrong": "抽查看出的问题",
    "tickets": "客户找人和投诉",
    "reports": "客户举报",
}


class Line(msgspec.Struct, frozen=True):
    """A task as the list shows it. `clock`: late, today or later. `path` is empty for a page that this person's
    role does not open."""

    task: Task
    path: str
    clock: str
    left: str


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """`mine` is what I can do something about, `others` what colleagues have in hand, with how many in all.

    `elsewhere` come back to me when somebody else has answered.

    `more` are mine beyond the list: they come up as the ones above are done.

    `waits` stand on pages of their own and wait for me, mostly as the second person (A3-34). `dead_path` is empty for
    a role that may not open that page.
    """

    county: str
    mine: tuple[Line, ...]
    elsewhere: tuple[Line, ...]
    more: int
    others: tuple[tuple[str, tuple[Line, ...], int], ...]
    dead: int
    dead_is_mine: bool
    dead_path: str
    own: bool
    crumb: bool
    years: tuple[int, ...]
    frozen: int
    waits: tuple[Wait, ...]


class Union(msgspec.Struct, frozen=True):
    """`years` are those whose days off nobody has put in."""

    counties: tuple[CountyLoad, ...]
    years: tuple[int, ...]
    waits: tuple[Wait, ...]


@get("/console", opt=staff.only(*staff.DESK))
async def show(request: Request) -> Response:
    here = staff.here(request)
    if not here.head_office:
        return here.show("console/home/show.html", await _home(here, here.person.institution_id))
    async with here.context.db.read(here.reader) as tx:
        missing = (await calendar.known(tx)).missing(clock.today())
        loads = tuple(await work_list.of_union(tx))
    view = Union(loads, missing, await waiting.for_me(here))
    return here.show("console/home/union.html", view)


@get("/console/counties/{institution_id:str}", opt=staff.only("head_office_admin", "risk_analyst", "auditor"))
async def county(request: Request, institution_id: FromPath[str]) -> Response:
    """Head office looks at one county's list; a county only ever at its own."""
    here = staff.here(request)
    return here.show("console/home/show.html", await _home(here, institution_id))


async def _home(here: Here, institution_id: str) -> Home:
    async with here.context.db.read(here.within(institution_id)) as tx:
        found = await work_list.of_county(tx)
        name = (await staff.institution(here, institution_id)).short_name
        years = (await calendar.known(tx)).missing(clock.today())
        frozen = len(await sentinel.standing(tx))
    lists = {
        kind: tuple(_line(here, task, institution_id) for task in getattr(found, kind)) for kind in LISTS
    }
    mine = {kind for role in here.person.roles for kind in MINE.get(role, ())}
    if here.person.institution_id != institution_id:
        mine &= {"dead"}
    acted = [line for kind in LISTS if kind in mine for line in lists[kind]]
    return Home(
        county=name,
        mine=tuple(sorted((line for line in acted if not line.task.elsewhere), key=_urgency)),
        elsewhere=tuple(line for line in acted if line.task.elsewhere),
        more=sum(found.counts[kind] - len(lists[kind]) for kind in LISTS if kind in mine),
        others=tuple((LISTS[kind], lists[kind], found.counts[kind]) for kind in LISTS if kind not in mine),
        dead=found.counts["dead"],
        dead_is_mine="dead" in mine,
        dead_path=f"/console/dead-letters?in={institution_id}" if here.has(*dead_letters.READERS) else "",
        own=here.person.institution_id == institution_id,
        crumb=here.head_office,
        years=years,
        frozen=frozen,
        waits=() if here.head_office else await waiting.for_me(here),
    )


def _line(here: Here, task: Task, institution_id: str) -> Line:
    path = PATHS[task.kind].format(number=task.number, institution=institution_id)
    readers = {"referred": staff.DESK, "requested": staff.DESK, "recheck": rechecks.READERS}
    if not here.has(*readers.get("recheck" if task.kind == "wrong" else task.kind, tickets.READERS)):
        path = ""
    return Line(task, path, *_clock(task))


def _clock(task: Task) -> tuple[str, str]:
    """How much time is left: (state, words)."""
    if task.due_at is None:
        return "later", "没有时限"
    left = task.due_at - clock.now()
    if left.total_seconds() < 0:
        return "late", f"超时 {_span(-left.total_seconds())}"
    today = clock.local(task.due_at).date() <= clock.today()
    return ("today" if today else "later"), f"还有 {_span(left.total_seconds())}"


def _span(seconds: float) -> str:
    hours = int(seconds // 3600)
    if hours >= 48:
        return f"{hours // 24} 天"
    return f"{hours} 小时" if hours else f"{max(1, int(seconds // 60))} 分钟"


def _urgency(line: Line) -> tuple[bool, float]:
    """Late and near clocks first; what has none comes after, the oldest first."""
    at = line.task.due_at or line.task.since
    return line.task.due_at is None, at.timestamp()
