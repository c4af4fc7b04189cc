"""短信平台: fixed templates; every message can be read by tests and in the back office."""

import re
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from backend.core import ids
from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import AnyRequest, World

SYSTEM = "sms"
SIGN = "【小贷云工作室】"

TEMPLATES = {
    "verification_code": "验证码 {code}，{minutes} 分钟内有效。工作人员不会向您要验证码。",
    "application_received": "您的申请 {application_no} 已经收好，结果出来马上告诉您。",
    "application_approved": "您的申请 {application_no} 已通过，请登录手机银行查看额度、利息并签约。",
    "approved_before_guarantors": "您的申请 {application_no} 已通过，还要请保证人确认才能签约，请打开公众号去请。",
    "application_declined": "您的申请 {application_no} 有结果了，请打开公众号查看原因，也可以申请人工复核。",
    "application_referred": "您的申请 {application_no} 由工作人员接着看，3 个工作日内答复您。",
    "application_asked_again": "您的申请 {application_no} 要重新审批，请打开公众号再确认一次授权和本人。",
    "application_held": "您的申请 {application_no} 还在办，最迟 {until} 前告诉您结果。",
    "guarantor_confirmed": "您的申请 {application_no} 有一位保证人已确认，请打开公众号查看。",
    "guarantee_given": (
        "您已为申请 {application_no} 做保证人，本金最高 {amount} 元，最晚到 {until}。"
        "承诺书：{link} 不是您本人办的，请打 {phone}。"
    ),
    "guarantor_refused": "您的申请 {application_no} 有一位保证人没有办成，可以再请别人。",
    "handoff_code": "手机银行签约短码 {short_code}，{minutes} 分钟内有效，只在手机银行里用。",
    "signed": "您的申请 {application_no} 已在手机银行签约。",
    "drawn": "您的申请 {application_no} 已用款，请按时还款。",
    "repayment_due": "您的还款日是 {due_on}，请在手机银行查看金额并按时还款。",
    "repayment_overdue": "您的申请 {application_no} 有到期没还的款，请在手机银行查看并还款。已经还了请不用理会。",
    "ticket_answered": "您的问题（单号 {ticket_no}）有答复了，请打开公众号查看。",
    "staff_notice": "{text}",
}

_FIELD = re.compile(r"\{(\w+)\}")
_PHONE = re.compile(r"1[3-9]\d{9}")


class Message(msgspec.Struct, forbid_unknown_fields=True):
    phone: str
    template: str
    parameters: dict[str, str]
    case_id: str


@post("/send")
async def send(request: AnyRequest) -> Response[bytes]:
    message = await world.body_of(request, Message)
    text = _text(message)
    here = world.of(request)
    return await world.effect(
        request,
        system=SYSTEM,
        effect="sms_sent",
        case=message.case_id,
        work=lambda: _accepted(here, message, text),
    )


@get("/messages/{message_id:str}")
async def status(request: AnyRequest, message_id: FromPath[str]) -> dict[str, Any]:
    found = world.of(request).store.get("sms", message_id)
    if not found:
        raise Refusal(404, "message_not_found", "没有这条短信")
    return {"message_id": message_id, "status": "delivered", "at": found["at"], "reason": ""}


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


def messages_to(here: World, phone: str) -> list[dict[str, Any]]:
    """Newest first."""
    return here.store.all("sms", ref=phone)[::-1]


def _text(message: Message) -> str:
    template = TEMPLATES.get(message.template)
    if template is None:
        raise Refusal(400, "template_unknown", "没有这个短信模板")
    if not _PHONE.fullmatch(message.phone):
        raise Refusal(400, "phone_invalid", "手机号不对")
    missing = [name for name in _FIELD.findall(template) if name not in message.parameters]
    if missing:
        raise Refusal(400, "parameter_missing", f"缺少：{'、'.join(missing)}")
    return SIGN + _FIELD.sub(lambda field: message.parameters[field[1]], template)


def _accepted(here: World, message: Message, text: str) -> dict[str, object]:
    message_id, moment = ids.new(), stamp()
    body = {
        "message_id": message_id,
        "phone": message.phone,
        "template": message.template,
        "parameters": message.parameters,
        "text": text,
        "at": moment,
    }
    here.store.put("sms", message_id, body, ref=message.phone)
    receipt = {"message_id": message_id, "status": "delivered", "reason": "", "at": moment}
    here.callbacks.add(SYSTEM, "/api/sms/receipts", receipt)
    return {"message_id": message_id, "accepted_at": moment}


router = Router("/sms", route_handlers=[send, status, effects])
