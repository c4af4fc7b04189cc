"""A guarantee (保证): one person asked to answer for one application, and what became of it."""

from datetime import date, datetime

import msgspec

from backend.core.errors import Conflict, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle

GUARANTEE = Lifecycle(
    "guarantee",
    {
        "invited": "等保证人打开",
        "opened": "保证人正在看",
        "confirmed": "保证人已确认",
        "refused": "没有办成",
        "withdrawn": "链接已收回",
        "expired": "链接已过期",
        "released": "保证已解除",
    },
    {
        "invited": ("opened", "refused", "withdrawn", "expired"),
        "opened": ("confirmed", "refused", "withdrawn", "expired"),
        "confirmed": ("released",),
    },
)

OPEN = ("invited", "opened")

REASONS: dict[str, str] = {
    "declined": "本人不愿意",
    "under_age": "未满 18 周岁",
    "borrower": "是借款人本人",
    "twice": "已经是这笔贷款的保证人",
    "staff": "是本行员工",
    "listed": "在名单上",
    "frozen": "账户要到网点核实",
    "identity": "身份没有核对上",
    "own_overdue": "自己有逾期",
    "circle": "与借款人互相担保",
    "too_many": "担保的人数到了上限",
    "too_much": "担保的金额到了上限",
    "bureau": "信用报告没有查到",  # of rows from before such an answer was asked again
    "borrower_withdrew": "借款人收回",
    "case_ended": "申请已经结束",
    "link_over": "过了有效期",
}
"""Why it ended, for staff: code → words. The borrower is told of none (D3-02)."""


class Guarantee(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_fen` is the most it answers for, `until_on` the last day on which it can be called (保证期间)."""

    institution_id: str
    id: str
    application_id: str
    borrower_id: str
    status: str
    step: str
    session_id: str | None
    guarantor_id: str | None
    liveness: str
    liveness_session: str
    amount_fen: int
    line_until: date
    until_on: date
    terms_version: int | None
    terms_sha256: bytes | None
    confirmed_at: datetime | None
    why: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @property
    def label(self) -> str:
        return GUARANTEE.labels[self.status]

    def over(self, now: datetime) -> bool:
        """Past its day, whether or not the timetable has noticed."""
        return self.status in OPEN and self.expires_at <= now


class Exposure(msgspec.Struct, frozen=True):
    """What one person answers for in this institution."""

    borrowers: int
    amount_fen: int


class LinkGone(NotFound):
    """Unknown, withdrawn, run out or ended: the same for all, so that a guess learns nothing."""

    code = "guarantee_link_gone"
    message = "这个链接已经不能用了。要不要担保、怎么办，请和请您担保的人联系"


class LinkTaken(Conflict):
    """Somebody took it up on another phone: it is good for one person."""

    code = "guarantee_link_taken"
    message = "这个链接已经在另一部手机上打开了，只能由一个人办"


class GuaranteeMoved(Conflict):
    code = "guarantee_moved"
    message = "这件事刚刚有了变化，请看最新的情况"


class NotYoursToSee(NotPermitted):
    """Who brought the case in, or owes it, does not vouch for who answers for it."""

    code = "guarantor_not_yours_to_see"
    message = "您经办过这笔业务，或者就是借款人，保证人要由另一个人来当面核对"


class NoMoreWanted(Conflict):
    code = "guarantors_enough"
    message = "要请的保证人已经够了，想换人请先收回原来的链接"


class GuaranteeOutstanding(Conflict):
    """The product wants guarantors and not all of them have confirmed."""

    code = "guarantee_outstanding"
    message = "还差 {missing} 位保证人确认，确认以后才能签约"


class AlreadyGuarantor(Conflict):
    code = "guarantor_twice"
    message = "您已经在为这笔贷款担保了"
