"""The drawings of a validation report as PNG, small enough to read on a phone, with Chinese in our own font.

Colour never carries meaning alone: lines differ in dash and are labelled, bars carry their numbers.
"""

import io
import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy

from backend.domains.models import units
from backend.domains.models.monitors import FAIR

FONT = Path(__file__).parents[4] / "static" / "fonts" / "NotoSansCJKsc-2.004-8105-Regular.otf"
GREEN, WHEAT, FAINT, RED = "#00703a", "#8a5a00", "#8b958f", "#a63a2a"
MOST_BINS_DRAWN = 8


class Plot(msgspec.Struct, frozen=True):
    """`alt` says in words what the picture shows."""

    name: str
    title: str
    alt: str
    png: bytes


def draw(report: dict[str, Any], label: Callable[[str], str]) -> list[Plot]:
    """All plots in the order a reader wants them, from the report alone: the same from a file and from the register."""
    curves = report.get("curves")
    found = [_ks(curves["model"], report["test"]), _roc(curves, report)] if curves else []
    found += [_calibration(report["calibration"]), _lift(report["lift"])]
    if curves:
        found.append(_spread(curves["spread"], report["cut_off"]))
    found += [_cut_offs(report["cut_offs"]), _drift(report, label)]
    if report["stability"]:
        found.append(_stability(report["stability"]))
    if report["swap"]:
        found.append(_swap(report["swap"]))
    found += [_fairness(label(name), rows) for name, rows in report["fairness"].items()]
    found += [_bins(each, label) for each in report["features"][:MOST_BINS_DRAWN]]
    return found


@cache
def _font() -> str:
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(FONT))
    return str(font_manager.FontProperties(fname=str(FONT)).get_name())


def _axes(x: str, y: str, height: float = 3.1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.9, height), dpi=144, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(_told(x))
    axes.set_ylabel(_told(y))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e3e7e1", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _told(text: str) -> str:
    """Text that matplotlib must not read as a formula."""
    return text.replace("$", r"\$")


def _finished(name: str, title: str, alt: str, figure: Any) -> Plot:
    from matplotlib import rc_context

    out = io.BytesIO()
    with rc_context({"font.family": [_font()], "axes.unicode_minus": False, "font.size": 10}):
        for axes in figure.axes:
            legend = axes.get_legend()
            texts = [axes.xaxis.label, axes.yaxis.label, *axes.texts, *axes.get_xticklabels()]
            texts += [*axes.get_yticklabels(), *(legend.get_texts() if legend else [])]
            for text in texts:
                text.set_fontfamily(_font())
        figure.savefig(out, format="png", metadata={"Software": ""})
    return Plot(name, title, alt, out.getvalue())


def _legend(axes: Any, **where: Any) -> None:
    axes.legend(frameon=False, prop={"family": _font(), "size": 9}, **where)


def _ks(curve: dict[str, Any], test: dict[str, Any]) -> Plot:
    cuts, goods, bads = curve["score"], curve["good"], curve["bad"]
    figure, axes = _axes("分数", "累计占比")
    axes.plot(cuts, bads, color=RED, label="坏客户")
    axes.plot(cuts, goods, color=GREEN, linestyle="--", label="好客户")
    at = max(range(len(cuts)), key=lambda each: bads[each] - goods[each])
    axes.vlines(cuts[at], goods[at], bads[at], color=FAINT)
    axes.text(cuts[at], (goods[at] + bads[at]) / 2, f"  KS {test['ks']:.3f}", va="center")
    _legend(axes)
    alt = f"两条累计线在 {test['ks_score']:g} 分处相距最远，为 {test['ks']:.3f}"
    return _finished("ks", "区分度（KS）", alt, figure)


def _roc(curves: dict[str, Any], report: dict[str, Any]) -> Plot:
    test, own, live = report["test"], curves["model"], curves["live"]
    figure, axes = _axes("好客户被拦下的占比", "坏客户被拦下的占比")
    axes.plot([0, *own["good"]], [0, *own["bad"]], color=GREEN, label=f"本模型 {test['auc']:.3f}")
    if live is not None and report["swap"]:
        told = f"现用模型 {report['swap']['live']['auc']:.3f}"
        axes.plot([0, *live["good"]], [0, *live["bad"]], color=WHEAT, linestyle="--", label=told)
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", label="瞎猜 0.500")
    _legend(axes, loc="lower right")
    alt = f"AUC {test['auc']:.3f}，95% 区间 {test['auc_low']:.3f} 至 {test['auc_high']:.3f}"
    return _finished("roc", "ROC 曲线和 AUC", alt, figure)


def _calibration(found: dict[str, Any]) -> Plot:
    figure, axes = _axes("预计坏账率", "实际坏账率（竖线是 95% 区间）")
    foreseen = [band["foreseen"] for band in found["bands"]]
    came = [band["came"] for band in found["bands"]]
    low = [max(0.0, band["came"] - band["low"]) for band in found["bands"]]
    high = [max(0.0, band["high"] - band["came"]) for band in found["bands"]]
    axes.errorbar(foreseen, came, yerr=[low, high], fmt="o", color=GREEN, ecolor=FAINT, capsize=2)
    most = max(*foreseen, *came)
    axes.plot([0, most], [0, most], color=FAINT, linestyle=":")
    alt = f"十档里有 {found['inside']} 档的预计值落在实际值的区间里"
    return _finished("calibration", "校准：预计和实际", alt, figure)


def _lift(rows: list[dict[str, Any]]) -> Plot:
    figure, axes = _axes("从分数最低的一成数起", "是平均坏账率的几倍")
    axes.bar([row["tenth"] for row in rows], [row["lift"] for row in rows], color=GREEN, width=0.7)
    other = axes.twinx()
    other.plot([row["tenth"] for row in rows], [row["gain"] for row in rows], color=WHEAT, marker="o", ms=3)
    other.set_ylim(0, 1.05)
    other.set_ylabel("累计抓到的坏客户")
    other.spines["top"].set_visible(False)
    axes.set_xticks(range(1, 11))
    alt = f"最低一成的坏账率是平均的 {rows[0]['lift']:g} 倍，最低三成抓到 {rows[2]['gain']:.0%} 的坏客户"
    return _finished("lift", "提升和捕获", alt, figure)


def _spread(found: dict[str, Any], cut: int) -> Plot:
    figure, axes = _axes("分数", "各自的占比")
    edges = found["edges"]
    widths = [high - low for low, high in itertools.pairwise(edges)]
    for side, colour, hatch, name in (("good", GREEN, "", "好客户"), ("bad", RED, "///", "坏客户")):
        fill = {"alpha": 0.45, "hatch": hatch, "edgecolor": colour, "align": "edge"}
        axes.bar(edges[:-1], found[side], width=widths, color=colour, label=name, **fill)
    axes.axvline(cut, color=FAINT)
    axes.text(cut, axes.get_ylim()[1] * 0.97, f" {cut} 分", va="top")
    _legend(axes)
    return _finished("spread", "分数分布", f"好客户在右，坏客户在左，竖线是 {cut} 分", figure)


def _cut_offs(rows: list[dict[str, Any]]) -> Plot:
    figure, axes = _axes("通过率", "通过者的坏账率")
    axes.plot([r["approved"] for r in rows], [r["bad_rate"] for r in rows], color=GREEN, marker="o", ms=3)
    for row in rows[::3]:
        axes.text(row["approved"], row["bad_rate"], f" {row['cut_off']} 分", va="top", fontsize=8)
    alt = "；".join(
        f"{r['cut_off']} 分以上通过 {r['approved']:.0%}，坏账率 {r['bad_rate']:.2%}" for r in rows[::3]
    )
    return _finished("cut_offs", "不同门槛的通过率和坏账率", alt, figure)


def _drift(report: dict[str, Any], label: Callable[[str], str]) -> Plot:
    rows = [("总分", report["psi"]["psi"]), *((label(f["name"]), f["psi"]) for f in report["features"][:20])]
    figure, axes = _axes("PSI（训练和测试之间）", "", height=max(2.4, 0.27 * len(rows) + 1))
    axes.barh([_told(name[:14]) for name, _ in rows][::-1], [psi for _, psi in rows][::-1], color=GREEN)
    for at, (_, psi) in enumerate(rows[::-1]):
        axes.text(psi, at, f" {psi:.3f}", va="center", fontsize=8)
    axes.axvline(0.1, color=WHEAT, linestyle="--")
    axes.axvline(0.25, color=RED, linestyle="--")
    axes.set_xlim(0, max(0.28, *(psi * 1.15 for _, psi in rows)))
    worst = max(rows[1:], key=lambda row: row[1])
    alt = f"总分 PSI {rows[0][1]:.3f}，变化最大的是{worst[0]}，{worst[1]:.3f}"
    return _finished("drift", "稳定性（PSI）", alt, figure)


def _stability(rows: list[dict[str, Any]]) -> Plot:
    figure, axes = _axes("时期", "AUC")
    at = range(len(rows))
    told = [row["auc"] if row["auc"] is not None else numpy.nan for row in rows]
    axes.plot(at, told, color=GREEN, marker="o", ms=3, label="AUC")
    axes.set_ylim(min(0.5, *(each for each in told if each == each), 0.5), 1)
    other = axes.twinx()
    rates = [row["bad_rate"] for row in rows]
    other.plot(at, rates, color=RED, linestyle="--", marker="s", ms=3, label="坏账率")
    other.set_ylim(0, max(rates) * 1.6)
    other.set_ylabel("坏账率")
    step = max(1, len(rows) // 6)
    axes.set_xticks(list(at)[::step], [row["period"] for row in rows][::step], rotation=30, ha="right")
    _legend(axes, loc="lower left")
    _legend(other, loc="upper right")
    alt = f"从 {rows[0]['period']} 到 {rows[-1]['period']}，坏账率 {min(rates):.2%} 至 {max(rates):.2%}"
    return _finished("stability", "随时间的表现", alt, figure)


CELLS = {"both": "都通过", "swapped_in": "新进", "swapped_out": "换出", "neither": "都不过"}


def _swap(found: dict[str, Any]) -> Plot:
    figure, axes = _axes("柱上是坏账率", "人数")
    people = [found[cell]["people"] for cell in CELLS]
    axes.bar(list(CELLS.values()), people, color=[GREEN, WHEAT, RED, FAINT])
    for at, cell in enumerate(CELLS):
        rate = found[cell]["bad_rate"]
        told = "没有人" if rate is None else f"{rate:.1%}"
        axes.text(at, people[at], told, ha="center", va="bottom")
    axes.margins(y=0.15)
    alt = f"同样的通过率下，新进 {people[1]} 人，换出 {people[2]} 人"
    return _finished("swap", "和现用模型的换手", alt, figure)


def _fairness(name: str, rows: list[dict[str, Any]]) -> Plot:
    shown = [row for row in rows if row["ratio"] is not None][:20]
    figure, axes = _axes("通过率之比（对人数最多的一组）", "", height=max(2.2, 0.3 * len(shown) + 1.1))
    axes.barh([_told(r["group"][:12]) for r in shown][::-1], [r["ratio"] for r in shown][::-1], color=GREEN)
    for at, row in enumerate(shown[::-1]):
        axes.text(row["ratio"], at, f" {row['ratio']:.2f}", va="center", fontsize=8)
    for edge in FAIR:
        axes.axvline(edge, color=RED, linestyle="--")
    axes.set_xlim(0, max(1.45, *(row["ratio"] * 1.1 for row in shown)) if shown else 1.45)
    out = [row["group"] for row in rows if row["verdict"] == "review"]
    alt = f"要复核：{'、'.join(out)}" if out else "各组都在 0.8 至 1.25 之间，或人数太少"
    return _finished("fairness", f"公平：{name}", alt, figure)


def _bins(feature: dict[str, Any], label: Callable[[str], str]) -> Plot:
    rows = feature["bins"]
    figure, axes = _axes("柱上是占总人数的比例", "坏账率")
    axes.bar(range(len(rows)), [row["bad_rate"] for row in rows], color=GREEN, width=0.7)
    total = sum(row["people"] for row in rows)
    for at, row in enumerate(rows):
        axes.text(at, row["bad_rate"], f"{row['people'] / total:.0%}", ha="center", va="bottom", fontsize=8)
    bins = [units.in_words(feature["name"], row["bin"]) for row in rows]
    names = [_told(each[:24]) for each in bins]
    axes.set_xticks(range(len(rows)), names, rotation=25, ha="right", fontsize=8)
    axes.margins(y=0.15)
    alt = "；".join(
        f"{each}：坏账率 {row['bad_rate']:.2%}" for each, row in zip(bins[:8], rows, strict=False)
    )
    return _finished("bins", f"{label(feature['name'])}（信息值 {feature['iv']:.3f}）", alt, figure)
