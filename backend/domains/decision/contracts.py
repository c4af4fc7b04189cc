"""What the tables of each stage must give back, and what a finding about a document is."""

import msgspec

from backend.domains.decision.model import Stage

GRADES = ("A", "B", "C", "D", "E")
SEVERITIES = ("decline", "refer", "note")
ACTIONS = ("watch", "call", "visit", "freeze")
"""What an early warning asks for, the mildest first (A6-06)."""
DUNNING = ("none", "remind", "negotiate", "visit", "legal")
CHANNELS = ("none", "app", "sms", "call", "visit", "letter")

WORDS = {
    "decline": "拒绝", "refer": "转人工", "note": "只提示", "pass": "通过",
    "watch": "关注", "freeze": "冻结额度", "none": "不联系", "remind": "提醒", "negotiate": "协商", "legal": "诉讼",
    "app": "手机银行", "sms": "短信", "call": "电话", "visit": "上门", "letter": "信函",
}  # fmt: skip
"""Words of results as people say them; grades stay letters."""
FIELDS = {
    "code": "原因码",
    "severity": "处理",
    "text": "给客户的话",
    "advice": "可以怎么做",
    "grade": "等级",
    "verdict": "处理",
    "cap": "哪种上限",
    "label": "名称",
    "amount": "金额",
    "part": "哪一部分",
    "bp": "利率",
    "action": "怎么做",
    "channel": "方式",
    "pace_days": "间隔",
}
"""Result columns as people say them."""
NAMES = {
    "product": "产品上限", "regulation": "监管上限", "income": "收入", "assets": "资产", "obligations": "还款能力",
    "exposure": "总负债", "history": "首次借款", "lpr": "LPR", "cost": "资金和运营", "risk": "风险", "term": "期限",
    "household": "信用户", "payroll": "代发工资", "campaign": "活动",
}  # fmt: skip
"""Names of caps and of parts of a price as people say them."""

HIT_POLICIES = {"collect": "每一行都看", "first": "命中第一行为止"}

ERROR, WARNING = "error", "warning"


class Finding(msgspec.Struct, frozen=True):
    """Something about a document: a place in words, a sentence, and the place for a page that marks it.

    `severity` error: it may not be stored or run; warning: the author should look. `node`, `row` and `column`
    are the ids in the document, '' where the finding is of the whole.
    """

    place: str
    sentence: str
    severity: str = ERROR
    node: str = ""
    row: str = ""
    column: str = ""

    def __str__(self) -> str:
        return f"{self.place}：{self.sentence}"


class Contract(msgspec.Struct, frozen=True):
    """What the tables of a stage must give back.

    `columns` by field: 'text', 'number', or the allowed words. `names` are values of `key` that must be among
    the rows at run time, or the stage has no result. `key_step`: nothing here is a partner's, neither a node nor a fact
    (D1-10; the pre-screen turns people away, so it is one). `conditions`: a row without any is refused, it would speak
    of everyone.
    """

    hit_policy: str
    columns: dict[str, str | tuple[str, ...]]
    key: str = ""
    names: tuple[str, ...] = ()
    before: tuple[str, ...] = ()  # results of earlier stages it may use
    prices: bool = False  # only facts allowed to move a price
    key_step: bool = False
    conditions: bool = False


def _rules(*, key_step: bool) -> Contract:
    columns: dict[str, str | tuple[str, ...]] = {
        "code": "text",
        "severity": SEVERITIES,
        "text": "text",
        "advice": "text",
    }
    return Contract("collect", columns, key="code", key_step=key_step, conditions=True)


CONTRACTS: dict[Stage, Contract] = {
    Stage.FRAUD_CHECK: _rules(key_step=False),
    Stage.ELIGIBILITY: _rules(key_step=True),
    Stage.RATING: Contract(
        "first",
        {"grade": GRADES, "verdict": ("pass", "refer", "decline")},
        before=("score",),
        prices=True,
    ),
    Stage.LIMIT: Contract(
        "collect",
        {"cap": "text", "label": "text", "amount": "number"},
        key="cap",
        names=("product", "regulation", "income", "assets", "obligations"),
        before=("score", "grade"),
        prices=True,
        key_step=True,
    ),
    Stage.PRICING: Contract(
        "collect",
        {"part": "text", "label": "text", "bp": "number"},
        key="part",
        names=("lpr", "cost", "risk"),
        before=("score", "grade"),
        prices=True,
        key_step=True,
    ),
    Stage.MARKETING_GATE: _rules(key_step=False),
    Stage.PRE_SCREEN: _rules(key_step=True),
    Stage.DRAWDOWN_CHECK: _rules(key_step=True),
    Stage.EARLY_WARNING: Contract(
        "collect",
        {"code": "text", "action": ACTIONS, "text": "text"},
        key="code",
        key_step=True,
        conditions=True,
    ),
    Stage.COLLECTION: Contract(
        "first",
        {"action": DUNNING, "channel": CHANNELS, "pace_days": "number", "text": "text"},
        key_step=True,
    ),
}
