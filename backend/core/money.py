"""Money: fen and yuan, repayment schedules, and the one engine behind every cost figure shown (N3).

Amounts are integer fen, rates are `Decimal` per year (0.072 is 7.2 %). Whole-month instalments bear a twelfth
of the annual rate whatever the month's length (按月计息); everything else bears interest by actual days over
the year of its `DayCount`. Halves of a fen are rounded up.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum

import msgspec

_RATE = Decimal("0.000001")
_TOLERANCE = Decimal("1e-14")


class RepaymentMethod(StrEnum):
    EQUAL_INSTALMENTS = "equal_instalments"
    EQUAL_PRINCIPAL = "equal_principal"
    INTEREST_FIRST = "interest_first"
    ON_DEMAND = "on_demand"

    @property
    def label(self) -> str:
        return _METHOD_LABELS[self]

    @property
    def is_bullet(self) -> bool:
        """到期一次性还本: the principal falls due in one payment (D1-01)."""
        return self in (RepaymentMethod.INTEREST_FIRST, RepaymentMethod.ON_DEMAND)


_METHOD_LABELS = {
    RepaymentMethod.EQUAL_INSTALMENTS: "等额本息",
    RepaymentMethod.EQUAL_PRINCIPAL: "等额本金",
    RepaymentMethod.INTEREST_FIRST: "先息后本",
    RepaymentMethod.ON_DEMAND: "随借随还",
}


class DayCount(StrEnum):
    ACTUAL_360 = "actual_360"
    ACTUAL_365 = "actual_365"

    @property
    def days(self) -> int:
        return 360 if self is DayCount.ACTUAL_360 else 365

    @property
    def label(self) -> str:
        return f"日利率 = 年利率 ÷ {self.days}"


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the plan; `balance` is what is still owed after it."""

    number: int
    due_on: date
    principal: int
    interest: int
    balance: int

    @property
    def payment(self) -> int:
        return self.principal + self.interest


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """还款计划. For 随借随还 it is the dearest case: nothing is repaid before maturity."""

    method: RepaymentMethod
    amount: int
    annual_rate: Decimal
    months: int
    start_on: date
    day_count: DayCount
    instalments: tuple[Instalment, ...]

    @property
    def total_interest(self) -> int:
        return sum(i.interest for i in self.instalments)

    @property
    def total_repayment(self) -> int:
        return self.amount + self.total_interest

    @property
    def matures_on(self) -> date:
        return self.instalments[-1].due_on


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Something the borrower pays beside principal and interest; it enters the all-in cost (D2-03)."""

    code: str
    name: str
    amount: int
    due_on: date
    collected_by: str


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """综合融资成本. `annualised` is the figure shown everywhere: the internal rate with simple interest
    between payments (内部收益率法，单利); `effective` is the same cost compounded (复利).
    """

    annualised: Decimal
    effective: Decimal
    total_interest: int
    total_charges: int


def yuan(fen: int) -> Decimal:
    """12345 fen → Decimal('123.45')."""
    return Decimal(fen).scaleb(-2)


def fen(yuan: Decimal | str) -> int:
    """Decimal('123.45') yuan → 12345. Raises ValueError when there is a part of a fen."""
    amount = Decimal(yuan).scaleb(2)
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError("an amount of money has at most two decimals")
    return int(amount)


def interest(principal: int, annual_rate: Decimal, days: int, day_count: DayCount) -> int:
    """Interest in fen for actual days on a principal in fen."""
    return _round(principal * annual_rate * days / day_count.days)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day (31 January + 1 → 28 or 29 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for candidate in range(day.day, 27, -1):
        try:
            return date(year, month + 1, candidate)
        except ValueError:
            continue
    return date(year, month + 1, day.day)


def schedule(
    amount: int,
    annual_rate: Decimal,
    months: int,
    method: RepaymentMethod,
    start_on: date,
    *,
    day_count: DayCount = DayCount.ACTUAL_365,
) -> Schedule:
    """The plan of one drawdown. Raises ValueError for a non-positive amount or term or a negative rate."""
    if amount <= 0 or months <= 0 or annual_rate < 0:
        raise ValueError("a schedule needs a positive amount and term and a rate of at least zero")
    with localcontext(prec=34):
        lines = _PLANS[method](amount, annual_rate, months, start_on, day_count)
    return Schedule(
        method=method,
        amount=amount,
        annual_rate=annual_rate,
        months=months,
        start_on=start_on,
        day_count=day_count,
        instalments=tuple(lines),
    )


def cost(plan: Schedule, charges: Iterable[Charge] = ()) -> Cost:
    """All-in cost of a plan kept to the letter, with every charge (D2-09, D2-10).

    Time is measured as the plan measures interest, by twelfths of a year or by days over 365, so that a plan
    without charges costs its own rate. Raises ValueError when the charges at the start eat up the loan.
    """
    charges = tuple(charges)
    flows = [(plan.start_on, plan.amount)]
    flows += [(i.due_on, -i.payment) for i in plan.instalments]
    flows += [(c.due_on, -c.amount) for c in charges]
    years = _years_by_days if plan.method.is_bullet else _years_by_months
    with localcontext(prec=34):
        steps = _steps([(years(plan.start_on, day), amount) for day, amount in flows])
        annualised = _internal_rate(steps, _simple)
        effective = _internal_rate(steps, _compound)
    return Cost(
        annualised=annualised.quantize(_RATE, ROUND_HALF_UP),
        effective=effective.quantize(_RATE, ROUND_HALF_UP),
        total_interest=plan.total_interest,
        total_charges=sum(c.amount for c in charges),
    )


def _round(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))


def _equal_instalments(
    amount: int, annual_rate: Decimal, months: int, start_on: date, _: DayCount
) -> list[Instalment]:
    rate = annual_rate / 12
    level = _round(amount * rate / (1 - (1 + rate) ** -months)) if rate else _round(Decimal(amount) / months)
    lines, balance = [], amount
    for number in range(1, months + 1):
        due = _round(balance * rate)
        # The last instalment takes what the rounding of the others left over.
        principal = balance if number == months else min(balance, level - due)
        balance -= principal
        lines.append(_line(number, start_on, principal, due, balance))
    return lines


def _equal_principal(
    amount: int, annual_rate: Decimal, months: int, start_on: date, _: DayCount
) -> list[Instalment]:
    rate, share = annual_rate / 12, amount // months
    lines, balance = [], amount
    for number in range(1, months + 1):
        due = _round(balance * rate)
        principal = balance if number == months else share
        balance -= principal
        lines.append(_line(number, start_on, principal, due, balance))
    return lines


def _interest_first(
    amount: int, annual_rate: Decimal, months: int, start_on: date, day_count: DayCount
) -> list[Instalment]:
    lines = []
    for number in range(1, months + 1):
        days = (add_months(start_on, number) - add_months(start_on, number - 1)).days
        principal = amount if number == months else 0
        due = interest(amount, annual_rate, days, day_count)
        lines.append(_line(number, start_on, principal, due, 0 if principal else amount))
    return lines


def _on_demand(
    amount: int, annual_rate: Decimal, months: int, start_on: date, day_count: DayCount
) -> list[Instalment]:
    due_on = add_months(start_on, months)
    due = interest(amount, annual_rate, (due_on - start_on).days, day_count)
    return [Instalment(number=1, due_on=due_on, principal=amount, interest=due, balance=0)]


_PLANS = {
    RepaymentMethod.EQUAL_INSTALMENTS: _equal_instalments,
    RepaymentMethod.EQUAL_PRINCIPAL: _equal_principal,
    RepaymentMethod.INTEREST_FIRST: _interest_first,
    RepaymentMethod.ON_DEMAND: _on_demand,
}


def _line(number: int, start_on: date, principal: int, due: int, balance: int) -> Instalment:
    due_on = add_months(start_on, number)
    return Instalment(number=number, due_on=due_on, principal=principal, interest=due, balance=balance)


def _years_by_days(start: date, end: date) -> Decimal:
    return Decimal((end - start).days) / 365


def _years_by_months(start: date, end: date) -> Decimal:
    """Whole months as twelfths, odd days over 365."""
    whole = (end.year - start.year) * 12 + end.month - start.month
    while add_months(start, whole) > end:
        whole -= 1
    return Decimal(whole) / 12 + _years_by_days(add_months(start, whole), end)


Steps = Sequence[tuple[Decimal, int]]
"""Years since the flow before, and the flow in fen (received +, paid −)."""

Growth = Callable[[Decimal, Decimal], tuple[Decimal, Decimal]]
"""From yearly rate and years to the growth over them and the slope of its logarithm in the rate."""


def _steps(flows: Iterable[tuple[Decimal, int]]) -> Steps:
    at: dict[Decimal, int] = {}
    for time, amount in flows:
        at[time] = at.get(time, 0) + amount
    times = sorted(at)
    # Rounded, so that a month after a month is the same step as the one before.
    return [
        (round(time - before, 20), at[time]) for before, time in zip([times[0], *times], times, strict=False)
    ]


def _simple(rate: Decimal, time: Decimal) -> tuple[Decimal, Decimal]:
    growth = 1 + rate * time
    return growth, time / growth


def _compound(rate: Decimal, time: Decimal) -> tuple[Decimal, Decimal]:
    return (1 + rate) ** time, time / (1 + rate)


def _internal_rate(steps: Steps, growth: Growth) -> Decimal:
    """The rate per year at which the flows' present value is zero.

    Newton's steps inside a shrinking bracket: flows with one change of sign have exactly one root. The
    bracket starts at zero, for a borrower never pays back less than was lent.
    """
    if not (any(a > 0 for _, a in steps) and any(a < 0 for _, a in steps)):
        raise ValueError("an internal rate needs money going both ways")
    if sum(amount for _, amount in steps) == 0:
        return Decimal(0)
    low, high = _bracket(steps, growth)
    low_sign = _value(steps, growth, low)[0] > 0
    rate = (low + high) / 2
    for _ in range(200):
        value, slope = _value(steps, growth, rate)
        if (value > 0) == low_sign:
            low = rate
        else:
            high = rate
        guess = rate - value / slope if slope else rate
        following = guess if low < guess < high else (low + high) / 2
        if abs(following - rate) < _TOLERANCE:
            return following
        rate = following
    raise ValueError("these flows have no internal rate")


def _bracket(steps: Steps, growth: Growth) -> tuple[Decimal, Decimal]:
    low, high = Decimal(0), Decimal("0.1")
    sign = _value(steps, growth, low)[0] > 0
    while (_value(steps, growth, high)[0] > 0) == sign:
        high *= 4
        if high > 10**9:
            raise ValueError("these flows have no internal rate")
    return low, high


def _value(steps: Steps, growth: Growth, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Present value and its slope in the rate."""
    value = slope = Decimal(0)
    discount, log_slope = Decimal(1), Decimal(0)
    known: dict[Decimal, tuple[Decimal, Decimal]] = {}  # most steps are alike, and fractional powers dear
    for time, amount in steps:
        if time not in known:
            known[time] = growth(rate, time)
        grown, steepness = known[time]
        discount /= grown
        log_slope += steepness
        value += amount * discount
        slope -= amount * discount * log_slope
    return value, slope
