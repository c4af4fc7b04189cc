"""A case before a person (人工审查): referred by the rules, or asked for by the customer (D3-03)."""

from datetime import datetime
from decimal import Decimal

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle

REVIEW = Lifecycle(
    "review",
    {"open": "待审查", "answered": "已答复", "closed": "已随申请关闭"},
    {"open": ("answered", "closed")},
)

GROUNDS: dict[str, str] = {
    "wrong_data": "资料里有不对的地方",
    "things_changed": "情况已经有变化",
    "not_explained": "理由没看懂，想让人解释",
    "not_by_machine": "不愿意只由系统决定",
    "other": "其他",
}
"""What a customer may say is wrong; codes are stored, labels shown."""

OUTCOMES = {
    "approved": "同意",
    "declined": "不同意",
    "upheld": "维持原结果",
    "granted": "复核通过",
    "anew": "用现在的资料重新审批",
}


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in fen. `outcome`, `reason` and the terms are set once it is answered."""

    id: str
    application_id: str
    kind: str
    ground: str
    said: str
    asked_by: str
    status: str
    outcome: str | None
    amount_fen: int | None
    annual_rate: Decimal | None
    term_months: int | None
    reason: str | None
    answered_by: str | None
    new_application_id: str | None
    opened_at: datetime
    due_at: datetime
    answered_at: datetime | None


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """退回核实: a reviewer's question to the officer of the case; `answer` is empty while it is open."""

    id: str
    review_id: str
    officer_id: str
    asked: str
    asked_by: str
    asked_at: datetime
    answer: str
    answered_at: datetime | None


class Owed(msgspec.Struct, frozen=True):
    """An open question as the officer's list shows it; `due_at` is the review's."""

    inquiry: Inquiry
    application_id: str
    due_at: datetime


class ReviewMissing(NotFound):
    code = "review_missing"
    message = "没有找到这件审查"


class ReviewAlreadyAsked(Conflict):
    code = "review_already_asked"
    message = "您已经申请过人工复核，{due} 前答复您"


class NothingToReview(Conflict):
    code = "nothing_to_review"
    message = "这笔申请现在不需要人工复核"


class ReviewAnswered(Conflict):
    code = "review_answered"
    message = "这件审查已经由别人答复了，请看最新结果"


class NotYourReview(NotPermitted):
    """Maker and checker are two people."""

    code = "not_your_review"
    message = "您营销或经办过这笔业务，或者就是客户本人，要由另一位审查人来看"


class FactsInTime(Conflict):
    code = "facts_in_time"
    message = "这笔的资料还在期限里，可以直接答复，不用重新审批"


class GroundMissing(Invalid):
    code = "ground_missing"
    message = "请选一项您觉得不对的地方"


class VerdictInvalid(Invalid):
    code = "verdict_invalid"
    message = "审查意见填得不完整"


class InquiryMissing(NotFound):
    code = "inquiry_missing"
    message = "没有找到这件核实"


class InquiryOpen(Conflict):
    code = "inquiry_open"
    message = "已经退回给客户经理核实了，等他答复"


class NobodyToAsk(Conflict):
    code = "nobody_to_ask"
    message = "这笔业务没有在岗的客户经理，不能退回核实。请县行管理员先交接"


class WordsMissing(Invalid):
    code = "words_missing"
    message = "要写几个字，别人才知道怎么办"


RECHECK = Lifecycle(
    "recheck",
    {"open": "待抽查", "agreed": "看过，没有问题", "disagreed": "看过，有问题", "settled": "问题已处理"},
    {"open": ("agreed", "disagreed"), "disagreed": ("settled",)},
)
RECHECK_TRIGGERS = {
    "sample": "随机抽到",
    "near_cap": "额度接近上限",
    "brown_out": "有资料是临时替代的",
    "challenger": "另一个模型不同意",
}
"""Why an automatic approval is looked at again (D2-07)."""


class Recheck(msgspec.Struct, frozen=True, kw_only=True):
    """`why` and `done` are empty until somebody wrote them."""

    id: str
    application_id: str
    decision_id: str
    triggers: tuple[str, ...]
    status: str
    due_at: datetime
    opened_at: datetime
    why: str
    found_by: str | None
    found_at: datetime | None
    done: str
    done_by: str | None
    done_at: datetime | None


class RecheckMissing(NotFound):
    code = "recheck_missing"
    message = "没有找到这件抽查"


class RecheckAnswered(Conflict):
    code = "recheck_answered"
    message = "这件抽查已经由别人办了，请看最新结果"


class RecheckYours(NotPermitted):
    """Who brought a case in does not check it, who found it wrong does not settle it."""

    code = "recheck_yours"
    message = "您经办过这笔业务，或者就是客户本人，或者问题就是您提出的，要由另一个人来办"


class FindingInvalid(Invalid):
    code = "finding_invalid"
    message = "抽查意见填得不完整"


EXCEEDING = Lifecycle(
    "exceeding",
    {
        "proposed": "等另一位审查人看",
        "confirmed": "另一位审查人同意",
        "refused": "另一位审查人不同意",
        "taken_back": "自己撤回",
    },
    {"proposed": ("confirmed", "refused", "taken_back")},
)


class Exceeded(msgspec.Struct, frozen=True):
    """A cap of the decision that a person's wish is above."""

    cap: str
    label: str
    amount_fen: int


NO_LIMIT = Exceeded("no_limit", "系统没有算出额度", 0)
"""Any amount is above a limit that was never come to: what is not known carries nothing by one person's word."""


class Exceeding(msgspec.Struct, frozen=True, kw_only=True):
    """超上限: what a reviewer wishes to grant above the caps of the decision; nothing of it stands until another
    reviewer confirms. `why` is for the bank, `reason` for the customer; `found` is what the other wrote."""

    id: str
    review_id: str
    status: str
    outcome: str
    amount_fen: int
    annual_rate: Decimal
    term_months: int
    reason: str
    exceeded: tuple[Exceeded, ...]
    why: str
    maker: str
    proposed_at: datetime
    checker: str | None
    found: str
    checked_at: datetime | None


class ExceedingWaits(Conflict):
    code = "exceeding_waits"
    message = "这件审查的意见超过上限，正等另一位审查人看"


class ExceedingEnded(Conflict):
    code = "exceeding_ended"
    message = "这条意见已经有人看过了，请看最新结果"


class ExceedingYours(NotPermitted):
    """Maker and checker are two people."""

    code = "exceeding_yours"
    message = "这条意见是您提出的，要由另一位审查人来看"


class ExceedingNotYours(NotPermitted):
    code = "exceeding_not_yours"
    message = "只有提出的人能撤回自己的意见"
