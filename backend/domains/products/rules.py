"""Calculations over terms: what the rules in force refuse, how a county tightens, what a loan costs."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

import msgspec

from backend.core import money
from backend.core.money import Charge, Cost, RepaymentMethod, Schedule
from backend.domains.products.model import (
    DATA_SOURCES,
    PURPOSES,
    RISK_MITIGATIONS,
    Breach,
    Overrides,
    Repayment,
    Terms,
)
from backend.domains.regulation.model import InForce

LENDER = "lender"
"""Payee of a fee the bank itself collects."""


def breaches(terms: Terms, rules: InForce) -> list[Breach]:
    """Everything that keeps these terms from being published, all of it at once."""
    found = [*_axes(terms), *_shape(terms), *_people(terms, rules), *_purposes(terms, rules)]
    found += [*_amounts(terms, rules), *_terms(terms, rules), *_fees(terms), *_wording(terms, rules)]
    # A cost can only be worked out for terms that have the shape of a loan.
    return found or list(_cost(terms, rules))


def looser(parent: Terms, overrides: Overrides) -> list[Breach]:
    """Where overrides leave the parent's bounds or touch a field that is not opened (A8-14, A1-01)."""
    found = [
        _breach(name, f"省联社没有开放“{name}”由县行调整", "A8-14")
        for name in overrides.set_fields
        if name not in parent.opened_fields
    ]
    joined = meet(parent, overrides)
    for name in overrides.set_fields:
        wanted = getattr(overrides, name)
        if name not in _FREE and joined is not None and getattr(joined, name) != wanted:
            found.append(_breach(name, f"“{name}”比省联社的条款更宽，只能收紧", "A1-01"))
    if joined is None:
        found.append(_breach("amount_max", "与省联社的条款没有交集", "A1-01"))
    return found


def meet(parent: Terms, overrides: Overrides) -> Terms | None:
    """The parent's terms tightened by the overrides: in every field the stricter of the two.

    Used at every reading, so a parent tightened later tightens its sub-products at once. None when nothing is
    left to offer.
    """
    o = overrides
    joined = msgspec.structs.replace(
        parent,
        target_customers=o.target_customers or parent.target_customers,
        texts=o.texts or parent.texts,
        purposes=_common(parent.purposes, o.purposes),
        amount_min=max(parent.amount_min, o.amount_min or 0),
        amount_max=parent.amount_max if o.amount_max is None else min(parent.amount_max, o.amount_max),
        rate_min=max(parent.rate_min, o.rate_min or Decimal(0)),
        rate_max=parent.rate_max if o.rate_max is None else min(parent.rate_max, o.rate_max),
        age_min=max(parent.age_min, o.age_min or 0),
        age_max=parent.age_max if o.age_max is None else min(parent.age_max, o.age_max),
        guarantors=max(parent.guarantors, o.guarantors or 0),
        required_features=_union(parent.required_features, o.required_features),
        repayments=_common_repayments(parent.repayments, o.repayments),
        opened_fields=(),
    )
    empty = (
        joined.amount_min > joined.amount_max
        or joined.rate_min > joined.rate_max
        or joined.age_min > joined.age_max
        or not joined.purposes
        or not joined.repayments
    )
    return None if empty else joined


_FREE = ("target_customers", "texts")
"""Wording only; every other field is a bound."""


def charges(terms: Terms, amount: int, start_on: date, lender: str = "贷款行") -> tuple[Charge, ...]:
    """What the borrower pays beside interest on one drawdown; `lender` is the bank's name as printed."""
    return tuple(
        Charge(
            code=f.code,
            name=f.name,
            amount=int((amount * f.rate).to_integral_value()),
            due_on=start_on,
            collected_by=lender if f.payee == LENDER else f.payee,
        )
        for f in terms.fees
        if f.payer == "borrower" and f.rate
    )


def plan(
    terms: Terms, amount: int, rate: Decimal, months: int, method: RepaymentMethod, start_on: date
) -> Schedule:
    """The schedule of a loan under these terms."""
    return money.schedule(amount, rate, months, method, start_on, day_count=terms.day_count)


def cost_of(terms: Terms, schedule: Schedule) -> Cost:
    """All-in cost with the product's own fees (N3)."""
    return money.cost(schedule, charges(terms, schedule.amount, schedule.start_on))


_REFERENCE_DAY = date(2025, 3, 1)
"""Ranges are worked out from one fixed day, so that poster, page and bot show the same figure on any day."""


@lru_cache(maxsize=256)
def all_in_range(terms: Terms) -> tuple[Decimal, Decimal]:
    """Lowest and highest all-in annual cost over every offered method and term, never below the quoted rate.

    The figure is rounded to a hundredth of a percent as it is shown.
    """
    ends = []
    for rate in (terms.rate_min, terms.rate_max):
        found = [
            cost_of(terms, plan(terms, terms.amount_max, rate, months, r.method, _REFERENCE_DAY)).annualised
            for r in terms.repayments
            for months in r.months
        ]
        ends.append(max(rate, *found) if rate == terms.rate_max else max(rate, min(found)))
    low, high = (e.quantize(Decimal("0.0001")) for e in ends)
    return low, high


def _axes(terms: Terms) -> Iterable[Breach]:
    if not terms.target_customers.strip():
        yield _breach("target_customers", "没有写明目标客户", "A8-23")
    if not terms.data_sources or not set(terms.data_sources) <= set(DATA_SOURCES):
        yield _breach("data_sources", "没有写明数据来源，或写了目录外的来源", "A8-23")
    if not terms.risk_mitigation or not set(terms.risk_mitigation) <= set(RISK_MITIGATIONS):
        yield _breach("risk_mitigation", "没有写明风险缓释方式", "A8-23")
    if terms.guarantors < 0 or (terms.guarantors and "surety" not in terms.risk_mitigation):
        yield _breach("guarantors", "要保证人的产品，风险缓释方式里要写“保证”", "A8-12")


def _shape(terms: Terms) -> Iterable[Breach]:
    if not 0 < terms.amount_min <= terms.amount_max:
        yield _breach("amount_max", "金额上下限不成区间", "A3-19")
    if not Decimal(0) < terms.rate_min <= terms.rate_max:
        yield _breach("rate_max", "利率上下限不成区间", "A3-19")
    if not terms.repayments or any(not r.months or min(r.months) < 1 for r in terms.repayments):
        yield _breach("repayments", "没有还款方式或期限", "A3-19")
    if not all((terms.texts.tagline, terms.texts.audience, terms.texts.steps, terms.texts.risk)):
        yield _breach("texts", "宣传语、适用人群、办理步骤和风险提示都要写", "A3-19")
    if terms.mode == "pure_online" and terms.judgement == "offline":
        yield _breach("judgement", "纯线上产品不能靠线下评估", "A7-01")


def _people(terms: Terms, rules: InForce) -> Iterable[Breach]:
    if terms.age_min < rules.count("age.minimum"):
        yield _breach("age_min", f"不得向未满 {rules.count('age.minimum')} 周岁的人放贷", "D6-02")
    if terms.age_max > rules.count("age.maximum"):
        yield _breach("age_max", f"还款日年龄不得超过 {rules.count('age.maximum')} 周岁", "A6-02")
    if terms.age_max < terms.age_min:
        yield _breach("age_max", "年龄上下限不成区间", "A3-19")


def _purposes(terms: Terms, rules: InForce) -> Iterable[Breach]:
    if not terms.purposes or not set(terms.purposes) <= set(PURPOSES):
        yield _breach("purposes", "没有写明用途，或写了目录外的用途", "A3-19")
    refused = set(terms.purposes) & set(rules.words("purposes.forbidden"))
    if refused:
        named = "、".join(sorted(PURPOSES[p] for p in refused))
        yield _breach("purposes", f"贷款不得用于{named}", "D1-07")


def _amounts(terms: Terms, rules: InForce) -> Iterable[Breach]:
    if not _is_internet_consumer(terms):
        return
    cap = consumer_cap(rules)
    if terms.amount_max > cap:
        yield _breach("amount_max", f"个人互联网消费贷款不得超过 {cap // 100:,} 元", "D1-01")


def consumer_cap(rules: InForce, *, good_credit: bool = False) -> int:
    """The cap in fen on one person's internet consumer credit (D1-01), with the temporary one where it is
    switched on and the person's credit is good (D1-03)."""
    cap = rules.amount("internet_consumer.cap")
    if good_credit and "internet_consumer.cap.temporary" in rules.parameters:
        cap = max(cap, rules.amount("internet_consumer.cap.temporary"))
    return cap


def _terms(terms: Terms, rules: InForce) -> Iterable[Breach]:
    if terms.audience == "personal":
        longest = rules.count(f"{terms.purpose_class}.term_months")
        if max(terms.months, default=0) > longest:
            kind = "消费" if terms.purpose_class == "consumer" else "经营"
            yield _breach("repayments", f"个人{kind}贷款最长 {longest} 个月", "D2-05")
    bullet = rules.count("internet_consumer.bullet_months")
    for repayment in terms.repayments if _is_internet_consumer(terms) else ():
        if repayment.method.is_bullet and max(repayment.months, default=0) > bullet:
            yield _breach("repayments", f"{repayment.method.label}到期一次还本，最长 {bullet} 个月", "D1-01")


def _fees(terms: Terms) -> Iterable[Breach]:
    for fee in terms.fees:
        if fee.payer == "borrower" and fee.payee != LENDER:
            yield _breach("fees", f"“{fee.name}”不得由 {fee.payee} 向借款人收取", "D2-03")


def _wording(terms: Terms, rules: InForce) -> Iterable[Breach]:
    text = "".join((terms.texts.tagline, terms.texts.audience, terms.texts.steps, terms.texts.risk))
    for word in rules.forbidden_in(text):
        yield _breach("texts", f"文字里不能有“{word}”", "D4-02")


def _cost(terms: Terms, rules: InForce) -> Iterable[Breach]:
    cap = rules.rate("all_in_cost.cap")
    if all_in_range(terms)[1] > cap:
        yield _breach("rate_max", f"年化综合融资成本超过 {cap:.0%}", "D2-04")


def _is_internet_consumer(terms: Terms) -> bool:
    return terms.audience == "personal" and terms.purpose_class == "consumer" and terms.is_internet_loan


def _breach(field: str, message: str, row_id: str) -> Breach:
    return Breach(field=field, message=message, row_id=row_id)


def _common(parent: tuple[str, ...], own: tuple[str, ...] | None) -> tuple[str, ...]:
    return parent if own is None else tuple(p for p in own if p in parent)


def _union(parent: tuple[str, ...], own: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(own or ()), *parent))) if own else parent


def _common_repayments(
    parent: tuple[Repayment, ...], own: tuple[Repayment, ...] | None
) -> tuple[Repayment, ...]:
    if own is None:
        return parent
    offered = {r.method: r.months for r in parent}
    joined = (
        Repayment(method=r.method, months=tuple(m for m in r.months if m in offered.get(r.method, ())))
        for r in own
    )
    return tuple(r for r in joined if r.months)
