"""A validation report as charts and tables of a page (A3-37, D1-05, D3-03)."""

from collections.abc import Sequence
from typing import Any

from backend.domains.decision import facts
from backend.domains.models import drift, monitors, units
from backend.domains.models.report import Cumulative, Feature, Group, Report, Swap
from h5.console import charts
from h5.console.charts import Chart

VERDICTS = {"fair": "在范围内", "review": "要复核", "too_few": "人数太少，不判"}
CELLS = {"both": "都通过", "swapped_in": "新进", "swapped_out": "换出", "neither": "都不过"}
NONE = "这份报告里没有。"
MOST_BINS, MOST_BARS = 24, 30


def label(name: str) -> str:
    """A column as people call it."""
    known = facts.catalogue().facts.get(name)
    return known.label if known is not None else name


def of_report(report: Report) -> tuple[Chart, ...]:
    """Everything a validator must see, in the order of reading; the bins of each feature come apart (`bins`)."""
    found = [_ks(report), _roc(report)] if report.curves else []
    found += [_calibration(report), _lift(report), _cut_offs(report)]
    if report.curves:
        found.append(_spread(report))
    found += [_drift(report), _stability(report), _swap(report.swap)]
    if not report.fairness:
        empty = f"{NONE}训练时选了“不进模型，只看公平”的列，才有这一项。"
        found.append(charts.chart("公平", "各组的通过率之比。", {}, ("组",), (), empty))
    return (*found, *(_fairness(report, name, rows) for name, rows in report.fairness.items()))


def bins(report: Report) -> tuple[Chart, ...]:
    """Of the features with the highest information value; all of them are in the report's files."""
    return tuple(_bins(each) for each in report.features[:MOST_BINS])


def _ks(report: Report) -> Chart:
    test, curves = report.test, report.curves
    assert curves is not None
    line = curves.model
    about = f"好坏客户的累计占比在 {test.ks_score:g} 分处相距最远，KS {test.ks:.3f}；训练时 {report.train.ks:.3f}。"
    series = [_line("好客户", line.score, line.good), _line("坏客户", line.score, line.bad)]
    spec = {"kind": "curve", "series": series, "y_percent": True, **_named("分数", "累计占比")}
    rows = [
        (f"{at:g}", charts.share(bad), charts.share(good), f"{bad - good:.3f}")
        for at, bad, good in _every(line, 12)
    ]
    heads = ("分数", "坏客户累计", "好客户累计", "相差")
    return charts.chart("区分度（KS）", about, spec, heads, rows)


def _roc(report: Report) -> Chart:
    test, curves = report.test, report.curves
    assert curves is not None
    about = f"AUC {test.auc:.3f}，95% 区间 {test.auc_low:.3f} 至 {test.auc_high:.3f}；0.5 等于瞎猜。"
    series = [_line("本模型", [0, *curves.model.good], [0, *curves.model.bad])]
    if curves.live is not None:
        series.append(_line("现用模型", [0, *curves.live.good], [0, *curves.live.bad]))
    series.append(_line("瞎猜", [0, 1], [0, 1], dashed=True))
    spec = _shares(series, "拦下的好客户", "拦下的坏客户")
    rows = [
        (f"{at:g} 分", charts.share(good), charts.share(bad)) for at, bad, good in _every(curves.model, 12)
    ]
    heads = ("门槛", "好客户被拦下", "坏客户被拦下")
    return charts.chart("ROC 曲线和 AUC", about, spec, heads, rows)


def _calibration(report: Report) -> Chart:
    found = report.calibration
    bands = found.bands
    about = f"十档里有 {found.inside} 档的预计值落在实际值的 95% 区间里。Brier {found.brier:.4f}。"
    foreseen = [band.foreseen for band in bands]
    most = max(*foreseen, *(band.came for band in bands))
    series = [
        _line("实际", foreseen, [band.came for band in bands]),
        _line("区间下端", foreseen, [band.low for band in bands], dashed=True),
        _line("区间上端", foreseen, [band.high for band in bands], dashed=True),
        _line("和预计一样", [0, most], [0, most], dashed=True),
    ]
    spec = _shares(series, "预计的坏账率", "实际的坏账率")
    rows = [
        (
            f"第 {at} 档",
            f"{band.people:,}",
            f"{band.foreseen:.2%}",
            f"{band.came:.2%}",
            f"{band.low:.2%} 至 {band.high:.2%}",
        )
        for at, band in enumerate(bands, 1)
    ]
    return charts.chart("校准：预计和实际", about, spec, ("档", "人数", "预计", "实际", "95% 区间"), rows)


def _lift(report: Report) -> Chart:
    rows = report.lift
    about = f"分数最低的一成，坏账率是平均的 {rows[0].lift:g} 倍；最低三成抓到 {rows[2].gain:.0%} 的坏客户。"
    spec = _columns([str(row.tenth) for row in rows], [("倍数", [row.lift for row in rows])])
    spec |= _named("第几成（分数从低到高）", "坏账率是平均的几倍")
    told = [
        (
            f"第 {row.tenth} 成",
            f"{row.from_} 至 {row.to}",
            f"{row.people:,}",
            f"{row.bad_rate:.2%}",
            f"{row.lift:g}",
            f"{row.gain:.1%}",
        )
        for row in rows
    ]
    heads = ("从低到高", "分数", "人数", "坏账率", "是平均的几倍", "累计抓到")
    return charts.chart("提升和捕获", about, spec, heads, told)


def _cut_offs(report: Report) -> Chart:
    rows = report.cut_offs
    about = "门槛越高，通过的越少，坏的也越少。误报是被拦下而后来没有变坏的占比。"
    line = _line("通过者坏账率", [row.approved for row in rows], [row.bad_rate for row in rows])
    spec = _shares([line], "通过率", "通过的人里坏的占多少")
    told = [
        (
            f"{row.cut_off} 分",
            f"{row.approved:.1%}",
            f"{row.bad_rate:.2%}",
            f"{row.bad_kept_out:.1%}",
            f"{row.false_alarms:.1%}",
        )
        for row in rows
    ]
    heads = ("门槛", "通过率", "通过者坏账率", "拦下的坏客户", "误报率")
    return charts.chart("门槛怎么定", about, spec, heads, told)


def _spread(report: Report) -> Chart:
    assert report.curves is not None
    found = report.curves.spread
    names = [f"{edge:.0f}" for edge in found.edges[:-1]]
    spec = _columns(names, [("好客户", found.good), ("坏客户", found.bad)], percent=True)
    spec |= _named("分数", "占同类客户")
    rows = [
        (name, charts.share(good), charts.share(bad))
        for name, good, bad in zip(names, found.good, found.bad, strict=True)
    ]
    about = f"好客户靠右、坏客户靠左才对；报告里的门槛是 {report.cut_off} 分。"
    return charts.chart("分数的分布", about, spec, ("分数从", "好客户", "坏客户"), rows)


def _drift(report: Report) -> Chart:
    moved = sorted(report.features, key=lambda each: -each.psi)
    lines = [("总分", report.psi.psi, report.psi.level)]
    lines += [(label(each.name), each.psi, each.level) for each in moved]
    spec = {
        "kind": "bar",
        "labels": [name for name, _, _ in lines[:MOST_BARS]],
        "series": [{"name": "PSI", "values": [psi for _, psi, _ in lines[:MOST_BARS]]}],
        "limits": [],
    }
    rows = [(name, charts.figure(psi), drift.LEVELS[level]) for name, psi, level in lines]
    about = "训练和测试之间变了没有。满 500 人时 0.10 起要留意、0.25 起算明显偏移，人少时按样本量放宽。"
    return charts.chart("稳定性（PSI）", about, spec, ("数据项", "PSI", "看法"), rows)


def _stability(report: Report) -> Chart:
    rows = report.stability
    spec = {
        "kind": "line",
        "labels": [row.period for row in rows],
        "series": [
            {"name": "AUC", "values": [row.auc for row in rows]},
            {"name": "坏账率", "values": [row.bad_rate for row in rows]},
        ],
        "limits": [],
    }
    told = [
        (
            row.period,
            f"{row.people:,}",
            f"{row.bad_rate:.2%}",
            f"{row.mean_score:g}",
            "样本不够" if row.auc is None else f"{row.auc:.3f}",
            f"{row.psi:.3f}",
            drift.LEVELS[row.level],
        )
        for row in rows
    ]
    heads = ("时期", "人数", "坏账率", "平均分", "AUC", "PSI", "看法")
    empty = f"{NONE}训练时选了按时间检验的列，才有这一项。"
    return charts.chart("随时间的表现", "一期一期看，还准不准。", spec, heads, told, empty)


def _swap(found: Swap | None) -> Chart:
    title, heads = "和现用模型的换手", ("", "人数", "坏账率")
    if found is None:
        empty = f"{NONE}训练时给了现用模型，才有这一项。登记以后点“拿它试算”，也看得到。"
        return charts.chart(title, "换上它，谁会进来、谁会出去。", {}, heads, (), empty)
    cells = [(name, getattr(found, cell)) for cell, name in CELLS.items()]
    spec = _columns([name for name, _ in cells], [("人数", [cell.people for _, cell in cells])])
    spec |= _named("", "人数")
    rows = [(name, f"{cell.people:,}", _rate(cell.bad_rate)) for name, cell in cells]
    about = f"两个模型都通过 {found.approved:.0%} 时比；现用模型 AUC {found.live.auc:.3f}。"
    return charts.chart(title, about, spec, heads, rows)


def _fairness(report: Report, name: str, rows: Sequence[Group]) -> Chart:
    spec = {
        "kind": "bar",
        "labels": [row.group for row in rows],
        "series": [{"name": "通过率之比", "values": [row.ratio for row in rows]}],
        "limits": list(monitors.FAIR),
    }
    told = [
        (
            row.group + ("（对照）" if row.reference else ""),
            f"{row.people:,}",
            charts.share(row.approved),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            f"{row.bad_rate:.2%}",
            VERDICTS[row.verdict],
        )
        for row in rows
    ]
    low, high = monitors.FAIR
    about = (
        f"{report.cut_off} 分及以上算通过，和人数最多的一组比；两条红线标着 {low:g} 和 {high:g}，出了线要人复核。"
        "这一列没有进模型。"
    )
    heads = ("组", "人数", "通过率", "比值", "坏账率", "看法")
    return charts.chart(f"公平：{label(name)}", about, spec, heads, told)


def _bins(feature: Feature) -> Chart:
    rows = feature.bins
    names = [units.in_words(feature.name, row.bin) for row in rows]
    spec = _columns(names, [("坏账率", [row.bad_rate for row in rows])], percent=True)
    spec["kind"] = "bar"  # ranges are long names: beside the bars there is room for them
    told = [
        (name, f"{row.people:,}", f"{row.bad_rate:.2%}", "" if row.points is None else str(row.points))
        for name, row in zip(names, rows, strict=True)
    ]
    about = (
        f"每一段的坏账率。信息值 {feature.iv:.3f}，PSI {feature.psi:.3f}（{drift.LEVELS[feature.level]}）。"
    )
    return charts.chart(label(feature.name), about, spec, ("范围", "人数", "坏账率", "分数"), told)


def _line(name: str, x: Sequence[float], y: Sequence[float], *, dashed: bool = False) -> dict[str, Any]:
    return {"name": name, "dashed": dashed, "values": [list(pair) for pair in zip(x, y, strict=True)]}


def _shares(series: Sequence[dict[str, Any]], across: str, up: str) -> dict[str, Any]:
    spec = {"kind": "curve", "series": list(series), "x_percent": True, "y_percent": True}
    return spec | _named(across, up)


def _named(across: str, up: str) -> dict[str, Any]:
    """What the two axes of a drawing count."""
    return {"across": across, "up": up}


def _columns(
    labels: list[str], series: Sequence[tuple[str, Sequence[float]]], *, percent: bool = False
) -> dict[str, Any]:
    told = [{"name": name, "values": list(values)} for name, values in series]
    return {
        "kind": "columns",
        "labels": labels,
        "series": told,
        "limits": [],
        "percent": percent,
        "fit": True,
    }


def _every(line: Cumulative, most: int) -> list[tuple[float, float, float]]:
    """(score, bad, good) at about `most` places, the last among them."""
    step = max(1, len(line.score) // most)
    places = sorted({*range(0, len(line.score), step), len(line.score) - 1})
    return [(line.score[at], line.bad[at], line.good[at]) for at in places]


def _rate(value: float | None) -> str:
    return "没有人" if value is None else f"{value:.2%}"
