"""Drawdown checks (用款核查) and early warnings (贷后预警)."""

from datetime import date, datetime

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle

CHECK = Lifecycle(
    "drawdown_check",
    {
        "allowed": "可以用款",
        "held": "等人核实",
        "refused": "不能用款",
        "released": "核实后放行",
        "rejected": "核实后不同意",
        "used": "已用款",
        "passed": "放行后已再问",
    },
    {"allowed": ("used",), "held": ("released", "rejected"), "released": ("passed",)},
)
WARNING = Lifecycle(
    "warning",
    {"open": "待处理", "standing": "处理过，措施保留", "cleared": "已解除"},
    {"open": ("standing", "cleared"), "standing": ("open", "cleared")},
)
ACTIONS = {"watch": "关注", "call": "电话核实", "visit": "上门核实", "freeze": "停止用款"}
"""From mild to strict; the codes are those of the strategy's stage."""
OBSERVED = {
    "misuse_suspected": "用途可能和约定不一样",
    "misuse_confirmed": "用途确实和约定不一样",
    "contact_lost": "联系不上本人",
}
NO_WARNING = "none"


class DrawdownCheck(msgspec.Struct, frozen=True, kw_only=True):
    """`payee` is the keyed hash of the account the money goes on to, None where it stays. `said` is what the customer
    reads; `found` what a person found who looked at a held one."""

    id: str
    application_id: str
    customer_id: str
    request_no: str
    amount_fen: int
    payee: bytes | None
    status: str
    reason_codes: tuple[str, ...]
    said: str
    assessment_id: str
    release_id: str | None
    valid_until: datetime | None
    loan_no: str | None
    asked_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    found: str

    @property
    def label(self) -> str:
        return CHECK.labels[self.status]


class Warning(msgspec.Struct, frozen=True, kw_only=True):
    """One that stands for a line. `said` are its signals in words, `done` what was done and found, `observed` what the
    person saw besides (`OBSERVED`), which later nights hear of."""

    id: str
    application_id: str
    customer_id: str
    owner_id: str | None
    action: str
    status: str
    codes: tuple[str, ...]
    said: str
    assessment_id: str
    raised_on: date
    last_on: date
    due_on: date
    answered_by: str | None
    answered_at: datetime | None
    false_alarm: bool | None
    observed: str | None
    done: str

    @property
    def label(self) -> str:
        return WARNING.labels[self.status]

    @property
    def action_label(self) -> str:
        return ACTIONS[self.action]


COLLECTION = Lifecycle("collection_case", {"open": "催收中", "closed": "已还上"}, {"open": ("closed",)})
SEGMENTS = {
    "forgetful": "忘了还",
    "willing": "愿意还",
    "hardship": "有困难",
    "unwilling": "不愿还",
    "lost": "失联",
}
"""What officers say of a debtor; codes are the catalogue's."""
CHANNELS = {
    "call": "打电话",
    "visit": "上门",
    "letter": "书面催告",
    "sms": "短信",
    "app": "手机银行里提醒",
    "none": "不联系",
}


CHALLENGE = Lifecycle(
    "collection_challenge",
    {"proposed": "等另一个人同意", "running": "正在试", "ended": "已结束", "refused": "没有同意"},
    {"proposed": ("running", "refused"), "running": ("ended",)},
)


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """A collection strategy tried beside the live one: a version of the union's, and the share of debtors it gets."""

    id: str
    product_code: str
    version_id: str
    authors: tuple[str, ...]
    document_hash: str
    champion_hash: str | None
    share_bp: int
    why: str
    maker: str
    made_at: datetime
    status: str
    checker: str | None
    answer: str | None
    answered_at: datetime | None
    ended_by: str | None
    ended_why: str | None
    ended_at: datetime | None

    @property
    def label(self) -> str:
        return CHALLENGE.labels[self.status]


class CollectionCase(msgspec.Struct, frozen=True, kw_only=True):
    """`balance_fen` is the overdue principal, `said` the plan in words, `next_on` the first day of the next contact.
    `arm` is its side (champion, challenger) of the challenge that ran when it was opened."""

    id: str
    application_id: str
    customer_id: str
    owner_id: str | None
    status: str
    days_past_due: int
    balance_fen: int
    segment: str
    promise_on: date | None
    disputed: bool
    do_not_contact: bool
    action: str
    channel: str
    said: str
    assessment_id: str
    next_on: date
    opened_on: date
    closed_on: date | None
    challenge_id: str | None
    arm: str | None

    @property
    def label(self) -> str:
        return COLLECTION.labels[self.status]

    @property
    def channel_label(self) -> str:
        return CHANNELS[self.channel]


HELD = {
    "quiet_hours": "这个钟点不得联系",
    "calls_used_up": "今天的通话次数已经用完",
    "messages_used_up": "今天已经提醒过",
    "do_not_contact": "本人要求不再联系",
    "disputed": "客户有异议还没核实",
    "not_known": "资料不全",
    "not_by_officer": "现在不用客户经理联系",
    "not_by_notice": "现在不用发提醒",
    "not_yet": "还没到下次联系的日子",
}
"""Why a contact was held back: the guard's codes (`decision/conduct.py`), and ours."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One contact that was let happen, or what held it back. `notice_key`: a reminder's, by which it was told."""

    channel: str
    held: tuple[str, ...]
    by_whom: str
    notice_key: str | None
    at: datetime

    @property
    def label(self) -> str:
        return CHANNELS[self.channel]

    @property
    def why_held(self) -> str:
        return "；".join(HELD.get(code, code) for code in self.held)


class ContactNote(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one contact."""

    note: str
    segment: str
    promise_on: date | None
    at: datetime


class CollectionMissing(NotFound):
    code = "collection_missing"
    message = "没有找到这个催收案件"


class ChallengeMissing(NotFound):
    code = "collection_challenge_missing"
    message = "没有找到这次催收策略试用"


class ChallengeWaits(Conflict):
    code = "collection_challenge_waits"
    message = "这类产品已经有一次试用在等同意或正在试，先结束它"


class ChallengeAnswered(Conflict):
    code = "collection_challenge_answered"
    message = "这次试用刚有人处理过，请看最新情况"


class ChallengerUnfit(Conflict):
    code = "collection_challenger_unfit"
    message = "这一版现在不能试：没有通过检查，或者就是在用的那一版"


class OwnChallenge(NotPermitted):
    code = "own_collection_challenge"
    message = "自己提的试用、自己写的策略，要由另一个人同意"


class ChallengeNotYours(NotPermitted):
    code = "collection_challenge_not_yours"
    message = "催收策略的试用由省联社风险人员提出，省联社管理员同意"


class ChallengeUnfit(Invalid):
    code = "collection_challenge_unfit"
    message = "请写完整"


class CheckMissing(NotFound):
    code = "drawdown_check_missing"
    message = "没有找到这笔用款核查"


class CheckAnswered(Conflict):
    code = "drawdown_check_answered"
    message = "这笔用款已经有人核实过了，请看最新情况"


class WarningMissing(NotFound):
    code = "warning_missing"
    message = "没有找到这条预警"


class WarningAnswered(Conflict):
    code = "warning_answered"
    message = "这条预警刚有人处理过，请看最新情况"


class FreezeNotYours(NotPermitted):
    code = "freeze_not_yours"
    message = "停止用款的预警由审查岗或县行管理员解除，您可以先记下做了什么"


class AnswerInvalid(Invalid):
    code = "answer_invalid"
    message = "请写完整"
