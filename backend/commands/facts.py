"""`./xiaodai facts`: the catalogue for people: who is asked for each fact, by what right, at what price (A3-35)."""

import argparse
import sys
import unicodedata

import msgspec

from backend.domains.decision import facts
from backend.domains.evidence import sources

FAMILIES = {
    "identity": "身份",
    "application": "申请",
    "device": "设备",
    "velocity": "申请频度",
    "relation": "关系",
    "bureau": "征信",
    "mortgage": "房贷记录",
    "account": "账户",
    "account_flow": "账户结算",
    "financial_assets": "金融资产",
    "payroll": "代发工资",
    "housing_fund": "公积金",
    "social_security": "社保",
    "business_turnover": "经营流水",
    "pos": "POS 交易",
    "tax": "纳税",
    "trade": "物流、资金流、交易",
    "chain": "产业链与核心企业",
    "survey": "线下调查",
    "lists": "名单",
    "household": "农户档案",
    "income": "收入",
    "obligations": "负债",
    "product": "产品",
    "outreach": "触达",
    "prospect": "名单客户",
    "credit_line": "额度和用款",
    "post_loan": "贷后",
    "collection": "催收",
    "regulation": "监管",
    "rating": "评级",
}
COMPUTED = {"derived": "由别的数据算出", "stage": "由上一步得出"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--family", default="", help="只看一类，例如 tax", metavar="FAMILY")
    parser.add_argument("--sources", action="store_true", help="只看数据来源：许可、授权、价格、断供时怎么办")
    parser.add_argument("--json", action="store_true", help="给程序看的 JSON")


def run(args: argparse.Namespace) -> int:
    """0, or 2 with one line for a family there is none of."""
    if args.family and args.family not in FAMILIES:
        print(f"没有叫 {args.family} 的类别，有：{'、'.join(FAMILIES)}", file=sys.stderr)
        return 2
    found = [f for f in facts.catalogue().facts.values() if args.family in ("", f.family)]
    if args.json:
        told = list(sources.every().values()) if args.sources else found
        print(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())
    elif args.sources:
        _table([_source(source) for source in sources.every().values()], SOURCE_HEAD)
    else:
        _table([_fact(fact) for fact in found], FACT_HEAD)
    return 0


FACT_HEAD = ("名称", "含义", "类别", "单位", "来源", "依据", "需授权", "有效(天)", "可定价", "没有时")
SOURCE_HEAD = ("名称", "含义", "系统", "依据", "需授权", "每次(元)", "时限(秒)", "可沿用(天)", "断供时")
RUNGS = {"fresh": "实时", "cached": "沿用", "substitute": "替代", "held": "等待"}


def _fact(fact: facts.Fact) -> tuple[str, ...]:
    source = sources.every().get(fact.source)
    return (
        fact.name,
        fact.label,
        FAMILIES[fact.family],
        fact.unit,
        source.label if source else COMPUTED[fact.source],
        facts.LICENCES.get(fact.licence, ""),
        "是" if fact.consent else "",
        "" if fact.fresh_days is None else str(fact.fresh_days),
        "是" if fact.price else "否",
        fact.absence,
    )


def _source(source: sources.Source) -> tuple[str, ...]:
    instead = source.substitute
    ladder = "→".join(RUNGS[rung] for rung in source.ladder)
    if instead:
        ladder += f"（{instead.after_minutes} 分钟后由{sources.every()[instead.source].label}代替，"
        ladder += f"最多批 {instead.cap_fen // 100:,} 元）" if instead.cap_fen else "转人工）"
    return (
        source.name,
        source.label,
        source.system,
        "、".join(facts.LICENCES[licence] for licence in source.licences),
        source.consent,
        f"{source.cost_fen / 100:.2f}",
        f"{source.deadline_seconds:g}" if source.asked else "",
        str(source.cache_days) if source.cache_days else "",
        ladder,
    )


def _table(rows: list[tuple[str, ...]], head: tuple[str, ...]) -> None:
    widths = [max(_width(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        print("  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
