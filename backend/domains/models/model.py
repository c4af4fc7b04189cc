"""A model in the register (模型登记), its types and its way from draft to retired (D1-04, D1-05)."""

from datetime import date, datetime
from typing import Any, Literal

import msgspec

from backend.core import errors
from backend.core.lifecycle import Lifecycle

TYPES: dict[str, str] = {
    "identity": "身份认证",
    "anti_fraud": "反欺诈",
    "aml": "反洗钱",
    "compliance": "合规",
    "risk_evaluation": "风险评价",
    "pricing": "风险定价",
    "approval": "授信审批",
    "early_warning": "风险预警",
    "recovery": "贷款清收",
}
"""D1-04: 办法's kinds of risk model."""

ALL_FAMILIES = "*"

MODEL = Lifecycle(
    "model",
    {
        "draft": "草稿",
        "tested": "已测试",
        "reviewed": "已独立评审",
        "approved": "已批准",
        "shadow": "影子运行",
        "live": "已启用",
        "watch": "观察",
        "retired": "已退出",
    },
    {
        "draft": ("tested", "retired"),
        "tested": ("reviewed", "draft", "retired"),
        "reviewed": ("approved", "draft", "retired"),
        "approved": ("shadow", "retired"),
        "shadow": ("live", "retired"),
        "live": ("watch", "retired"),
        "watch": ("live", "retired"),
    },
)

ALARM = Lifecycle("model_alarm", {"open": "待处理", "acknowledged": "已处理"}, {"open": ("acknowledged",)})

PROPOSAL = Lifecycle(
    "line_up_proposal",
    {"proposed": "等另一个人同意", "agreed": "已同意", "refused": "没有同意", "withdrawn": "已撤回"},
    {"proposed": ("agreed", "refused", "withdrawn")},
)

MEASURES: dict[str, str] = {
    "psi": "总分偏移（PSI）",
    "csi": "数据项偏移（CSI）",
    "ks": "区分度（KS）",
    "approval": "通过率",
    "override": "人工改判率",
    "fairness": "公平比值",
}


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """`data_list`: what it reads, `{"name", "label", "source"}`; `artefact` its SHA-256."""

    id: str
    name: str
    type: str
    family: str
    purpose: str
    owner: str
    data_list: list[dict[str, str]]
    artefact: str
    decides: bool
    external: bool
    status: str
    report: dict[str, Any] | None
    made_by: str
    made_at: datetime
    tested_by: str | None
    reviewed_by: str | None
    approved_by: str | None


class Nameable(msgspec.Struct, frozen=True, kw_only=True):
    """A scorecard or model that a flow may name by its hash. `low` and `high`: the lowest and highest score it can
    give; `inputs` the facts it reads; `status` as in `MODEL`, '' for the card of the release."""

    artefact: str
    label: str
    kind: Literal["scorecard", "model"]
    low: int
    high: int
    inputs: tuple[str, ...]
    status: str


class Event(msgspec.Struct, frozen=True):
    seq: int
    from_status: str | None
    to_status: str
    who: str
    why: str
    at: datetime


class Drawn(msgspec.Struct, frozen=True):
    """A validation report as files: one HTML page that needs nothing else, and a PDF."""

    html: str
    pdf: bytes


class LineUp(msgspec.Struct, frozen=True):
    """Who decides for a family; ids of models, and the challenger's share in bp."""

    seq: int
    family: str
    champion: str | None
    challenger: str | None
    share_bp: int
    why: str
    who: str
    at: datetime


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for a line-up; it counts once another person agrees."""

    id: str
    family: str
    champion: str | None
    challenger: str | None
    share_bp: int
    why: str
    maker: str
    made_at: datetime
    status: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one day. `level` as in `drift.LEVELS`."""

    model_hash: str
    measure: str
    subject: str
    value: float | None
    level: str
    cases: int
    details: dict[str, Any]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    institution_id: str
    id: str
    model_hash: str
    measure: str
    subject: str
    level: str
    value: float | None
    owner: str
    status: str
    raised_on: date
    seen_on: date
    acknowledged_by: str | None
    note: str | None
    false_alarm: bool | None
    acknowledged_at: datetime | None


class ModelMissing(errors.NotFound):
    code = "model_missing"
    message = "没有找到这个模型"


class AlarmMissing(errors.NotFound):
    code = "model_alarm_missing"
    message = "没有找到这条监测提醒"


class ModelUnfit(errors.Invalid):
    code = "model_unfit"
    message = "这个模型不能登记：{why}"


class ReportUnfit(errors.Invalid):
    code = "model_report_unfit"
    message = "这份验证报告不能用：{why}"


class ReportMissing(errors.NotFound):
    code = "model_report_missing"
    message = "没有这份验证报告的文件"


class WhyMissing(errors.Invalid):
    code = "model_why_missing"
    message = "要写明为什么这样做"


class ModelMoved(errors.Conflict):
    code = "model_moved"
    message = "这个模型刚才被别人动过，请看最新状态"


class NotYourModel(errors.NotPermitted):
    """Who made, tested or owns a model does not review it; who did any of that or reviewed it does not approve."""

    code = "not_your_model"
    message = "您做过、测过、评审过或者负责这个模型，要由另一个人来办"


class NotYourJob(errors.NotPermitted):
    code = "not_your_model_job"
    message = "这一步要由省联社的{who}来办"


class NotYourAlarm(errors.NotPermitted):
    code = "not_your_model_alarm"
    message = "这条提醒要由风险分析员或管理员来处理"


class StillDeciding(errors.Conflict):
    code = "model_still_deciding"
    message = "这个模型还在给“{family}”做审批，先换上别的模型再退出"


class ChampionGone(errors.Invalid):
    """A line-up whose champion is not in use; SQL lets none begin, nor a champion retire."""

    code = "model_champion_gone"
    message = "这类产品的主模型不在用，由人来审"


class StillNamed(errors.Conflict):
    code = "model_still_named"
    message = (
        "这个模型在“{strategy}”里点名用着（在用、在审批、在试，或者还有没批完的申请按它办），先换掉再退出"
    )


class ProposalMissing(errors.NotFound):
    code = "line_up_proposal_missing"
    message = "没有找到这份换模型的提议"


class ProposalWaits(errors.Conflict):
    code = "line_up_proposal_waits"
    message = "这类产品已经有一份提议在等人同意，先把它办完"


class NotYourProposal(errors.NotPermitted):
    code = "line_up_proposal_of_another"
    message = "这份提议是别人提的，只有提的人能撤回"


class ProposalAnswered(errors.Conflict):
    code = "line_up_proposal_answered"
    message = "这份提议刚才已经有人办了，请看最新的安排"


class BatchUnwatched(errors.Invalid):
    code = "model_batch_unwatched"
    message = "这个模型还没有登记，或者还没有验证报告，没法和训练时比；先在模型登记簿里登记、交测试结果"


class OwnProposal(errors.NotPermitted):
    code = "own_line_up_proposal"
    message = "这是您自己提的，要由另一个人来同意"


class NothingBefore(errors.Conflict):
    code = "line_up_nothing_before"
    message = "退不回去：之前没有别的安排，之前的模型已经退出，或者那次的安排是您自己提的"


class ShareUnfit(errors.Invalid):
    code = "line_up_share_unfit"
    message = "{why}"


class CannotDecide(errors.Conflict):
    code = "model_cannot_decide"
    message = "只有已启用、能用于审批、并且为这类产品登记的模型可以做它的审批"
