"""What a decision takes in and gives back. Amounts are fen, rates basis points (1 % = 100), integers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from backend.core import errors

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
FORMAT = 1
"""Format of the capsule; a reader of old capsules chooses by it."""
COUNTY = "county"
"""The layer of a county's overlay (N4). What carries no layer is the union's; so are all capsules from before there
were layers, whose bytes stay as they were because an unset field is not written."""


class Outcome(StrEnum):
    APPROVED = "approved"  # 通过
    DECLINED = "declined"  # 未通过
    REFERRED = "referred"  # 转人工


class Stage(StrEnum):
    """What a strategy is for: the five stages of one decision, and five asked at other moments."""

    FRAUD_CHECK = "fraud_check"  # 反欺诈
    ELIGIBILITY = "eligibility"  # 准入
    RATING = "rating"  # 评级
    LIMIT = "limit"  # 定额
    PRICING = "pricing"  # 定价
    MARKETING_GATE = "marketing_gate"  # 营销触达
    PRE_SCREEN = "pre_screen"  # 预筛
    DRAWDOWN_CHECK = "drawdown_check"  # 用信检查
    EARLY_WARNING = "early_warning"  # 贷后预警
    COLLECTION = "collection"  # 催收


STAGES: dict[str, str] = {
    "fraud_check": "反欺诈",
    "eligibility": "准入",
    "rating": "评级",
    "limit": "定额",
    "pricing": "定价",
    "marketing_gate": "营销触达",
    "pre_screen": "预筛",
    "drawdown_check": "用信检查",
    "early_warning": "贷后预警",
    "collection": "催收",
}
"""As people call them."""
DECIDING = (Stage.FRAUD_CHECK, Stage.ELIGIBILITY, Stage.RATING, Stage.LIMIT, Stage.PRICING)
"""The stages of one decision, in the order they run."""
MOMENTS = (
    Stage.MARKETING_GATE,
    Stage.PRE_SCREEN,
    Stage.DRAWDOWN_CHECK,
    Stage.EARLY_WARNING,
    Stage.COLLECTION,
)
"""The stages asked one by one, each at its own moment (`assess.assess`)."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On which rung of its ladder a source stood (N19): fresh, cached or substitute. `cap_fen`: what stood in for it
    is trusted up to this amount only; with 0 a person decides."""

    rung: str
    cap_fen: int | None = None


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one source said, when, and under which consent of the customer.

    `withheld` names optional facts the customer did not agree to have read; they count as the lowest value.
    `facts` is unchecked: the gate alone decides what of it may be used. `standing` is not written where it is not
    set, so capsules of before it keep their bytes.
    """

    observed_at: Moment
    consent_id: str | None = None
    facts: dict[str, Any] = {}
    withheld: list[str] = []
    standing: Standing | msgspec.UnsetType = msgspec.UNSET


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a decision depends on besides the versions.

    `interrupted_at` is the stage before which the deadline struck; kept so that a replay ends there too.
    """

    product: str
    as_of: Moment
    sources: dict[str, SourceFacts]
    interrupted_at: str = ""


class Gap(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A fact that cannot be used. `problem`: missing, mistyped, out_of_range, stale, from_future, no_consent,
    unknown or contradictory."""

    fact: str
    label: str
    source: str
    problem: str


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason, as the customer reads it. `direction` is minus (against) or plus (for)."""

    code: str
    text: str
    direction: str
    severity: str  # decline, refer or note
    advice: str = ""
    stage: str = ""
    layer: str | UnsetType = UNSET


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """One upper limit of the amount; `binding` when it set the amount (A6-03)."""

    name: str
    label: str
    amount_fen: int
    binding: bool = False
    layer: str | UnsetType = UNSET


class PricePart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the rate; discounts are negative (A6-04)."""

    name: str
    label: str
    bp: int
    layer: str | UnsetType = UNSET


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    amount_fen: int
    annual_rate_bp: int
    term_months: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: a row that matched, a score, a refusal of the gate."""

    stage: str
    event: str  # row, score, complete, incomplete, error, interrupted; held and not_taken at moments
    table: str = ""
    row: str = ""
    facts: dict[str, int | bool | str] = {}
    output: dict[str, int | str] = {}
    layer: str | UnsetType = UNSET


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256 of everything that decided: strategies by stage, scorecard, catalogue, and the code.

    `overlays` are the county's documents by stage, `price_band` [low, high] the basis points head office lets a
    county add to its own price; both unset where there is none (N4).
    """

    strategies: dict[str, str]
    scorecard: str
    catalogue: str
    code: str
    overlays: dict[str, str] | UnsetType = UNSET
    price_band: list[int] | UnsetType = UNSET


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Amount, rate and term stand only in an approval; `proposal` is what a reviewer of a referred case sees.

    `completeness_bp` is the share of the needed facts that could be used, 10000 = all.
    """

    outcome: Outcome
    product: str
    amount_fen: int | None
    annual_rate_bp: int | None
    term_months: int | None
    grade: str | None
    score: int | None
    reasons: list[Reason]
    caps: list[Cap]
    price: list[PricePart]
    proposal: Offer | None
    gaps: list[Gap]
    completeness_bp: int
    versions: Versions
    trace: list[Step]


class Capsule(msgspec.Struct, frozen=True, kw_only=True):
    """One file per case: what went in, what came out (N6). Canonical JSON, so equal cases are equal bytes."""

    format: int
    case: Case
    decision: Decision


def canonical(value: object) -> bytes:
    """The one JSON of a value: keys sorted, no spaces, UTF-8."""
    return msgspec.json.encode(value, order="sorted")


class DecisionMissing(errors.NotFound):
    code = "decision_missing"
    message = "没有找到这次的审批结果"


class DecisionForgotten(errors.NotFound):
    """Decided, and the promised time is over: the facts are gone, so nothing can be shown or decided again."""

    code = "decision_forgotten"
    message = "这笔没有办成贷款，审批用过的资料已经按对客户的承诺删除，不能再看，也不能重算"


class AlreadyDecided(errors.Conflict):
    code = "already_decided"
    message = "这一次申请已经有结果了，请看最新进度"


class VersionMissing(errors.NotFound):
    code = "decision_version_missing"
    message = "没有找到当时使用的规则版本"


class CapsuleUnreadable(errors.Invalid):
    code = "capsule_unreadable"
    message = "这个文件不是存证：{why}"


class CapsuleTampered(errors.Invalid):
    """A capsule file whose hashes do not hold; `part` in Chinese."""

    code = "capsule_tampered"
    message = "这份存证被改过，对不上的是：{part}"


class StrategyRefused(errors.Invalid):
    """A strategy or scorecard failed its checks; `findings` has one sentence per place."""

    code = "strategy_refused"
    message = "这一版规则不能使用：{first}"

    def __init__(self, findings: list[str]) -> None:
        self.findings = findings
        super().__init__(first=findings[0] if findings else "")
