"""Acts of the audit chain in words for the auditor. What has no word of its own is named by its kind."""

import re

from backend.core import ids
from backend.domains.applications.model import APPLICATION
from backend.domains.contracts.model import CONTRACT
from backend.domains.customers.model import CUSTOMER
from backend.domains.decision.model import STAGES
from backend.domains.guarantees.model import GUARANTEE
from backend.domains.guarantees.model import REASONS as GUARANTEE_REASONS
from backend.domains.models.model import MODEL
from backend.domains.models.trainings import TRAINING
from backend.domains.relations.model import ENTRY, FINDING, LISTS
from backend.domains.reviews.model import GROUNDS, OUTCOMES, RECHECK, RECHECK_TRIGGERS
from backend.domains.strategies.model import STRATEGY
from backend.domains.trials.batch_runs import BATCH, PURPOSES
from backend.domains.trials.model import RUN
from backend.overview import story

KINDS: dict[str, str] = {
    "application": "申请",
    "audit": "看审计记录",
    "bank": "和手机银行对账",
    "bind_link": "微信绑定",
    "bureau": "征信查询",
    "calendar": "节假日",
    "campaign": "营销活动",
    "capsule": "存证",
    "capture": "证件照片",
    "challenge": "催收策略试用",
    "code": "责任码和验证码",
    "collection": "催收",
    "consent": "授权",
    "contract": "合同",
    "customer": "客户资料",
    "decision": "审批",
    "disclosure": "明示表",
    "drawdown": "用款检查",
    "effect": "没送到的通知",
    "evidence": "外部资料",
    "finding": "关系核查",
    "grant": "订阅通知",
    "guarantee": "保证",
    "handoff": "移交手机银行",
    "keys": "密钥",
    "lead": "扫码线索",
    "list": "名单",
    "loan": "借据",
    "material": "营销物料",
    "model": "模型",
    "notice": "给客户的通知",
    "officer": "客户经理",
    "outreach": "营销触达",
    "poster": "海报",
    "recheck": "自动审批抽查",
    "relations": "关系图谱",
    "report": "客户举报",
    "review": "人工审查",
    "scene_code": "公众号二维码",
    "sms": "短信",
    "source": "数据来源",
    "staff": "工作人员登录",
    "strategy": "策略",
    "support": "查客户和申请",
    "survey": "上门调查",
    "ticket": "客户找人和投诉",
    "training": "训练模型",
    "trial": "回测",
    "batch": "批量评分",
    "warning": "贷后预警",
}
"""The word before an action's dot → what the filter calls it."""

WORDS: dict[str, str] = {
    "application.begin": "开始填申请",
    "application.asked_again": "请客户再核对、再授权",
    "application.decided_anew": "资料放久了，重新审批",
    "application.liveness": "做了人脸核对",
    "application.resume": "换手机接着办",
    "application.upheld": "人工复核维持原结果",
    "audit.read": "看了审计记录",
    "audit.verified": "核对了审计链",
    "bank.reconciled": "和手机银行对了账",
    "bind_link.new": "发了绑定链接",
    "bureau.post_loan": "贷后查征信",
    "calendar.set": "录入一年的节假日",
    "campaign.created": "建了营销活动",
    "campaign.ended": "结束营销活动",
    "capsule.exported": "取走存证",
    "capture.add": "拍了证件",
    "capture.archived": "证件照片存进影像平台",
    "capture.destroyed": "销毁本地证件照片",
    "challenge.agreed": "同意试用催收策略",
    "challenge.ended": "结束试用催收策略",
    "challenge.proposed": "提出试用催收策略",
    "challenge.refused": "不同意试用催收策略",
    "code.frozen": "暂停责任码",
    "code.issued": "发出责任码",
    "code.new": "发验证码",
    "code.released": "核实后恢复责任码",
    "code.reported": "有人举报",
    "code.revoked": "作废责任码",
    "collection.closed": "催收办结",
    "collection.contacted": "催收联系了客户",
    "collection.held": "催收联系被拦下",
    "collection.opened": "转入催收",
    "collection.recorded": "记下催收情况",
    "consent.given": "同意授权",
    "consent.withdrawn": "撤回授权",
    "contract.prepared": "备好合同",
    "contract.ready": "合同可以签",
    "contract.signed": "签了合同",
    "customer.bound": "绑定微信",
    "customer.card_updated": "更新身份证资料",
    "customer.created": "新客户",
    "customer.erased": "保存期满或客户要求删除，客户资料匿名",
    "customer.erasure_agreed": "同意删除客户信息",
    "customer.erasure_asked": "提出删除客户信息",
    "customer.erasure_refused": "没有同意删除客户信息",
    "customer.frozen": "冻结客户",
    "customer.not_bound": "没绑定成微信",
    "customer.phone_set": "记下验证过的手机号",
    "customer.release_asked": "提出解除冻结",
    "customer.release_refused": "没有解除冻结",
    "customer.released": "解除冻结",
    "customer.revealed": "看了完整手机号",
    "customer.searched": "查客户",
    "customer.unbound": "解除微信绑定",
    "decision.recorded": "记下审批结果",
    "disclosure.confirmed": "确认明示表",
    "effect.revived": "没送到的再送一次",
    "evidence.stored": "存下外部资料",
    "grant.new": "同意收一次通知",
    "grant.reported": "收到通知送达情况",
    "guarantee.identified": "保证人核对好身份证",
    "guarantee.liveness": "核对是保证人本人",
    "handoff.issued": "发出移交口令",
    "handoff.redeemed": "手机银行用了移交口令",
    "handoff.wrong_person": "别人想用移交口令",
    "keys.rotated": "换加密密钥",
    "lead.new": "有人扫码",
    "list.end_asked": "提出撤下名单",
    "list.forgotten": "名单上的一条到期删除",
    "list.ended": "撤下名单",
    "list.kept": "不撤下名单",
    "list.proposed": "提出名单",
    "loan.drawn": "用款",
    "loan.repaid": "还款",
    "material.approved": "物料审核通过",
    "material.withdrawn": "撤回物料",
    "model.alarm_acknowledged": "处理模型告警",
    "model.line_up_agreed": "同意换主模型",
    "model.line_up_proposed": "提出换主模型",
    "model.line_up_refused": "不同意换主模型",
    "model.line_up_taken_back": "退回主模型",
    "model.line_up_withdrawn": "撤回换主模型的提议",
    "model.registered": "登记模型",
    "notice.allowed": "客户要收还款日提醒",
    "notice.came_back": "通知被退回",
    "notice.not_sent": "通知没有送出",
    "notice.refused": "客户不收还款日提醒",
    "notice.sent": "通知送出",
    "officer.codes_revoked": "作废一位客户经理的全部码",
    "officer.handed_over": "交接客户",
    "officer.posting_ended": "办离岗",
    "outreach.touched": "营销联系了客户",
    "poster.saved": "存了海报",
    "recheck.opened": "抽中一笔自动审批",
    "relations.repaired": "修正关系图谱",
    "report.answered": "答复举报",
    "review.answered": "审查人答复",
    "review.closed": "审查随申请关闭",
    "review.exceeding_confirmed": "第二位审查人同意要两个人看的金额",
    "review.exceeding_proposed": "提出要两个人看的金额",
    "review.exceeding_refused": "第二位审查人不同意要两个人看的金额",
    "review.exceeding_taken_back": "撤回要两个人看的金额",
    "review.inquiry": "退回客户经理核实",
    "review.inquiry_answered": "客户经理答复核实",
    "review.opened": "转人工审查",
    "scene_code.made": "做了公众号二维码",
    "sms.receipt": "收到短信回执",
    "source.resumed": "恢复问一个来源",
    "source.stopped": "停问一个来源",
    "staff.left": "停用员工账号",
    "staff.sign_in": "登录",
    "staff.sign_in_refused": "登录没有成功",
    "staff.sign_out": "退出",
    "strategy.check": "检查策略",
    "strategy.draft": "起草策略",
    "strategy.measure": "测算策略影响",
    "strategy.previewed": "在以往申请上看了策略的影响",
    "strategy.returned": "到期，前一版回来",
    "strategy.not_returned": "到期，前一版没有回来",
    "strategy.scenario_added": "加了场景",
    "strategy.scenario_retired": "停用场景",
    "strategy.scenario_stop_asked": "提出停用场景",
    "strategy.scenario_kept": "场景不停用",
    "support.inspect": "查一笔申请或一个微信",
    "survey.begun": "开始上门调查",
    "survey.submitted": "交上门调查",
    "ticket.add": "客户又说了几句",
    "ticket.answer": "答复客户",
    "ticket.open": "客户找人",
    "batch.asked": "要求批量评分",
    "batch.exported": "取走批量评分的名单",
    "batch.resumed": "接着做批量评分",
    "training.asked": "要求训练模型",
    "training.forgotten": "删掉训练用的表",
    "training.prepared": "准备训练模型",
    "trial.asked": "要求回测",
    "trial.cancel": "停止回测",
    "warning.raised": "提示贷后风险",
}

_STATES: dict[str, dict[str, str]] = {
    "application": APPLICATION.labels,
    "contract": CONTRACT.labels,
    "customer": CUSTOMER.labels,
    "finding": FINDING.labels,
    "guarantee": GUARANTEE.labels,
    "list": ENTRY.labels,
    "model": MODEL.labels,
    "recheck": RECHECK.labels,
    "strategy": STRATEGY.labels,
    "training": TRAINING.labels,
    "trial": RUN.labels,
    "batch": BATCH.labels,
}

DETAILS: dict[str, str] = {
    "about": "关于",
    "against": "对照",
    "application": "申请",
    "applications": "申请笔数",
    "arm": "哪一边",
    "artefact": "模型指纹",
    "attempt": "第几次审批",
    "broken": "对不上的条数",
    "by": "按什么",
    "calls": "待回电话",
    "campaign": "营销活动",
    "cases": "笔数",
    "challenger": "试用的模型",
    "champion": "主模型",
    "channel": "渠道",
    "codes": "码",
    "consent": "授权编号",
    "content": "内容指纹",
    "count": "个数",
    "days": "天数",
    "decision": "审批结果",
    "documents": "文件份数",
    "effective_from": "生效时间",
    "effective_until": "结束时间",
    "exceeded": "超过的上限",
    "failures": "没过的检查",
    "finding": "核查结果",
    "followers": "微信",
    "ground": "客户说哪里不对",
    "head": "存证链头",
    "hours": "小时数",
    "kind": "种类",
    "list": "名单",
    "manifest": "文件包指纹",
    "masked": "遮挡",
    "material": "物料",
    "means": "方式",
    "model": "模型",
    "new": "变成",
    "number": "第几版",
    "officer": "客户经理",
    "old": "原来",
    "outcome": "结果",
    "person": "人工结果",
    "permanent": "长期有效",
    "proposal": "提议编号",
    "purpose": "用途",
    "questions": "待核实",
    "reason": "原因",
    "reasons": "理由代码",
    "reference": "查询编号",
    "result": "结果",
    "run": "检查编号",
    "seconds": "看了几秒",
    "sessions": "退出的登录",
    "share_bp": "份额（万分之几）",
    "source": "来源",
    "stage": "环节",
    "strategy": "规则",
    "ticket": "口令编号",
    "to": "交给",
    "triggers": "为什么抽到",
    "version": "版本",
    "why": "原因",
}
"""Details worth a word; what is not here is kept in the chain for `audit verify` and a court."""

VALUES: dict[str, str] = {
    "id_number": "身份证号",
    "phone": "手机号",
    "name": "姓名",
    "application": "申请编号",
    "account": "微信",
    "custom": "客服消息",
    "subscription": "订阅通知",
    "sms": "短信",
    "human": "找人工",
    "complaint": "投诉",
    "erasure": "要删信息",
    "id_front": "身份证正面",
    "id_back": "身份证背面",
    "business_licence": "营业执照",
    "bank_card": "银行卡",
    "passed": "通过",
    "seen": "当面核对",
    "failed": "没通过",
    "apply": "申请",
    "resume": "接着办",
    "bind": "绑定微信",
    "personal_info": "个人信息",
    "identity_check": "身份核查",
    "data_platform": "政务数据",
    "business_data": "经营数据",
    "bureau_query": "查征信",
    "liveness": "人脸核对",
    "marketing": "营销推荐",
    "guarantor_share": "告诉保证人",
    "guarantee_info": "保证人个人信息",
    "guarantee_bureau": "担保查征信",
    "guarantee_result": "告诉借款人",
    "guarantee": "担保",
    "ticket_answered": "答复",
    "overdue": "催收提醒",
    "due": "还款日快到",
    "due_date": "还款日",
    "requested": "客户申请复核",
    "True": "是",
    "False": "否",
    **STAGES,
    **LISTS,
    **GROUNDS,
    **OUTCOMES,
    **RECHECK_TRIGGERS,
    **PURPOSES,
    **APPLICATION.labels,
    **GUARANTEE_REASONS,
}


SUBJECTS: dict[str, str] = {"audit": "审计记录", "nobody": "没有找到人", "vault": "加密字段"}
"""Subjects that are nobody's id."""

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_NAMED = re.compile(r"\w+ → \w+|\d{4}-\d\d-\d\d \d\d:\d\d")


def detail(key: str, value: object) -> tuple[str, str] | None:
    """(label, words) of one detail; ids, hashes and codes of reasons whole. None for what only says something to the
    system: its own codes."""
    if key not in DETAILS or value in (None, "", []):
        return None
    several = value if isinstance(value, list) else [value]
    told = [words for each in several if (words := _words(each))]
    return (DETAILS[key], "、".join(told)) if told else None


def _words(value: object) -> str:
    text = str(value)
    if text in VALUES:
        return VALUES[text]
    plain = isinstance(value, int) or _CHINESE.search(text) or _NAMED.fullmatch(text)
    return text if plain or whole(text) else ""


def whole(text: str) -> bool:
    """An id, a hash or the code of a reason: shown as it is, for whoever has to find the same one elsewhere."""
    return ids.is_uuid(text) or bool(re.fullmatch(r"[0-9a-f]{64}|[A-Z][A-Z0-9_]+", text))


def kind_of(action: str) -> str:
    return KINDS.get(action.partition(".")[0], "其他")


def word(action: str) -> str:
    """What was done, in Chinese whatever the action is called."""
    if action in WORDS:
        return WORDS[action]
    kind, _, what = action.partition(".")
    known = story.words(what) if kind == "application" else _STATES.get(kind, {}).get(what, "")
    return f"{kind_of(action)}：{known or '办了一步'}"
