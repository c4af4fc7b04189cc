"""Reasons in words the customer understands (D3-03, N5); the voice is look/README.md's."""

from collections.abc import Iterable, Mapping

from backend.domains.decision import facts
from backend.domains.decision.facts import Catalogue, Value
from backend.domains.decision.gate import Hit
from backend.domains.decision.model import Cap, Case, Gap, Reason, Stage

_WAITING = "不用您再做什么，有结果会告诉您"
_SOURCES = {
    "application": ("申请里还有内容没填完", "补齐后再提交"),
    "own_records": ("我们自己的记录还没查完", _WAITING),
    "identity_check": ("公安系统的身份核对还没有结果", _WAITING),
    "liveness": ("还没有做本人核验", "客户经理会当面和您核对"),
    "credit_bureau": ("征信还没有结果，您的申请已经收好", _WAITING),
    "core_banking": ("账户情况还没有查到，您的申请已经收好", _WAITING),
    "data_platform": ("有些资料还没有查到，您的申请已经收好", _WAITING),
    "business_data": ("经营情况还没有查到，您的申请已经收好", _WAITING),
    "chain_records": ("和合作企业的往来还没有查到，您的申请已经收好", _WAITING),
    "officer_survey": ("还没有上门了解情况", "客户经理会和您约时间"),
    "product": ("这个产品要由工作人员来看", _WAITING),
    "regulation": ("这个产品要由工作人员来看", _WAITING),
    "outreach": ("触达记录还没有查到", "查到以前不联系"),
    "contact_rules": ("联系的规定还没有查到", "查到以前不联系"),
    "prospects": ("名单资料还没有查到", "由客户经理看了再定"),
    "credit_lines": ("额度情况还没有查到", _WAITING),
    "post_loan": ("贷后数据还没有查到", "先列入关注"),
    "collections": ("催收案件资料还没有查到", "查到以前不联系"),
}
_ON_THE_CARD = ("birth_on", "id_expires_on")
_TYPED_OVER = "证件照片和填写的对不上，要由工作人员核对", _WAITING
"""These stand on the card: they are missing when something else was typed over what the photographs say."""
_WHERE = "您住的地方，要由工作人员核对", _WAITING
"""Missing when the address was typed over, or the person's village is in no list of ours."""
_NO_CONSENT = {
    "credit_bureau": "还没有您查询征信的授权",
    "data_platform": "还没有您查询资料的授权",
    "business_data": "还没有您查询经营资料的授权",
    "chain_records": "还没有您查询经营资料的授权",
}


def rule(hit: Hit, stage: Stage, values: Mapping[str, Value], known: Catalogue) -> Reason:
    """A row of a rule table that matched."""
    return Reason(
        code=str(hit.output["code"]),
        text=facts.sentence(str(hit.output["text"]), values, known),
        advice=facts.sentence(str(hit.output["advice"]), values, known),
        direction="minus",
        severity=str(hit.output["severity"]),
        stage=stage,
    )


CONDUCT = "CONDUCT_"
"""Begins the codes of what forbids a contact whatever the tables say."""


def moment(hit: Hit, stage: Stage, values: Mapping[str, Value], known: Catalogue) -> Reason:
    """A row that matched at a moment: of a rule table, a warning or a plan."""
    if "severity" in hit.output:
        return rule(hit, stage, values, known)
    return Reason(
        code=str(hit.output.get("code", hit.row)),
        text=facts.sentence(str(hit.output["text"]), values, known),
        direction="minus",
        severity="note",
        stage=stage,
    )


def held(stage: Stage, code: str, why: str) -> Reason:
    """What forbids it now, by the guard behind the tables."""
    return Reason(code=f"{CONDUCT}{code.upper()}", text=why, direction="minus", severity="note", stage=stage)


def characteristic(
    name: str, case: Case, *, plus: bool, severity: str, values: Mapping[str, Value], known: Catalogue
) -> Reason:
    """A feature that moved the score. What the customer kept back counts as the lowest, and nobody says it is low."""
    fact = known[name]
    given = case.sources.get(fact.source)
    if given is not None and fact.withheld is not None and name in given.withheld:
        text, advice = f"没有您的同意，{fact.label}没有查，按最低算", "查不查由您决定"
    else:
        text, advice = facts.sentence(fact.plus if plus else fact.minus, values, known), fact.advice
    return Reason(
        code=f"SC_{name.upper()}",
        text=text,
        advice="" if plus else advice,
        direction="plus" if plus else "minus",
        severity=severity,
        stage=Stage.RATING,
    )


def too_small(cap: Cap, smallest_fen: int, severity: str) -> Reason:
    """The caps leave less than the product lends at all, or do so in whole thousands."""
    rounded = "取到整千元" if cap.amount_fen >= smallest_fen else ""
    return Reason(
        code=f"LIMIT_{cap.name.upper()}",
        text=f"{cap.label}{rounded}不到 {_yuan(smallest_fen)}，这个产品最少借 {_yuan(smallest_fen)}",
        advice="可以申请人工复核，由工作人员再看一遍",
        direction="minus",
        severity=severity,
        stage=Stage.LIMIT,
    )


def bound(cap: Cap) -> Reason:
    """What kept an approved amount below what was asked."""
    return Reason(
        code=f"LIMIT_{cap.name.upper()}",
        text=f"{cap.label}是 {_yuan(cap.amount_fen // 100 * 100)}",
        direction="minus",
        severity="note",
        stage=Stage.LIMIT,
    )


def gaps(found: Iterable[Gap]) -> list[Reason]:
    """One reason per source that did not give what is needed; the card is one of its own."""
    reasons: dict[str, Reason] = {}
    for gap in found:
        text, advice = _SOURCES.get(gap.source, ("收到了看不懂的资料，要由工作人员来看", _WAITING))
        if gap.problem == "no_consent":
            text, advice = _NO_CONSENT.get(gap.source, "还没有您的授权"), "同意授权后就能接着办"
        code = f"DATA_{gap.source.upper()}"
        if gap.fact in _ON_THE_CARD:
            code, (text, advice) = "DATA_CARD", _TYPED_OVER
        elif gap.fact == "in_service_area":
            code, (text, advice) = "DATA_AREA", _WHERE
        reasons.setdefault(
            code, Reason(code=code, text=text, advice=advice, direction="minus", severity="refer")
        )
    return list(reasons.values())


def low_score(severity: str) -> Reason:
    """The score as a whole, where no single characteristic stands out."""
    declined = severity == "decline"
    return Reason(
        code="SC_TOTAL",
        text="把各项情况合在一起看，" + ("这次还不能办" if declined else "要由工作人员再看一下"),
        advice="可以申请人工复核，由工作人员再看一遍" if declined else _WAITING,
        direction="minus",
        severity=severity,
        stage=Stage.RATING,
    )


def stood_in() -> Reason:
    """A source was away, and what stood in for it may not decide alone (N19)."""
    return Reason(
        code="DATA_STOOD_IN",
        text="有的资料是临时替代的，要由工作人员来看，您的申请已经收好",
        advice=_WAITING,
        direction="minus",
        severity="refer",
    )


def by_hand() -> Reason:
    """Something of ours went wrong: a person decides (never the customer's fault)."""
    return Reason(
        code="SYS",
        text="这一步要由工作人员来看，您的申请已经收好",
        advice=_WAITING,
        direction="minus",
        severity="refer",
    )


def _yuan(fen: int) -> str:
    return f"{fen // 100:,} 元"
