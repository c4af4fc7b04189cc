"""A case's events in the words of the people who work on it, and who did each."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.db.database import Tx
from backend.domains.applications.model import APPLICATION, Event
from backend.domains.evidence.model import SOURCES
from backend.domains.identity import service as identity

WORDS = {
    "begun": "开始填写",
    "identity_confirmed": "核对好身份证",
    "phone_proved": "验证了手机号",
    "liveness_started": "开始人脸核对",
    "liveness_passed": "人脸核对通过",
    "liveness_failed": "人脸核对没通过",
    "liveness_mismatch": "人脸和身份证对不上",
    "liveness_cancelled": "人脸核对中途退出",
    "liveness_expired": "人脸核对超时",
    "card_again": "身份证要重新拍",
    "consents_renewed": "重新看过授权",
    "other_way": "不做人脸，换一种方式",
    "wants_branch": "要到网点办",
    "submitted": "提交申请",
    "deciding": "开始审批",
    "resumed": "系统恢复，接着审批",
    "held": "等待对方系统恢复",
    "referred": "转人工审查",
    "approved": "通过",
    "declined": "未通过",
    "review_requested": "客户申请人工复核",
    "review_answered": "人工复核已答复",
    "review_inquiry": "退回客户经理核实",
    "review_inquiry_answered": "客户经理答复核实",
    "guarantor_asked": "发链接请保证人",
    "guarantor_opened": "保证人打开链接",
    "guarantor_identified": "保证人核对好身份证",
    "guarantor_phone_proved": "保证人验证了手机号、给了授权",
    "guarantor_face_started": "保证人开始人脸核对",
    "guarantor_face_passed": "保证人人脸核对通过",
    "guarantor_face_failed": "保证人人脸核对没通过",
    "guarantor_face_mismatch": "保证人人脸和身份证对不上",
    "guarantor_face_cancelled": "保证人人脸核对中途退出",
    "guarantor_face_expired": "保证人人脸核对超时",
    "guarantor_seen": "当面核对过保证人",
    "guarantor_confirmed": "保证人确认担保",
    "guarantor_refused": "保证人没有办成",
    "guarantor_withdrawn": "收回请保证人的链接",
    "guarantor_expired": "请保证人的链接过期",
    "guarantor_released": "保证解除",
    "disclosure_confirmed": "看完明示表并确认",
    "handed_off": "转到手机银行",
    "offer_delivered": "手机银行收到额度",
    "offer_overtaken": "额度被新的代替",
    "token_issued": "打开手机银行",
    "short_code_issued": "取了短码",
    "redeemed": "在手机银行打开合同",
    "signed": "签约",
    "drawn": "用款",
    "drawn_again": "再次用款",
    "drawdown_allowed": "用款前核查：可以",
    "drawdown_held": "用款前核查：等人核实",
    "drawdown_refused": "用款前核查：不能用款",
    "drawdown_released": "用款核实：放行",
    "drawdown_rejected": "用款核实：不同意",
    "drawn_unchecked": "用款没有经过核查，已转人工",
    "charged_beyond_disclosure": "收的钱比明示表多，要核对",
    "collection_recorded": "催收联系，记下结果",
    "warning_raised": "贷后预警",
    "warning_standing": "预警处理过，措施保留",
    "warning_cleared": "预警解除",
    "repayment": "还款",
    "repaid": "结清",
    "expired": "过了有效期",
    "officer_changed": "换了客户经理",
    "cancelled": "撤回",
    "asked_again": "请客户重新核对本人、重新授权后提交",
    "decided_anew": "资料放久了，用现在的资料重新审批",
    "abandoned": "没有填完，结束",
    "forgotten": "保存期满或客户要求删除，客户资料已匿名",
}
_ASKING = {
    "asked": "去问",
    "got": "收到",
    "down": "暂时连不上：",
    "refused": "没有受理：",
    "cached": "沿用不久前的回答：",
    "substitute": "由别的系统代为回答：",
    "no_consent": "没有授权，不问：",
    "guarantor_waits": "保证人的核对还没有结果：",
}
_WHO = {"customer": "客户", "system": "系统", "partner": "合作方", "staff": "工作人员"}


class Told(msgspec.Struct, frozen=True):
    """`changed` is the label of the new status, empty where an event moved nothing."""

    at: datetime
    text: str
    who: str
    changed: str = ""


async def told(tx: Tx, events: Sequence[Event]) -> list[Told]:
    """Oldest first."""
    names = {f"staff:{person.id}": person.name for person in await identity.all_staff(tx)}
    return [
        Told(
            event.at,
            words(event.event),
            names.get(event.who, _WHO.get(event.who.partition(":")[0], event.who)),
            APPLICATION.labels[event.to_status] if event.to_status != event.from_status else "",
        )
        for event in events
    ]


def words(event: str) -> str:
    what, _, source = event.partition(".")
    if source:
        return f"{_ASKING.get(what, what)}{SOURCES.get(source, source)}"
    return WORDS.get(event, "办了一步")
