"""What a trial's page and the comparison of two show: figures in words, and charts with the same figures as tables."""

from collections.abc import Callable, Sequence

import msgspec

from backend.domains.trials import report
from backend.domains.trials.model import GROUPINGS, SIDES, Alarms, Measured
from backend.domains.trials.report import Row
from h5.console.charts import UNKNOWN, Chart, share

DRAWN = 12
"""Members of a group a chart has room for; the table has them all."""
TABLED = 60
UNSHOWN = "不显示"
"""Of too few customers."""
_GROUP_ORDER = tuple(name for name in GROUPINGS if name not in ("all", "reason", "action"))
WARNING_GROUPS = ("occupation", "sex", "education", "town", "village")


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """One side, or one half of the swap, in words."""

    name: str
    cases: str
    approval: str
    outcomes: str
    amount: str
    rate: str
    loss: str
    loss_share: str
    bad: str


class Side(msgspec.Struct, frozen=True):
    """One line of a chart: its name and a figure of each group, None where there is none."""

    name: str
    values: Sequence[float | None]


def groupings(measured: list[Measured], *, warns: bool) -> tuple[tuple[str, str], ...]:
    """(name, word) of the groupings that have figures."""
    there = {each.grouping for each in measured}
    order = WARNING_GROUPS if warns else _GROUP_ORDER
    return tuple((name, GROUPINGS[name]) for name in order if name in there)


def totals(measured: list[Measured]) -> tuple[Total, ...]:
    """Both sides and what changed hands between them."""
    whole = {each.side: each for each in measured if each.grouping == "all"}
    if "base" in whole and (fewest := whole["base"].fewest):
        for side in ("swap_in", "swap_out"):  # too few are not told from none
            whole.setdefault(side, report.nothing("all", "", side, fewest))
    return tuple(_total(whole[side], swap=side.startswith("swap")) for side in SIDES if side in whole)


def _total(each: Measured, *, swap: bool) -> Total:
    said = [report.people(n, each.fewest) for n in (each.approved, each.referred, each.declined)]
    unknown = UNSHOWN if each.fewest and not each.approved else UNKNOWN
    outcomes = f"通过 {said[0]}，转人工 {said[1]}，未通过 {said[2]}"
    return Total(
        name=SIDES[each.side],
        cases=report.people(each.cases, each.fewest),
        approval="" if swap else percent(each.approval_bp, unknown),
        outcomes="" if swap else outcomes,
        amount=yuan(each.mean_amount_fen) if each.amount_fen else unknown,
        rate=percent(each.mean_rate_bp if each.amount_fen else None, unknown),
        loss=yuan(each.loss_fen) if each.amount_fen else unknown,
        loss_share=percent(each.loss_bp if each.amount_fen else None, unknown),
        bad=percent(each.bad_bp),
    )


def charts(rows: Sequence[Row], word: str) -> tuple[Chart, ...]:
    """Approval, amount, price and expected loss of each group, both sides beside each other."""
    kinds: tuple[tuple[str, str, Callable[[Measured], float | None], Callable[[float], str], bool], ...] = (
        ("通过率", "", _approval, share, True),
        ("户均额度（元）", "", _amount, lambda value: f"{value:,.0f}", False),
        ("平均利率（%）", "按额度加权。", _rate, _two, False),
        ("预期损失率（%）", "预期损失占通过额度的多少。", _loss, _two, False),
    )
    return tuple(
        beside(
            f"按{word}：{title}",
            about,
            [row.label for row in rows],
            _sides(rows, value),
            say,
            percent_axis=percent_axis,
        )
        for title, about, value, say, percent_axis in kinds
    )


def _sides(rows: Sequence[Row], value: Callable[[Measured], float | None]) -> list[Side]:
    found = [Side(SIDES["draft"], [value(row.draft) for row in rows])]
    if any(row.base is not None for row in rows):
        base = [None if row.base is None else value(row.base) for row in rows]
        found.insert(0, Side(SIDES["base"], base))
    return found


def beside(
    title: str,
    about: str,
    labels: Sequence[str],
    sides: Sequence[Side],
    say: Callable[[float], str],
    *,
    percent_axis: bool = False,
) -> Chart:
    """A bar for each group and side; the last side is the one in the bank's colour."""
    drawn = list(labels[:DRAWN])
    spec = {
        "kind": "bar",
        "labels": drawn,
        "series": [{"name": side.name, "values": list(side.values[:DRAWN])} for side in sides],
        "limits": [],
        "percent": percent_axis,
    }
    if len(sides) > 1:
        about += f"绿色是{sides[-1].name}，灰色是{sides[0].name}。"
    if len(labels) > DRAWN:
        about += f"只画案例最多的 {DRAWN} 个。"
    rows = tuple(
        (label, *(_say(side.values[at], say) for side in sides)) for at, label in enumerate(labels[:TABLED])
    )
    heads = ("谁", *(side.name for side in sides))
    return Chart(title, about, msgspec.json.encode(spec).decode(), heads, rows, "还没有算出来的数。")


def warning_charts(found: Sequence[report.WarningRow], word: str) -> tuple[Chart, ...]:
    """False alarms and defaults an alarm came before, of each group (A6-06)."""
    kinds: tuple[tuple[str, str, Callable[[Alarms], int | None]], ...] = (
        ("误报率", "预警以后没有违约的占多少。", lambda each: each.false_alarm_bp),
        ("提前发现", "后来违约的户里，多少事先有预警。", lambda each: each.caught_bp),
    )
    labels = [label for label, _, _ in found]
    made = []
    for title, about, value in kinds:
        sides = [Side(SIDES["draft"], [_part(value(draft)) for _, draft, _ in found])]
        if any(base is not None for _, _, base in found):
            sides.insert(0, Side(SIDES["base"], [_part(value(b)) if b else None for _, _, b in found]))
        made.append(beside(f"按{word}：{title}", about, labels, sides, share, percent_axis=True))
    return tuple(made)


def _part(bp: int | None) -> float | None:
    return None if bp is None else bp / 10_000


def _say(value: float | None, say: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else say(value)


def _two(value: float) -> str:
    return f"{value:.2f}"


def _approval(each: Measured) -> float | None:
    return each.approval_bp / 10_000 if each.cases and each.approval_bp is not None else None


def _amount(each: Measured) -> float | None:
    return round(each.mean_amount_fen / 100) if each.amount_fen else None


def _rate(each: Measured) -> float | None:
    return each.mean_rate_bp / 100 if each.amount_fen else None


def _loss(each: Measured) -> float | None:
    return each.loss_bp / 100 if each.amount_fen else None


def percent(bp: int | None, unknown: str = UNKNOWN) -> str:
    return unknown if bp is None else f"{bp / 100:.2f}%"


def points(bp: int | None) -> str:
    """A difference of two shares, in points of per cent."""
    return "" if bp is None else f"{bp / 100:+.2f}"


def yuan(fen: int) -> str:
    return f"{fen / 100:,.0f}"
