"""The validation report in words and tables, for the page and the paper alike. Chinese for the reader."""

from collections.abc import Callable
from typing import Any

import msgspec

from backend.domains.decision import facts
from backend.domains.models import drift, units
from backend.domains.models.training.plots import CELLS

KINDS = {"scorecard": "评分卡", "trees": "树模型"}
VERDICTS = {"fair": "在范围内", "review": "要复核", "too_few": "人数太少，不判"}
Label = Callable[[str], str]


class Sheet(msgspec.Struct, frozen=True):
    """`numbers` are the columns that stand right-aligned."""

    title: str
    note: str
    heads: list[str]
    numbers: list[int]
    rows: list[list[str]]


class Page(msgspec.Struct, frozen=True):
    title: str
    summary: str
    figures: list[dict[str, str]]
    warnings: list[str]
    sheets: list[Sheet]
    facts: list[str]


def label(name: str) -> str:
    """A column as people call it: its label in the catalogue, or its own name."""
    known = facts.catalogue().facts.get(name)
    return known.label if known is not None else name


def page(report: dict[str, Any], label: Label) -> Page:
    test = report["test"]
    return Page(
        title=f"模型验证报告：{report['target']}（{KINDS[report['kind']]}）",
        summary=(
            f"用 {report['train']['people']:,} 个样本训练，在没见过的 {test['people']:,} 个样本上检验。"
            f"{report['split']}。"
        ),
        figures=_figures(report),
        warnings=_warnings(report, label),
        sheets=_sheets(report, label),
        facts=_facts(report),
    )


def _figures(report: dict[str, Any]) -> list[dict[str, str]]:
    test = report["test"]
    return [
        {
            "label": "AUC（测试）",
            "value": f"{test['auc']:.3f}",
            "note": f"95% 区间 {test['auc_low']:.3f} 至 {test['auc_high']:.3f}",
        },
        {"label": "KS（测试）", "value": f"{test['ks']:.3f}", "note": f"训练 {report['train']['ks']:.3f}"},
        {
            "label": "总分 PSI",
            "value": f"{report['psi']['psi']:.3f}",
            "note": drift.LEVELS[report["psi"]["level"]],
        },
        {
            "label": "坏客户（测试）",
            "value": f"{test['bad'] / test['people']:.2%}",
            "note": f"{test['bad']:,} / {test['people']:,}",
        },
    ]


def not_apart(report: dict[str, Any]) -> str:
    """The sentence about a model that tells good from bad no better than the dice; '' for any other."""
    test = report["test"]
    if test["auc_low"] > 0.5:
        return ""
    return f"这个模型分不开好坏：测试的 AUC 是 {test['auc']:.3f}，和随便排一样，不要拿它审批"


def _warnings(report: dict[str, Any], label: Label) -> list[str]:
    found = [said for said in (not_apart(report),) if said]
    gap = report["train"]["auc"] - report["test"]["auc"]
    if gap > 0.05:
        found.append(f"测试的 AUC 比训练低 {gap:.3f}，可能学得太细")
    if report["calibration"]["inside"] < 7:
        found.append(f"预计坏账率只有 {report['calibration']['inside']} 档对得上实际，校准要看")
    for feature in report["features"]:
        if feature["level"] == drift.MOVED:
            found.append(f"{label(feature['name'])} 在训练和测试之间明显偏移")
        if feature["iv"] > 1.5:
            found.append(
                f"{label(feature['name'])} 的信息值高达 {feature['iv']:.2f}，查一查是不是事后才知道的"
            )
    for name, rows in report["fairness"].items():
        out = [
            f"{row['group']}（{row['ratio']:.2f}）"
            for row in rows
            if row["verdict"] == "review" and row["ratio"]
        ]
        if out:
            found.append(f"{label(name)}：通过率之比超出 0.8 至 1.25：{'、'.join(out)}")
    return found


def _sheets(report: dict[str, Any], label: Label) -> list[Sheet]:
    return [
        Sheet(
            "门槛怎么定",
            "在测试样本上，分数不低于门槛的算通过；误报率是被拦下而后来没有变坏的占比",
            ["门槛分", "通过率", "通过者坏账率", "拦下的坏客户", "误报率"],
            [0, 1, 2, 3, 4],
            [
                [
                    str(r["cut_off"]),
                    f"{r['approved']:.1%}",
                    f"{r['bad_rate']:.2%}",
                    f"{r['bad_kept_out']:.1%}",
                    f"{r['false_alarms']:.1%}",
                ]
                for r in report["cut_offs"]
            ],
        ),
        Sheet(
            "每成分数的坏账率",
            "从分数最低的一成数起",
            ["第几成", "分数", "人数", "坏账率", "是平均的几倍", "累计抓到"],
            [0, 2, 3, 4, 5],
            [
                [
                    str(r["tenth"]), f"{r['from']} 至 {r['to']}", f"{r['people']:,}", f"{r['bad_rate']:.2%}",
                    f"{r['lift']:g}", f"{r['gain']:.1%}",
                ]
                for r in report["lift"]
            ],
        ),
        *_swap(report),
        *(_fairness(label(name), rows, report["cut_off"]) for name, rows in report["fairness"].items()),
        *_stability(report),
        *_counties(report),
        *_selection(report, label),
        *(_bins(feature, label) for feature in report["features"]),
    ]  # fmt: skip


def _swap(report: dict[str, Any]) -> list[Sheet]:
    found = report["swap"]
    if not found:
        return []
    rows = [
        [name, f"{found[cell]['people']:,}", _share(found[cell]["bad_rate"])] for cell, name in CELLS.items()
    ]
    note = f"两个模型都通过 {found['approved']:.0%} 时；现用模型 AUC {found['live']['auc']:.3f}"
    return [Sheet("和现用模型的换手", note, ["", "人数", "坏账率"], [1, 2], rows)]


def _fairness(name: str, rows: list[dict[str, Any]], cut: int) -> Sheet:
    told = [
        [
            row["group"] + ("（对照）" if row["reference"] else ""),
            f"{row['people']:,}",
            f"{row['approved']:.1%}",
            "" if row["ratio"] is None else f"{row['ratio']:.2f}",
            f"{row['bad_rate']:.2%}",
            VERDICTS[row["verdict"]],
        ]
        for row in rows
    ]
    note = f"{cut} 分及以上算通过；比值在 0.8 至 1.25 之外要人复核，这一列本身没有进模型"
    heads = ["组", "人数", "通过率", "比值", "坏账率", "判断"]
    return Sheet(f"公平：{name}", note, heads, [1, 2, 3, 4], told)


def _stability(report: dict[str, Any]) -> list[Sheet]:
    rows = [
        [
            row["period"],
            f"{row['people']:,}",
            f"{row['bad_rate']:.2%}",
            f"{row['mean_score']:g}",
            "样本不够" if row["auc"] is None else f"{row['auc']:.3f}",
            f"{row['psi']:.3f}",
            drift.LEVELS[row["level"]],
        ]
        for row in report["stability"]
    ]
    heads = ["时期", "人数", "坏账率", "平均分", "AUC", "PSI", "判断"]
    return [Sheet("随时间的表现", "", heads, [1, 2, 3, 4, 5], rows)] if rows else []


def _counties(report: dict[str, Any]) -> list[Sheet]:
    rows = [
        [
            row["county"],
            f"{row['cases']:,}",
            f"{row['bad']:,}",
            f"{row['points']:+d}" if row["points"] else "0",
            f"{row['offset']:.3f} ± {row['error']:.3f}",
            f"{row['held']['came']} / {row['held']['foreseen']:g} / {row['held']['foreseen_with_offset']:g}",
            row["told"],
        ]
        for row in report.get("counties", [])
    ]
    heads = [
        "县",
        "训练样本",
        "坏客户",
        "加减分",
        "差别 ± 标准误",
        "测试：实际 / 全省预计 / 加上差别后",
        "结论",
    ]
    note = "差别是坏的可能性（对数）上的，已向全省收缩；不到两个标准误的不加不减"
    return [Sheet("各县的差别", note, heads, [1, 2, 3], rows)] if rows else []


def _selection(report: dict[str, Any], label: Label) -> list[Sheet]:
    sheets = []
    if report.get("weights"):
        rows = [
            [label(w["column"]), f"{w['weight']:.3f}", f"{w['p']:.4f}", f"{w['vif']:.2f}"]
            for w in report["weights"]
        ]
        note = "系数都是负的：WOE 越高，变坏的可能越小"
        sheets.append(Sheet("逻辑回归", note, ["列", "系数", "p 值", "VIF"], [1, 2, 3], rows))
    if report.get("steps"):
        rows = [[label(str(s["column"])), f"{s['iv']:.3f}", str(s["result"])] for s in report["steps"]]
        sheets.append(Sheet("选列的过程", "按信息值从高到低", ["列", "信息值", "结果"], [1], rows))
    return sheets


def _bins(feature: dict[str, Any], label: Label) -> Sheet:
    rows = [
        [
            units.in_words(feature["name"], row["bin"]),
            f"{row['people']:,}",
            f"{row['bad_rate']:.2%}",
            "" if row["points"] is None else str(row["points"]),
        ]
        for row in feature["bins"]
    ]
    note = f"信息值 {feature['iv']:.3f}，PSI {feature['psi']:.3f}（{drift.LEVELS[feature['level']]}）"
    return Sheet(f"分箱：{label(feature['name'])}", note, ["范围", "人数", "坏账率", "分数"], [1, 2, 3], rows)


def _facts(report: dict[str, Any]) -> list[str]:
    scale = report["scale"]
    told = [
        f"刻度：{scale['score']} 分对应好坏比 {scale['odds']}:1，每 {scale['points_to_double']} 分翻一倍",
        "AUC 的区间用 DeLong 方法；PSI 的 0.10 和 0.25 只对 500 个样本以上有意义，以下用卡方界限",
        f"种子 {report['seed']}；数据指纹 {report['data_sha256']}",
        f"模型指纹 {report['model_sha256']}",
        "能用于审批" if report["serves"] == "decisions" else "只能用于批量评分，不能直接用于审批",
    ]
    if report.get("onnx"):
        onnx = report["onnx"]
        told.append(f"共 {onnx['rounds']} 轮；导出的文件和原模型最大相差 {onnx['difference']:.1e}")
        told.append(f"导出文件的指纹 {onnx['sha256']}")
    return [*told, *report["notes"]]


def _share(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.2%}"
