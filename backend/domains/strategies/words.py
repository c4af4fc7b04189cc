"""Cells and fields of a strategy as a risk officer says them."""

import re

from backend.domains.decision import facts
from backend.domains.decision.facts import Catalogue, Fact

FIELDS = {
    "code": "原因码",
    "severity": "处理",
    "text": "给客户的话",
    "advice": "可以怎么做",
    "grade": "等级",
    "verdict": "处理",
    "cap": "上限代码",
    "label": "名称",
    "amount": "金额",
    "part": "组成代码",
    "bp": "基点",
}
_WORDS = {
    "decline": "拒绝",
    "refer": "转人工",
    "note": "只提示",
    "pass": "通过",
    "true": "是",
    "false": "否",
}
_OPERATORS = (
    ("<=", "不超过 "),
    (">=", "不低于 "),
    ("!=", "不是 "),
    ("<", "低于 "),
    (">", "高于 "),
    ("==", "等于 "),
)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_LONE = re.compile(r"\s*(<=|>=|<|>)?\s*(-?\d+)\s*")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def cell(text: str, known: Catalogue, column: Fact | None = None) -> str:
    """A cell in words: `> 50000000` under 对外担保余额 is 高于 500,000 元; an empty condition is 不限."""
    if not text.strip():
        return "不限" if column else "空"
    lone = _LONE.fullmatch(text)
    if lone and column is not None and column.kind in ("int", "fen", "bp"):
        return dict(_OPERATORS).get(lone[1] or "", "") + facts.spoken(column, int(lone[2]))
    said = _QUOTED.sub(lambda found: _member(found[1] if found[1] is not None else found[2], column), text)
    if column is not None:
        for operator, word in _OPERATORS:
            said = said.replace(f"{operator} ", word).replace(operator, word)
    return _NAME.sub(lambda found: _name(found[0], known), said).strip()


def _member(text: str, column: Fact | None) -> str:
    if column is not None and column.labels and text in column.members:
        return column.labels[column.members.index(text)]
    return _WORDS.get(text, text)


def _name(text: str, known: Catalogue) -> str:
    return known[text].label if text in known else _WORDS.get(text, text)
