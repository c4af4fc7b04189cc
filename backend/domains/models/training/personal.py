"""Columns that say who a person is: names, numbers of papers, phones, accounts, addresses. A model has no use for them,
so a table that holds one is not taken at all (D3-01: no more than the purpose needs)."""

import re

import polars as pl

from backend.core import check_digits
from backend.domains.decision import facts

_CHINESE = re.compile(
    r"(姓名|户名|身份证|身份证件?号码?|证件号码?|手机|手机号码?|电话|电话号码?|联系方式|联系电话|住址|地址|银行卡|卡号|账号|"
    r"微信|微信号|邮箱)$"
)
_ENGLISH = re.compile(
    r"((customer|cust|client|applicant|borrower|user|person)_?)?"
    r"(name|full_?name|id_?card|id_?no|id_?num(ber)?|cert_?no|phone|phone_?no|phone_?number|mobile|tel|telephone|"
    r"address|e?mail|open_?id|bank_?card|card_?no|card_?number|account_?no|account_?number)",
    re.IGNORECASE,
)
FEW = 20
"""A column of so few different values names nobody, whatever it is called."""


def why(frame: pl.DataFrame) -> str:
    """Which column names people, and what to do; '' where none does."""
    for name in frame.columns:
        if name in facts.catalogue().facts:
            continue
        found = _by_content(frame[name]) or _by_name(frame[name])
        if found:
            return f"“{name[:30]}”这一列是{found}，能认出人，训练也用不着；请删掉这一列再传"
    return ""


def _by_name(column: pl.Series) -> str:
    called = _CHINESE.search(column.name.strip()) or _ENGLISH.fullmatch(column.name.strip())
    return "姓名、证件、电话、账号或地址" if called and column.drop_nulls().n_unique() > FEW else ""


def _by_content(column: pl.Series) -> str:
    if not (column.dtype == pl.String or column.dtype.is_integer()):
        return ""
    words = column.drop_nulls().cast(pl.String).str.strip_chars()
    if words.is_empty():
        return ""
    ids = words.filter(words.str.contains(r"^[1-8]\d{16}[\dXx]$")).head(2000)
    if sum(check_digits.is_id_number(word.upper()) for word in ids) > max(2, 0.2 * min(len(words), 2000)):
        return "身份证号"
    if words.str.contains(r"^1[3-9]\d{9}$").mean() > 0.5:  # type: ignore[operator]
        return "手机号"
    cards = words.filter(words.str.contains(r"^(62|4|5)\d{14,18}$")).head(2000)
    if sum(map(check_digits.is_card_number, cards)) > max(2, 0.5 * min(len(words), 2000)):
        return "银行卡号"
    return ""
