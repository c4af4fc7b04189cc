"""A trial's figures for people and for pages: rows, and one self-contained HTML file with drawn bars."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from backend.core import clock
from backend.domains.decision import facts
from backend.domains.trials import warnings
from backend.domains.trials.model import GROUPINGS, LGD_BP, MARKS, RUN, SIDES, SUMS, Alarms, Measured, Run

TEMPLATES = Path(__file__).parents[3] / "templates"
PAGE = "documents/trial_report.html"
WARNING_PAGE = "documents/warning_trial_report.html"
MOST_MEMBERS = 30
ROUNDED = (
    "这是真实客户的数字：人数按 {fewest} 取整，不到 {fewest} 的不显示（没有也算），额度和利率按人数多少取整；"
    "同样的人每次取整都一样"
)
"""Said beside the figures of a trial on real customers."""
_ACTIONS = {"none": "不预警", "watch": "关注", "call": "电话", "visit": "上门", "freeze": "冻结额度"}
_EDUCATION = {"primary": "小学", "middle": "初中", "high": "高中", "college": "大专", "university": "本科"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One group as a table or chart shows it: both sides and what changes. Base fields None without a base."""

    grouping: str
    member: str
    label: str
    cases: int
    draft: Measured
    base: Measured | None
    swap_in: int
    swap_out: int

    @property
    def change_bp(self) -> int | None:
        """Approval rate of the draft less that of the base."""
        mine, other = self.draft.approval_bp, None if self.base is None else self.base.approval_bp
        return None if mine is None or other is None else mine - other


def rows(measured: list[Measured], grouping: str) -> list[Row]:
    """The groups of one grouping, the largest first."""
    fewest = max((each.fewest for each in measured), default=0)
    by: dict[str, dict[str, Measured]] = {}
    for each in measured:
        if each.grouping == grouping:
            by.setdefault(each.member, {})[each.side] = each
    found = [
        Row(
            grouping=grouping,
            member=member,
            label=label(grouping, member),
            cases=max(side.cases for side in sides.values()),
            draft=sides.get("draft") or nothing(grouping, member, "draft", fewest),
            base=sides.get("base")
            or (nothing(grouping, member, "base", fewest) if _has_base(measured) else None),
            swap_in=sides["swap_in"].cases if "swap_in" in sides else 0,
            swap_out=sides["swap_out"].cases if "swap_out" in sides else 0,
        )
        for member, sides in by.items()
    ]
    return sorted(found, key=lambda row: (-row.cases, row.member))


def in_words(found: list[Row], words: Mapping[str, str]) -> list[Row]:
    """Reasons as sentences."""
    return [msgspec.structs.replace(row, label=words.get(row.member, row.member)) for row in found]


WarningRow = tuple[str, Alarms, Alarms | None]
"""(label, draft, base)."""


def warning_rows(measured: list[Measured], grouping: str) -> list[WarningRow]:
    """Of a trial of early warning, the largest group first."""
    by: dict[str, dict[str, Measured]] = {}
    for each in measured:
        if each.grouping == grouping:
            by.setdefault(each.member, {})[each.side] = each
    ordered = sorted(by.items(), key=lambda item: (-max(m.cases for m in item[1].values()), item[0]))
    return [
        (
            label(grouping, member),
            warnings.alarms(sides.get("draft") or nothing(grouping, member, "draft")),
            warnings.alarms(sides["base"]) if "base" in sides else None,
        )
        for member, sides in ordered
    ]


def _has_base(measured: list[Measured]) -> bool:
    return any(each.side == "base" for each in measured)


def nothing(grouping: str, member: str, side: str, fewest: int = 0) -> Measured:
    return Measured(grouping=grouping, member=member, side=side, fewest=fewest, **dict.fromkeys(SUMS, 0))


def label(grouping: str, member: str) -> str:
    occupation = facts.catalogue()["occupation"]
    words = {
        "occupation": dict(zip(occupation.members, occupation.labels, strict=True)),
        "education": _EDUCATION,
        "all": {"": "全部"},
        "action": _ACTIONS,
    }.get(grouping, {})
    return words.get(member, member)


def people(count: int, fewest: int) -> str:
    """A count of customers; of real ones too few are not told from none."""
    return f"不到 {fewest}" if fewest and not count else f"{count:,}"


_COUNTS = ("cases", "approved", "referred", "declined", "matured", "bad")


def _plain(each: Measured) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.to_builtins(each).items() if name not in MARKS}
    return {
        name: None if each.fewest and name in _COUNTS and not value else value for name, value in told.items()
    }


def as_json(run: Run, measured: list[Measured]) -> dict[str, Any]:
    """What `--json` prints: the run, whether it is partial, all figures with the derived ones. `fewest` not 0: rounded
    so, and a count of null is one of fewer."""
    return {
        "run": {**msgspec.to_builtins(run), "partial": run.partial},
        "lgd_bp": LGD_BP,
        "results": [
            {
                **_plain(each),
                "approval_bp": each.approval_bp,
                "mean_amount_fen": each.mean_amount_fen,
                "mean_rate_bp": each.mean_rate_bp,
                "loss_bp": each.loss_bp,
                "bad_bp": each.bad_bp,
            }
            for each in measured
        ],
    }


def html(run: Run, measured: list[Measured], now: datetime, words: Mapping[str, str]) -> str:
    """One file that needs nothing else; large groupings show their 30 largest members. `words`: of reason codes."""
    if run.stage:
        return _warning_html(run, measured, now)
    sections = [
        (GROUPINGS[name], found[:MOST_MEMBERS], len(found))
        for name in GROUPINGS
        if name not in ("all", "reason") and (found := rows(measured, name))
    ]
    everything, fewest = rows(measured, "all"), max((each.fewest for each in measured), default=0)
    swaps = {each.side: each for each in measured if each.grouping == "all" and each.side.startswith("swap")}
    if fewest and _has_base(measured):
        swaps = {
            side: swaps.get(side) or nothing("all", "", side, fewest) for side in ("swap_in", "swap_out")
        }
    template = _templates().get_template(PAGE)
    return template.render(
        what="回测报告",
        unit="个案例",
        run=run,
        status=RUN.labels[run.status],
        total=everything[0] if everything else None,
        swaps=swaps,
        sides=SIDES,
        sections=sections,
        reasons=in_words(rows(measured, "reason")[:15], words),
        lgd=LGD_BP // 100,
        fewest=fewest,
        rounded=ROUNDED.format(fewest=fewest) if fewest else "",
        made_at=f"{clock.local(now):%Y-%m-%d %H:%M}",
    )


def _warning_html(run: Run, measured: list[Measured], now: datetime) -> str:
    groups = ("all", "occupation", "sex", "education", "town", "village")
    actions: dict[str, dict[str, Measured]] = {}
    for each in measured:
        if each.grouping == "action":
            actions.setdefault(each.side, {})[label("action", each.member)] = each
    return (
        _templates()
        .get_template(WARNING_PAGE)
        .render(
            what="贷后预警回测",
            unit="户",
            run=run,
            status=RUN.labels[run.status],
            sides=SIDES,
            actions=actions,
            sections=[
                (GROUPINGS[name], found[:MOST_MEMBERS], len(found))
                for name in groups
                if (found := warning_rows(measured, name))
            ],
            made_at=f"{clock.local(now):%Y-%m-%d %H:%M}",
        )
    )


def _yuan(fen: int) -> str:
    return f"{fen / 100:,.0f}"


def _share(bp: int | None) -> str:
    return "—" if bp is None else f"{bp / 100:.2f}%"


def _signed(bp: int | None) -> str:
    return "—" if bp is None else f"{bp / 100:+.2f}"


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    made.filters.update(yuan=_yuan, share=_share, signed=_signed, people=people)
    return made
