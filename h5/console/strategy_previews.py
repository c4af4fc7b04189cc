"""先看一眼: what a draft would do to the newest stored decisions of some counties, as figures by county (A3-34).

Head office sees no customer here: no case, no figure of a handful of people. The large trial is one step further,
with the draft already chosen (`trials.py`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.domains.decision.model import DECIDING
from backend.domains.institutions.model import Institution
from backend.domains.strategies import effects
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import CountyContent, EffectFigures, NotYourStrategy, Side, Version
from backend.domains.trials import report, small_cells
from backend.domains.trials import service as trials
from backend.domains.trials.small_cells import Rounding
from backend.flows import preview_strategy
from backend.flows.preview_strategy import Seen
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import rounded_effects, ticked_counties
from h5.console.strategies import HOME, WRITERS
from h5.console.strategy_knobs import plain_number
from h5.console.strategy_versions import code_of, found
from h5.console.ticked_counties import Box

SHOW = "console/strategies/preview.html"
MOST_COUNTIES = 12
"""Of one look; the whole province is the trial's work."""
SIZES = tuple((str(size), f"{size} 件") for size in preview_strategy.SIZES)
FIELDS = ("size", *ticked_counties.FIELDS)
UNSHOWN = "笔数少，不显示"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Counties together or one of them; pairs are (now, with this version). `span`: when the oldest and the newest of
    the cases was decided, so that a look of another day is not taken for another rule."""

    name: str
    cases: int
    span: tuple[datetime, datetime] | None
    shares: tuple[tuple[str, str, str], ...]
    amount: tuple[str, str]
    rate: tuple[str, str]
    swaps: tuple[tuple[str, int], ...]
    lower: str
    higher: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` None before the first look, the total first; `left_out`: counties of too few decisions to be shown;
    `fewest` customers a figure is of at least, 0 for a county's own."""

    version: Version
    counties: tuple[Box, ...]
    sizes: tuple[tuple[str, str], ...]
    size: str
    fewest: int
    lines: tuple[Line, ...] | None = None
    left_out: int = 0
    told: str = ""


@get(f"{HOME}/{{version_id:str}}/preview", opt=staff.only(*WRITERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, version_id, {}))


@post(f"{HOME}/{{version_id:str}}/preview", opt=staff.only(*WRITERS), fields=FIELDS)
async def look(request: Request, version_id: FromPath[str]) -> Response:
    """Nothing is kept but who looked at which version."""
    here, form = staff.here(request), await forms.texts(request)
    page = await _view(here, version_id, form)
    try:
        _require_content(page.version)
        chosen = _chosen(await _offered(here), form)
        most = int(form["size"]) if form.get("size") in dict(SIZES) else int(SIZES[0][0])
        ids = [each.id for each in chosen]
        seen = await preview_strategy.preview_strategy(here.context, here.actor, page.version.id, ids, most)
    except (Invalid, Conflict, NotPermitted) as problem:
        said = (
            next(iter(problem.fields.values()), problem.text)
            if isinstance(problem, Invalid)
            else problem.text
        )
        return here.show(SHOW, msgspec.structs.replace(page, told=said), code_of(problem))
    names = {each.id: each.short_name for each in chosen}
    lines, left_out = _lines(seen, names, await _rounding(here))
    return here.show(SHOW, msgspec.structs.replace(page, lines=lines, left_out=left_out))


async def _rounding(here: Here) -> Rounding | None:
    """None: a county looks at its own customers."""
    if not here.head_office:
        return None
    async with here.context.db.read(here.actor) as tx:
        return await trials.rounding_of(tx)


async def _offered(here: Here) -> tuple[Institution, ...]:
    """Head office chooses among counties, a county has itself."""
    return await ticked_counties.offered(here) if here.head_office else (here.institution,)


def _require_content(version: Version) -> None:
    """Raises `Invalid` for a county's draft in which nothing stands yet."""
    content = version.content
    if isinstance(content, CountyContent) and not content.parameters and not any(content.rows.values()):
        raise Invalid(fields={"size": "这一版还什么都没有写，先加一行或填一个数"})


def _chosen(offered: Sequence[Institution], form: dict[str, str]) -> list[Institution]:
    """Those ticked, all where none is. Raises `CountyGone`, and `Invalid` for too many."""
    chosen = ticked_counties.ticked(offered, form) or list(offered)
    if len(chosen) > MOST_COUNTIES:
        raise Invalid(fields={"in_0": f"一次最多看 {MOST_COUNTIES} 个县，请勾几个；要看全省，用下面的试算"})
    return chosen


def _lines(
    seen: list[Seen], names: dict[str, str], rounding: Rounding | None
) -> tuple[tuple[Line, ...], int]:
    """The total first, then the counties; `rounding`: none of too few cases, and rounded; None where a county looks at
    its own. (lines, counties left out)."""
    fewest = rounding.fewest if rounding else 0
    there = {each.institution_id: each for each in seen if each.cases}
    small = small_cells.together({name: each.cases for name, each in there.items()}, fewest)
    groups = [(names[name], [each]) for name, each in there.items() if name not in small]
    rest = [there[name] for name in sorted(small)]
    if rest and sum(each.cases for each in rest) >= fewest:
        groups.append((f"其他 {len(rest)} 个县", rest))
        rest = []
    groups.sort(key=lambda group: -sum(each.cases for each in group[1]))
    left_out = len(rest) + len(seen) - len(there)
    if not groups:
        return (), left_out
    lines = [_line(name, group, rounding) for name, group in groups]
    if len(lines) > 1 or rounding:
        lines.insert(0, _line("合计", [each for _, group in groups for each in group], rounding))
    return tuple(lines), left_out


def _line(name: str, group: Sequence[Seen], rounding: Rounding | None) -> Line:
    figures = effects.together(each.figures for each in group)
    figures = rounded_effects.rounded(figures, rounding) if rounding else figures
    before, after, fewest = figures.before, figures.after, rounding.fewest if rounding else 0
    cases = sum(each.cases for each in group)

    def share(side: Side, outcome: str) -> str:
        count = getattr(side, outcome)
        return f"不到 {fewest} 件" if fewest and not count else f"{min(100, count * 100 / cases):.1f}%"

    def both(say: Callable[[Side], str]) -> tuple[str, str]:
        none = UNSHOWN if fewest else "—"
        return say(before) if before.approved else none, say(after) if after.approved else none

    return Line(
        name=name,
        cases=cases,
        span=_span(group),
        shares=tuple((label, share(before, key), share(after, key)) for key, label in _OUTCOMES.items()),
        amount=both(lambda side: f"{side.average_fen / 100:,.0f}"),
        rate=both(lambda side: f"{plain_number(side.average_rate_bp, 'bp')}%"),
        swaps=_swaps(figures),
        lower=report.people(figures.lower_amounts, fewest),
        higher=report.people(figures.higher_amounts, fewest),
    )


def _span(group: Sequence[Seen]) -> tuple[datetime, datetime] | None:
    spans = [each.span for each in group if each.span]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


_OUTCOMES = {"approved": "通过", "referred": "转人工", "declined": "拒绝"}


def _swaps(figures: EffectFigures) -> tuple[tuple[str, int], ...]:
    """通过变成拒绝 and the like, the most frequent first."""
    ordered = sorted(figures.swaps.items(), key=lambda item: -item[1])
    return tuple(
        (f"{_OUTCOMES[before]}变成{_OUTCOMES[after]}", count)
        for key, count in ordered
        for before, _, after in [key.partition(">")]
    )


async def _view(here: Here, version_id: str, form: dict[str, str]) -> Preview:
    """Raises `StrategyMissing`, and `NotYourStrategy` for a version or person that has none to try."""
    async with here.context.db.read(here.actor) as tx:
        version = await found(tx, version_id)
    if (
        version.stage not in DECIDING
        or not strategies.may_write(here.actor)
        or strategies.owner_of(here.actor) != version.institution_id
    ):
        raise NotYourStrategy()
    offered, rounding = await _offered(here), await _rounding(here)
    return Preview(
        version=version,
        counties=ticked_counties.boxes(offered, form),
        sizes=SIZES,
        size=form.get("size", SIZES[1][0]),
        fewest=rounding.fewest if rounding else 0,
    )
