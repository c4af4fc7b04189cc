"""策略版本 (A3-33, A3-34, N4): what a version holds, the states of its life, and what may go wrong.

A strategy is (layer, product or '*', stage). Its versions never change; only their standing does. The layer '*' is
head office's floor (省联社), any other institution is one county's overlay, which can only tighten.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from backend.core import ids
from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle
from backend.domains.decision import model as deciding
from backend.domains.decision.model import Case, Stage

UNION = "*"
ALL_PRODUCTS = "*"
MAKERS_UNION = ("head_office_admin", "risk_analyst")
MAKERS_COUNTY = ("county_admin", "risk_analyst")
"""Who may write and, on another person's version, approve (A3-34)."""

STRATEGY = Lifecycle(
    "strategy",
    {
        "draft": "草稿",
        "checked": "检查通过",
        "approved": "已批准，等生效",
        "live": "在用",
        "retired": "已停用",
        "rejected": "未批准",
        "superseded": "已被新草稿代替",
    },
    {
        "draft": ("checked", "superseded"),
        "checked": ("approved", "rejected", "superseded"),
        "approved": ("live", "rejected"),
        "live": ("retired",),
        "retired": ("live",),  # 退回旧版本: one act, on the approval it once had
    },
)

STAGES = deciding.STAGES
INSIDE = "~"
"""Between a version and its sub-flows in an address; no node's id has it."""
Document = dict[str, Any]
"""A JDM graph: `nodes` and `edges` (see the decision domain's README)."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of the union's document a county may set for itself, between `low` and `high`.

    `table`, `row` and `column` are ids in the document; the column is an input column whose cell is one comparison
    with a number, or the amount of a cap. `tighter` says in which direction it gets tighter; it is checked.
    """

    id: str
    label: str
    table: str
    row: str
    column: str
    low: int
    high: int
    tighter: Literal["lower", "higher"]


class Openings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What head office lets a county do at a stage (N4).

    `places`: ids of tables to which a county may add rows. `price_band`: basis points a county may add to the
    price of head office, lowest and highest; pricing only.
    """

    parameters: tuple[Parameter, ...] = ()
    places: tuple[str, ...] = ()
    price_band: tuple[int, int] | None = None


class UnionContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    document: Document
    openings: Openings = Openings()


class CountyContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a county sets: parameter id → value, and table id → rows (column id → cell, `_id` the row's own)."""

    parameters: dict[str, int] = {}
    rows: dict[str, list[dict[str, str]]] = {}


Content = UnionContent | CountyContent


def label(stage: str, number: int) -> str:
    """`准入 第 3 版`."""
    return f"{STAGES.get(stage, stage)} 第 {number} 版"


class Used(msgspec.Struct, frozen=True):
    """A version that decided a case, as people name it."""

    union: bool
    id: str
    stage: str
    number: int

    @property
    def label(self) -> str:
        return f"{'省联社' if self.union else '本行'} 第 {self.number} 版"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """`content_hash` is over the canonical content; `document_hash` names what runs: the union's document, or the
    county's as composed from its content. `within`: the version seen as one of its sub-flows, whose document alone is
    the `content` then; (node, name) of each on the way, from the outside in (`inside.opened`)."""

    institution_id: str
    id: str
    product_code: str
    stage: Stage
    number: int
    status: str
    content: Content
    content_hash: str
    document_hash: str
    base_id: str | None
    maker: str
    authors: list[str]
    checker: str | None
    reason: str
    note: str
    made_at: datetime
    submitted_at: datetime | None
    effective_from: datetime | None
    effective_until: datetime | None
    within: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The id, and the nodes of the sub-flows behind it: `ID~flow-1`."""
        return INSIDE.join((self.id, *(node for node, _ in self.within)))

    @property
    def layer(self) -> Literal["union", "county"]:
        return "union" if self.institution_id == UNION else "county"

    @property
    def label(self) -> str:
        """`准入 第 3 版`, `准入 第 3 版 › 外地客户` of a sub-flow."""
        return " › ".join((label(self.stage, self.number), *(name for _, name in self.within)))

    @property
    def status_label(self) -> str:
        return STRATEGY.labels[self.status]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a version's life. `who` is `staff:ID` or `system:NAME`."""

    from_status: str | None
    to_status: str
    who: str
    why: str
    at: datetime


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that keeps a version from being approved; `node`, `row`, `column` mark the cell where known.

    `kind`: document (lint), opening, overlay, scenario, fairness, looser.
    """

    kind: str
    place: str
    sentence: str
    severity: str = "error"
    node: str = ""
    row: str = ""
    column: str = ""

    @property
    def blocks(self) -> bool:
        return self.severity == "error"

    @property
    def told(self) -> str:
        """The sentence; of one that keeps nothing from being approved, with that said."""
        return self.sentence if self.blocks else f"提醒：{self.sentence}"


class ScenarioResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a scenario; `wrong` holds one sentence per expectation that was not met."""

    id: str
    name: str
    outcome: str
    reasons: list[str]
    amount_fen: int | None
    annual_rate_bp: int | None
    wrong: list[str]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run of the checks said."""

    findings: list[Finding]
    scenarios: list[ScenarioResult]

    @property
    def failures(self) -> int:
        wrong = sum(bool(each.wrong) for each in self.scenarios)
        return wrong + sum(each.blocks for each in self.findings)


class CheckRun(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    version_id: str
    content_hash: str
    failures: int
    report: Report
    run_by: str
    run_at: datetime


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must come of a scenario. `codes` must all be among the reasons; amounts fen and rates basis points, both
    ends inclusive, None: not looked at. `outcome` is one of the stage's own (`judging.outcomes`); `channel` is of
    collection's plan."""

    outcome: str
    codes: tuple[str, ...] = ()
    grade: str | None = None
    amount_min_fen: int | None = None
    amount_max_fen: int | None = None
    rate_min_bp: int | None = None
    rate_max_bp: int | None = None
    channel: str | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """场景: a case and what must come of it. `stage` '' for a whole decision, else the moment it is asked at."""

    id: str
    product_code: str
    stage: str
    name: str
    case: Case
    expected: Expected
    made_by: str
    made_at: datetime
    stop_asked_by: str | None = None
    stop_why: str | None = None
    retired_by: str | None = None
    retired_at: datetime | None = None


class Side(msgspec.Struct, kw_only=True):
    """Sums over cases on one side of a trial: before or after. Amounts in fen, rates in basis points; `*_mark` of a
    number each case has, by which the same people are known as the same."""

    approved: int = 0
    referred: int = 0
    declined: int = 0
    amount_fen: int = 0
    rate_bp_sum: int = 0
    approved_mark: int = 0
    referred_mark: int = 0
    declined_mark: int = 0

    def share_bp(self, outcome: str) -> int:
        """Share of an outcome, 10000 = all; 0 without cases."""
        total = self.approved + self.referred + self.declined
        return int(getattr(self, outcome)) * 10_000 // total if total else 0

    @property
    def average_fen(self) -> int:
        return self.amount_fen // self.approved if self.approved else 0

    @property
    def average_rate_bp(self) -> int:
        return self.rate_bp_sum // self.approved if self.approved else 0


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One past decision whose answer would be another."""

    decision_id: str
    before: str
    after: str
    amount_before_fen: int | None
    amount_after_fen: int | None
    codes: list[str]


class EffectFigures(msgspec.Struct, kw_only=True):
    """`before` and `after` of decisions; `said_before` and `said_after` cases by answer at a moment outside them, and
    `other_ways` plans of collection with another channel or pace under the same answer. `swaps`: 'before>after' outcome
    → cases, changed ones only. `looser`: cases looser than head office, which must be none for a county. `examples`:
    some of the changed ones. `skipped`: capsules this code cannot evaluate. `resume_before` and `counted`: where the
    next step goes on, and how many are done, by institution; `newest` the id it began at."""

    before: Side = msgspec.field(default_factory=Side)
    after: Side = msgspec.field(default_factory=Side)
    said_before: dict[str, int] = {}
    said_after: dict[str, int] = {}
    other_ways: int = 0
    swaps: dict[str, int] = {}
    lower_amounts: int = 0
    higher_amounts: int = 0
    looser: int = 0
    skipped: int = 0
    examples: list[Moved] = []
    resume_before: dict[str, str] = {}
    counted: dict[str, int] = {}
    newest: dict[str, str] = {}

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """When the oldest and the newest of the cases was asked; None where there was none, or of an older trial."""
        if not self.newest:
            return None
        return ids.made_at(min(self.resume_before.values())), ids.made_at(max(self.newest.values()))


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """影响: a version tried on past decisions; `finished_at` None while it runs."""

    institution_id: str
    id: str
    version_id: str
    content_hash: str
    cases_total: int
    cases_done: int
    figures: EffectFigures
    asked_by: str
    started_at: datetime
    finished_at: datetime | None


class StrategyMissing(NotFound):
    code = "strategy_missing"
    message = "没有找到这一版策略"


class NotYourStrategy(NotPermitted):
    code = "not_your_strategy"
    message = "您的岗位不能办这件事：省联社的策略由省联社管理员或风险分析员办，县行的由本行的办"


class SecondPerson(NotPermitted):
    code = "second_person"
    message = "这一版里有您写的内容，要由另一个人审批"


class BackBySecond(NotPermitted):
    code = "strategy_back_by_second"
    message = "要退回的那一版里有您写的内容，退回可能放宽，要由另一个人来退"


class Overtaken(Conflict):
    code = "strategy_overtaken"
    message = (
        "起草以后，在用的版本换过了，批准会把后来的改动盖掉。"
        "请起草的人在这一版的页面上点“把这份草稿的改动搬过去”，再检查、提交"
    )


class DraftOpen(Conflict):
    code = "strategy_draft_open"
    message = "这条策略已经有一份没办完的草稿，请接着那一份改"


class StrategyMoved(Conflict):
    code = "strategy_moved"
    message = "这一版现在是“{label}”，刚才有人办过了，请刷新再看"


class NotPassed(Conflict):
    """`report` says what is wrong; the version stays where it was."""

    code = "strategy_not_passed"
    message = "检查没有通过，有 {count} 处要改：{first}"

    def __init__(self, report: Report) -> None:
        self.report = report
        said = [f"{each.place}：{each.sentence}" for each in report.findings if each.blocks]
        said += [f"场景“{each.name}”：{each.wrong[0]}" for each in report.scenarios if each.wrong]
        super().__init__(count=report.failures, first=said[0] if said else "")


class NotMeasured(Conflict):
    code = "strategy_not_measured"
    message = "还没有算完对以往业务的影响，算完才能审批"


class NotSubmitted(Conflict):
    code = "strategy_not_submitted"
    message = "这一版还没有提交审批"


class NotDue(Conflict):
    code = "strategy_not_due"
    message = "还没有到生效的时间：{when}"


class ContentInvalid(Invalid):
    """The content cannot even be stored; `findings` has one sentence per place."""

    code = "strategy_content_invalid"
    message = "这一版还不能保存：{first}"

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__(first=f"{findings[0].place}：{findings[0].sentence}" if findings else "")


class ReasonMissing(Invalid):
    code = "strategy_reason_missing"
    message = "请写一句理由，审批和以后查看的人要看"


class MustNotEnd(Conflict):
    code = "strategy_must_not_end"
    message = "所有产品都靠这一版，不能停用，也不能定结束时间；请换上新的一版，或退回旧的一版"


class EndsTooSoon(Invalid):
    code = "strategy_ends_too_soon"
    message = "结束时间要在生效时间以后"


class NothingToRollBack(Conflict):
    code = "strategy_nothing_to_roll_back"
    message = "这条策略没有可以退回的旧版本"


class EffectMissing(NotFound):
    code = "strategy_effect_missing"
    message = "没有找到这次影响测算"


class OwnScenarioStop(NotPermitted):
    code = "own_scenario_stop"
    message = "停用场景要另一个人同意：提出来的人自己不能同意"


class ScenarioMissing(NotFound):
    code = "scenario_missing"
    message = "没有找到这个场景"


class ScenarioNameTaken(Conflict):
    code = "scenario_name_taken"
    message = "已经有一个同名的场景，换个名字"
