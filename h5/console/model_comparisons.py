"""影子和试用的对照: a shadow beside what decided the same cases, a challenger beside the champion's share (A3-33,
A3-37)."""

from datetime import timedelta

import msgspec
from litestar import get
from litestar.params import FromPath

from backend.db.database import Tx
from backend.domains.models import comparing, drift
from backend.domains.models import service as models
from backend.domains.models.comparing import Agreement, Pair, Side
from backend.domains.models.model import LineUp, Model
from backend.domains.regulation import service as regulation
from backend.flows.watch_models import BAD_AFTER
from backend.overview import model_monitors
from backend.overview.model_monitors import Scored
from backend.web import customer, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import charts
from h5.console.charts import Chart
from h5.console.model_charts import CELLS
from h5.console.models import HOME, READERS, known

SHOW = "console/models/comparison.html"
WINDOW = timedelta(days=90)
SIDES = ("主模型", "试用的")


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`pairs` for a shadow; `sides` (name, side) of champion and challenger when it is being tried."""

    model: Model
    failed: int
    cases: int
    agreement: Agreement | None
    sides: tuple[tuple[str, Side], ...]
    share: str
    charts: tuple[Chart, ...]
    days: int


@get(f"{HOME}/{{model_id:str}}/comparison", opt=staff.only(*READERS))
async def show(request: Request, model_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, known(model_id)))


async def _view(here: Here, model_id: str) -> Comparison:
    live = await customer.live_institutions(here.request)
    async with here.context.db.read(here.reader) as tx:
        model = await models.get(tx, model_id)
        days = (await regulation.in_force(tx, tx.now.date())).count(BAD_AFTER)
        paired, failed = await model_monitors.shadow_pairs(tx, model.id, tx.now - WINDOW)
        pairs = await _pairs(tx, paired, days)
        line_up = await models.current(tx, model.family)
        tried = await _tried(tx, model, line_up, days)
    found = comparing.agreement(pairs)
    drawn = (
        [] if found is None else _shadow_charts(found, {each.id: each.short_name for each in live.values()})
    )
    if tried is not None:
        drawn.append(_both_sides(*tried))
    return Comparison(
        model=model,
        failed=failed,
        cases=len(pairs),
        agreement=found,
        sides=() if tried is None else tuple(zip(SIDES, map(comparing.side, tried), strict=True)),
        share=f"{line_up.share_bp / 100:g}%" if tried is not None and line_up is not None else "",
        charts=tuple(drawn),
        days=days,
    )


async def _pairs(tx: Tx, paired: list[model_monitors.Paired], days: int) -> list[Pair]:
    cases = [(each.institution_id, each.application_id) for each in paired]
    ends = await model_monitors.ends(tx, cases, tx.now.date(), days)
    return [
        Pair(each.institution_id, each.score, each.other, each.approved, ends.get(case))
        for each, case in zip(paired, cases, strict=True)
    ]


Rows = list[tuple[int, bool, bool | None]]


async def _tried(tx: Tx, model: Model, line_up: LineUp | None, days: int) -> tuple[Rows, Rows] | None:
    """Cases since the line-up began: the champion's and the challenger's; None when it is not being tried."""
    if line_up is None or line_up.challenger != model.id or line_up.champion is None:
        return None
    champion = await models.get(tx, line_up.champion)
    rows = []
    for each in (champion, model):
        decided = await model_monitors.decided_with(tx, each.artefact, line_up.at)
        rows.append(await _ended(tx, decided, days))
    return rows[0], rows[1]


async def _ended(tx: Tx, cases: list[Scored], days: int) -> Rows:
    keys = [(each.institution_id, each.application_id) for each in cases]
    ends = await model_monitors.ends(tx, keys, tx.now.date(), days)
    return [(each.score, each.approved, ends.get(key)) for each, key in zip(cases, keys, strict=True)]


def _shadow_charts(found: Agreement, names: dict[str, str]) -> list[Chart]:
    psi = found.shape.drift
    about = f"同一批客户的两个分数。PSI {psi.psi:.3f}，{drift.LEVELS[psi.level]}。"
    gaps = [(names.get(at, at), cases, gap) for at, cases, gap in found.by_county]
    spec = {
        "kind": "bar",
        "labels": [name for name, _, _ in gaps],
        "series": [{"name": "平均多给几分", "values": [gap for _, _, gap in gaps]}],
        "limits": [],
    }
    rows = [(name, f"{cases:,}", f"{gap:+g}") for name, cases, gap in gaps]
    return [
        _shape("分数的分布", about, found.shape, ("现在用的", "影子")),
        _swap(found),
        charts.chart(
            "各行社差多少分", "影子比现在用的平均多给几分。", spec, ("行社", "件数", "多给几分"), rows
        ),
    ]


def _both_sides(champion: Rows, challenger: Rows) -> Chart:
    shape = comparing.shape([row[0] for row in champion], [row[0] for row in challenger])
    psi = shape.drift
    about = f"两边的申请是随机分开的，分数的分布应当接近。PSI {psi.psi:.3f}，{drift.LEVELS[psi.level]}。"
    return _shape("主模型和试用的分数分布", about, shape, SIDES)


def _shape(title: str, about: str, shape: comparing.Shape, heads: tuple[str, str]) -> Chart:
    details = {"expected": shape.first, "actual": shape.second}
    return charts.then_and_now(title, about, details, shape.edges, heads)


def _swap(found: Agreement) -> Chart:
    cells = [(CELLS[name], cell) for name, cell in found.cells.items()]
    spec = {
        "kind": "columns",
        "labels": [name for name, _ in cells],
        "series": [{"name": "件数", "values": [cell.cases for _, cell in cells]}],
        "limits": [],
        "across": "",
        "up": "件数",
    }
    rows = [
        (
            name,
            f"{cell.cases:,}",
            f"{cell.known:,}",
            f"{cell.bad / cell.known:.1%}" if cell.known else "还不知道",
        )
        for name, cell in cells
    ]
    about = f"两个模型都让分数最高的 {charts.share(found.passing)} 通过时（机器实际通过的占比），谁会进来、谁会出去。"
    return charts.chart("换手", about, spec, ("", "件数", "知道结果的", "坏账率"), rows)
