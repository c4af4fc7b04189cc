"""One trial: how far it is, what it measured, its report as a file; and two of them side by side (A3-33, A9-09)."""

from typing import Any
from urllib.parse import quote

import litestar
import msgspec
from litestar import get
from litestar.params import FromPath

from backend.core import clock
from backend.domains.trials import report, warnings
from backend.domains.trials import service as trials
from backend.domains.trials.model import GROUPINGS, LGD_BP, RUN, SIDES, Alarms, Measured, Run
from backend.domains.trials.report import Row
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import trial_figures as figures
from h5.console.charts import UNKNOWN, Chart
from h5.console.strategies import people, product_names
from h5.console.trial_figures import Side, Total
from h5.console.trials import HOME, ROLES, Choice, Line, found, line

SHOW = "console/trials/show.html"


class Action(msgspec.Struct, frozen=True):
    """What early warning would have done, and how it ended."""

    name: str
    cases: str
    bad: str
    share: str


class Code(msgspec.Struct, frozen=True):
    """A reason in words, and the code an engineer searches for."""

    text: str
    code: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`by` is the grouping shown, `groupings` those to choose from. `rows` of a trial of decisions, `alarms` of one of
    early warning: (label, tried, against). `fewest`: not 0 where real customers stand behind the figures; a count of 0
    is one of fewer then, which `rounded` says in words."""

    line: Line
    over: bool
    by: str
    word: str
    groupings: tuple[tuple[str, str], ...]
    totals: tuple[Total, ...]
    rows: tuple[Row, ...]
    reasons: tuple[Row, ...]
    codes: tuple[Code, ...]
    alarms: tuple[tuple[str, Alarms, Alarms | None], ...]
    actions: tuple[tuple[str, tuple[Action, ...]], ...]
    charts: tuple[Chart, ...]
    fewest: int = 0
    rounded: str = ""
    lgd: int = LGD_BP // 100
    sides: dict[str, str] = msgspec.field(default_factory=SIDES.copy)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One group on both sides: (figure of a, of b, difference) by column."""

    label: str
    cells: tuple[tuple[str, str, str], ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` None until two are chosen; `unlike` says why they can be compared only roughly."""

    choices: tuple[Choice, ...]
    a: str
    b: str
    lines: tuple[Line, Line] | None
    unlike: str
    by: str
    word: str
    groupings: tuple[tuple[str, str], ...]
    heads: tuple[str, ...]
    whole: tuple[Pair, ...]
    pairs: tuple[Pair, ...]
    charts: tuple[Chart, ...]


@get(f"{HOME}/{{run_id:str}}", opt=staff.only(*ROLES))
async def show(request: Request, run_id: FromPath[str]) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _result(here, run_id, request.query_params.get("by", "")))


@get(f"{HOME}/{{run_id:str}}/progress", opt=staff.only(*ROLES))
async def progress(request: Request, run_id: FromPath[str]) -> Response:
    """How far it is, asked every two seconds; once it is over the page is shown anew."""
    here = staff.here(request)
    async with here.context.db.read(here.actor) as tx:
        run = await found(tx, run_id)
    answer = here.show("console/trials/_progress.html", line(run, {}))
    if run.status in RUN.final:
        answer.headers["HX-Refresh"] = "true"
    return answer


@get(f"{HOME}/{{run_id:str}}/report.html", opt=staff.only(*ROLES))
async def take_page(request: Request, run_id: FromPath[str]) -> Response:
    run, measured, _, words = await _all(staff.here(request), run_id)
    return _file(
        report.html(run, measured, clock.now(), words).encode(), "text/html; charset=utf-8", run, "html"
    )


@get(f"{HOME}/{{run_id:str}}/report.json", opt=staff.only(*ROLES))
async def take_figures(request: Request, run_id: FromPath[str]) -> Response:
    run, measured, *_ = await _all(staff.here(request), run_id)
    told = msgspec.json.encode(report.as_json(run, measured), order="deterministic")
    return _file(told, "application/json", run, "json")


@get(f"{HOME}/compare", opt=staff.only(*ROLES))
async def compare(request: Request) -> Response:
    here, asked = staff.here(request), request.query_params
    view = await _comparison(here, asked.get("a", ""), asked.get("b", ""), asked.get("by", ""))
    return here.show("console/trials/compare.html", view)


def _file(body: bytes, kind: str, run: Run, ending: str) -> Response:
    name = quote(f"试算 {run.strategy} {clock.local(run.asked_at):%Y-%m-%d}.{ending}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    answer: Response = litestar.Response(body, media_type=kind, headers=headers)
    return answer


async def _all(here: Here, run_id: str) -> tuple[Run, list[Measured], int, dict[str, str]]:
    """As people may see it, with counties and products of ours by their names; with what reason codes say."""
    async with here.context.db.read(here.actor) as tx:
        await found(tx, run_id)
        shown, products = await trials.shown(tx, run_id), await product_names(tx)
    counties = await _counties(here)
    names = {"county": counties, "product": products}
    measured = [
        msgspec.structs.replace(each, member=names[each.grouping].get(each.member, each.member))
        if each.grouping in names
        else each
        for each in shown.measured
    ]
    return shown.run, measured, shown.fewest, shown.words


async def _counties(here: Here) -> dict[str, str]:
    return {each.id: each.short_name for each in (*await staff.counties(here), here.institution)}


async def _result(here: Here, run_id: str, asked: str) -> Result:
    run, measured, fewest, words = await _all(here, run_id)
    async with here.context.db.read(here.actor) as tx:
        who = await people(tx, [run.asked_by])
    told = report.in_words(report.rows(measured, "reason")[:15], words)
    warns, choices = bool(run.stage), figures.groupings(measured, warns=bool(run.stage))
    by = _grouping(asked, choices, measured)
    rows = () if warns or not by else tuple(report.rows(measured, by))
    alarms = tuple(report.warning_rows(measured, by)) if warns and by else ()
    word = GROUPINGS.get(by, "")
    return Result(
        line=line(run, who, await _counties(here)),
        fewest=fewest,
        rounded=report.ROUNDED.format(fewest=fewest) if fewest else "",
        over=run.status in RUN.final,
        by=by,
        word=word,
        groupings=choices,
        totals=() if warns else figures.totals(measured),
        rows=rows[: figures.TABLED],
        codes=tuple(Code(row.label, row.member) for row in told if row.label != row.member),
        reasons=() if warns else tuple(told),
        alarms=(*report.warning_rows(measured, "all"), *alarms[: figures.TABLED]) if warns else (),
        actions=_actions(measured) if warns else (),
        charts=figures.warning_charts(alarms, word) if warns else figures.charts(rows, word) if rows else (),
    )


def _grouping(asked: str, choices: tuple[tuple[str, str], ...], measured: list[Measured]) -> str:
    """What was asked for, else counties where there are several, else the first with more than one member."""
    names = [name for name, _ in choices]
    if asked in names:
        return asked
    several = (name for name in names if len({m.member for m in measured if m.grouping == name}) > 1)
    return next(several, names[0] if names else "")


def _actions(measured: list[Measured]) -> tuple[tuple[str, tuple[Action, ...]], ...]:
    by: dict[str, list[Action]] = {}
    for each in measured:
        if each.grouping == "action":
            name = report.label("action", each.member)
            told = Action(name, f"{each.cases:,}", f"{each.bad:,}", figures.percent(each.bad_bp))
            by.setdefault(SIDES[each.side], []).append(told)
    return tuple((side, tuple(actions)) for side, actions in by.items())


async def _comparison(here: Here, a: str, b: str, asked: str) -> Comparison:
    async with here.context.db.read(here.actor) as tx:
        runs = [run for run in await trials.listed(tx) if run.status in RUN.final and run.cases_done]
    empty = Comparison(
        choices=tuple(Choice(run.id, _named(run)) for run in runs),
        a=a, b=b, lines=None, unlike="", by="", word="", groupings=(), heads=(), whole=(), pairs=(), charts=(),
    )  # fmt: skip
    if not a or not b:
        return empty
    (first, one, *_), (second, two, *_) = await _all(here, a), await _all(here, b)
    if bool(first.stage) != bool(second.stage):
        return msgspec.structs.replace(empty, unlike="一次试的是审批，一次试的是贷后预警，比不了。")
    warns = bool(first.stage)
    choices = figures.groupings(one, warns=warns)
    choices = tuple(each for each in choices if each in figures.groupings(two, warns=warns))
    by = _grouping(asked, choices, one)
    columns = _WARNING_COLUMNS if warns else _COLUMNS
    pairs = _pairs(one, two, by, columns)
    return msgspec.structs.replace(
        empty,
        lines=(line(first, {}), line(second, {})),
        unlike=_unlike(first, second),
        by=by,
        word=GROUPINGS.get(by, ""),
        groupings=choices,
        heads=tuple(head for head, _, _ in columns),
        whole=tuple(_told(each, columns) for each in _pairs(one, two, "all", columns)),
        pairs=tuple(_told(each, columns) for each in pairs[: figures.TABLED]),
        charts=tuple(_chart(pairs, at, columns, by) for at in range(len(columns))),
    )


def _named(run: Run) -> str:
    where = run.county_name or "以往的申请"
    return f"{run.strategy}，{where}，{clock.local(run.asked_at):%m-%d %H:%M}"


def _unlike(a: Run, b: Run) -> str:
    """The same practice county with as many cases is the same cases; two histories need not be."""
    if a.county_name and (a.county_name, a.cases_done) == (b.county_name, b.cases_done):
        return ""
    return "两次试的案例不完全一样，只能粗看。"


_Column = tuple[str, Any, bool]
_COLUMNS: tuple[_Column, ...] = (
    ("通过率", lambda m: m.approval_bp if m.cases else None, True),
    ("户均额度", lambda m: m.mean_amount_fen if m.amount_fen else None, False),
    ("平均利率", lambda m: m.mean_rate_bp if m.amount_fen else None, True),
    ("预期损失率", lambda m: m.loss_bp if m.amount_fen else None, True),
)
_WARNING_COLUMNS: tuple[_Column, ...] = (
    ("误报率", lambda m: warnings.alarms(m).false_alarm_bp, True),
    ("提前发现", lambda m: warnings.alarms(m).caught_bp, True),
)


class _Both(msgspec.Struct, frozen=True):
    """The tried side of two trials in one group; a figure by column, None where there is none."""

    label: str
    a: tuple[int | None, ...]
    b: tuple[int | None, ...]


def _pairs(one: list[Measured], two: list[Measured], by: str, columns: tuple[_Column, ...]) -> list[_Both]:
    sides = [
        {m.member: m for m in measured if m.grouping == by and m.side == "draft"} for measured in (one, two)
    ]
    members = sorted(sides[0], key=lambda member: -sides[0][member].cases)
    members += [member for member in sides[1] if member not in sides[0]]
    return [
        _Both(
            report.label(by, member),
            *(
                tuple(value(side[member]) if member in side else None for _, value, _ in columns)
                for side in sides
            ),
        )
        for member in members
    ]


def _told(both: _Both, columns: tuple[_Column, ...]) -> Pair:
    cells = []
    for (_, _, share), a, b in zip(columns, both.a, both.b, strict=True):
        say = figures.percent if share else figures.yuan
        gap = "" if a is None or b is None else figures.points(b - a) if share else f"{(b - a) / 100:+,.0f}"
        cells.append((_or_none(a, say), _or_none(b, say), gap))
    return Pair(label=both.label, cells=tuple(cells))


def _or_none(value: int | None, say: Any) -> str:
    return UNKNOWN if value is None else str(say(value))


def _drawn(value: int | None, share: bool) -> float | None:
    """Per cent, or whole yuan."""
    return None if value is None else value / 100 if share else round(value / 100)


def _chart(pairs: list[_Both], at: int, columns: tuple[_Column, ...], by: str) -> Chart:
    head, _, share = columns[at]
    unit = "（%）" if share else "（元）"
    sides = [
        Side(name, [_drawn(getattr(each, side)[at], share) for each in pairs])
        for name, side in (("第一次", "a"), ("第二次", "b"))
    ]
    say = (lambda value: f"{value:.2f}") if share else (lambda value: f"{value:,.0f}")
    labels = [each.label for each in pairs]
    return figures.beside(f"按{GROUPINGS.get(by, '')}：{head}{unit}", "", labels, sides, say)
