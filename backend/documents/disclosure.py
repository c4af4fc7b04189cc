"""综合融资成本明示表 (D2-09, 金规〔2026〕2号): one object for the page, the PDF and the contract (N3).

The customer confirms its `sha256`; the contract package and the hand-off carry the same hash.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from backend.core import money
from backend.core.money import Charge, RepaymentMethod, Schedule
from backend.documents import wording

VERSION = "2026-1"
"""Version of the table's form; raised when its rows or wording change."""

STATEMENT = "除上述外，不收取任何其他费用。"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A row: what is charged, how, by what measure, and who collects it. `amount` in fen; None: depends."""

    item: str
    method: str
    standard: str
    collected_by: str
    amount: int | None = None


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` in normal performance, `contingent` only on default. `annualised` is the all-in annual cost."""

    version: str
    reference: str
    lender: str
    lender_phone: str
    borrower: str
    product_name: str
    principal: int
    term_months: int
    method_label: str
    annual_rate: Decimal
    day_count_label: str
    lines: tuple[Line, ...]
    annualised: Decimal
    effective: Decimal
    total: int
    contingent: tuple[Line, ...]
    statement: str
    made_on: date

    @property
    def sha256(self) -> str:
        """Hex, over every figure and word in a fixed order."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def build(
    *,
    reference: str,
    lender: str,
    lender_phone: str,
    borrower: str,
    product_name: str,
    schedule: Schedule,
    charges: Sequence[Charge] = (),
    overdue_factor: Decimal,
    misuse_factor: Decimal,
    made_on: date,
) -> Disclosure:
    """The table for one loan. `reference` is the application or contract number."""
    cost = money.cost(schedule, charges)
    return Disclosure(
        version=VERSION,
        reference=reference,
        lender=lender,
        lender_phone=lender_phone,
        borrower=borrower,
        product_name=product_name,
        principal=schedule.amount,
        term_months=schedule.months,
        method_label=schedule.method.label,
        annual_rate=schedule.annual_rate,
        day_count_label=schedule.day_count.label,
        lines=(_interest(schedule, lender), *(_charge(c) for c in charges)),
        annualised=cost.annualised,
        effective=cost.effective,
        total=schedule.total_repayment + cost.total_charges,
        contingent=_contingent(schedule, lender, overdue_factor, misuse_factor),
        statement=STATEMENT,
        made_on=made_on,
    )


_INTEREST_METHODS = {
    RepaymentMethod.EQUAL_INSTALMENTS: "按月计息，每月还一样多，利息按剩余本金算",
    RepaymentMethod.EQUAL_PRINCIPAL: "按月计息，每月还一样多的本金，利息按剩余本金算",
    RepaymentMethod.INTEREST_FIRST: "按实际天数计息，每月还利息，到期还本金",
    RepaymentMethod.ON_DEMAND: "按实际用款天数计息，随时可还；此处按用满全程计算",
}


def _interest(schedule: Schedule, lender: str) -> Line:
    return Line(
        item="利息",
        method=_INTEREST_METHODS[schedule.method],
        standard=f"年利率 {wording.percent(schedule.annual_rate)}（单利）",
        collected_by=lender,
        amount=schedule.total_interest,
    )


def _charge(charge: Charge) -> Line:
    return Line(
        item=charge.name,
        method=f"{wording.day(charge.due_on)}一次收取",
        standard=f"{wording.yuan(charge.amount)} 元",
        collected_by=charge.collected_by,
        amount=charge.amount,
    )


def _contingent(
    schedule: Schedule, lender: str, overdue_factor: Decimal, misuse_factor: Decimal
) -> tuple[Line, ...]:
    def penalty(item: str, method: str, factor: Decimal) -> Line:
        rate = wording.percent(schedule.annual_rate * factor)
        times = f"{factor.normalize():f}"
        return Line(
            item=item, method=method, standard=f"年利率 {rate}（合同利率的 {times} 倍）", collected_by=lender
        )

    return (
        penalty("逾期罚息", "没按时还的本金，从逾期当天起按天计收", overdue_factor),
        penalty("挪用罚息", "没按约定用途使用的部分，从挪用当天起按天计收", misuse_factor),
        penalty("逾期利息的复利", "没按时还的利息，从逾期当天起按天计收", overdue_factor),
        Line(
            item="提前还款",
            method="随时可以提前还，利息算到还款当天",
            standard="不收违约金",
            collected_by=lender,
            amount=0,
        ),
    )
