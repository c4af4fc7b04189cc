"""要做的事: everything that waits for an officer, page by page, all of it or one kind (A1-04, A10-06)."""

import msgspec
from litestar import get

from backend.overview import officer_day
from backend.overview.officer_day import ToDo
from backend.web import staff
from backend.web.http import Request, Response

FOLDERS = {
    "inquiry": "inquiries",
    "call": "calls",
    "drawdown": "drawdowns",
    "warning": "warnings",
    "collection": "collections",
}
KINDS = {
    "inquiry": "审查人在问",
    "call": "客户找您",
    "drawdown": "用款核实",
    "warning": "预警",
    "collection": "催收",
    "offer": "还没签约",
    "draft": "填到一半",
}
PATH, PAGE, MOST = "/studio/to-do", 30, 500


class Everything(msgspec.Struct, frozen=True, kw_only=True):
    """`kinds`: (kind, label, how many), those there are. `before` and `after` are addresses, '' when there is no such
    page. `cut`: there is more than a list can hold."""

    lines: tuple[tuple[ToDo, str], ...]
    kind: str
    kinds: tuple[tuple[str, str, int], ...]
    total: int
    before: str
    after: str
    cut: bool


@get(PATH, opt=staff.only("officer"))
async def show_all(request: Request) -> Response:
    here, asked = staff.here(request), request.query_params
    async with here.context.db.read(here.actor) as tx:
        waiting = await officer_day.to_do(tx, MOST)
    kind, page = asked.get("kind", ""), asked.get("page", "")[:4]
    number = int(page) if page.isascii() and page.isdigit() else 1
    view = listed(waiting, kind if kind in KINDS else "", number)
    return here.show("studio/to_do/show_all.html", view)


def listed(waiting: list[ToDo], kind: str, page: int) -> Everything:
    """Pure: one page of what waits. A page behind the last one is the last one: what was on it is done."""
    found = [each for each in waiting if kind in ("", each.kind)]
    last = max(1, -(-len(found) // PAGE))
    page = min(max(page, 1), last)
    counts = {each: sum(task.kind == each for task in waiting) for each in KINDS}
    return Everything(
        lines=tuple((each, path_of(each)) for each in found[(page - 1) * PAGE : page * PAGE]),
        kind=kind,
        kinds=tuple((each, KINDS[each], count) for each, count in counts.items() if count),
        total=len(waiting),
        before=_address(kind, page - 1) if page > 1 else "",
        after=_address(kind, page + 1) if page < last else "",
        cut=len(waiting) >= MOST,
    )


def path_of(task: ToDo) -> str:
    return f"/studio/{FOLDERS.get(task.kind, 'leads')}/{task.key}"


def _address(kind: str, page: int) -> str:
    return f"{PATH}?kind={kind}&page={page}"
