"""What a person declares on the last page (申报): the choices offered, and the check before submission."""

import msgspec

from backend.domains.applications.model import AmountOutOfRange, Declared, DeclaredIncomplete
from backend.domains.products.model import PURPOSES, Product

AMOUNT_STEP_FEN = 100_000
"""Whole thousands of yuan: what a person says, and what the limit is rounded to."""


class Income(msgspec.Struct, frozen=True):
    """`annual_fen` is the lower end of the band: nobody is lent more for saying “up to”."""

    label: str
    annual_fen: int


INCOMES: dict[str, Income] = {
    "under_20k": Income("2 万元以下", 1_000_000),
    "20k_50k": Income("2 万–5 万元", 2_000_000),
    "50k_80k": Income("5 万–8 万元", 5_000_000),
    "80k_120k": Income("8 万–12 万元", 8_000_000),
    "120k_200k": Income("12 万–20 万元", 12_000_000),
    "over_200k": Income("20 万元以上", 20_000_000),
}

OCCUPATIONS: dict[str, str] = {
    "farmer": "种植养殖",
    "worker": "上班或打工",
    "business_owner": "开店办厂",
    "public_employee": "机关事业单位",
    "retired": "已退休",
    "unemployed": "暂无工作",
    "student": "在校学生",
    "other": "其他",
}

_ROUND_AMOUNTS = (5_000, 10_000, 30_000, 50_000, 100_000, 150_000, 200_000, 300_000)  # yuan


UNLISTED = "不在名单里的村"
"""Declared as the village by whom the list does not name: not known to be ours, so a person looks (D1-12)."""


def purposes(product: Product) -> dict[str, str]:
    """Code and label of what the product lends for."""
    return {code: PURPOSES[code] for code in product.terms.purposes}


def amounts(product: Product) -> list[int]:
    """Amounts in fen to tap; the product's own limit is always among them."""
    low, high = product.terms.amount_min, product.terms.amount_max
    found = {yuan * 100 for yuan in _ROUND_AMOUNTS if low <= yuan * 100 <= high}
    return sorted(found | {high})


def check(product: Product, declared: Declared) -> None:
    """Raises `AmountOutOfRange` or `DeclaredIncomplete`, with one sentence per form field."""
    fields: dict[str, str] = {}
    if declared.purpose not in product.terms.purposes:
        fields["purpose"] = "请选这笔钱做什么用"
    if declared.income_band not in INCOMES:
        fields["income"] = "请选一年大约收入多少"
    if declared.occupation and declared.occupation not in OCCUPATIONS:
        fields["occupation"] = "请选做什么工作"
    if not declared.village:
        fields["village"] = "请从名单里选您住在哪个村，没有就选“不在上面”"
    if declared.term_months not in product.terms.months:
        fields["term"] = "请选借多久"
    low, high = product.terms.amount_min, product.terms.amount_max
    if not low <= declared.amount_fen <= high:
        message = AmountOutOfRange.message.format(low=f"{low // 100:,}", high=f"{high // 100:,}")
        details = {"low": f"{low // 100:,}", "high": f"{high // 100:,}"}
        raise AmountOutOfRange(fields={**fields, "amount": message}, **details)
    if declared.amount_fen % AMOUNT_STEP_FEN:
        fields["amount"] = "请填整千元，例如 30,000"
    if fields:
        raise DeclaredIncomplete(fields=fields)
