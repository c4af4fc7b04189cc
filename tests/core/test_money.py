"""Property tests of the one cost engine (N3, D2-10)."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core import money
from backend.core.money import Charge, DayCount, RepaymentMethod

amounts = st.integers(100_00, 500_000_00)
rates = st.decimals("0.03", "0.24", places=4)
terms = st.integers(1, 60)
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
methods = st.sampled_from(RepaymentMethod)


@given(amounts, rates, terms, methods, days)
def test_every_plan_repays_exactly_the_principal(amount, rate, months, method, start):
    plan = money.schedule(amount, rate, months, method, start)
    assert sum(i.principal for i in plan.instalments) == amount
    assert plan.instalments[-1].balance == 0
    assert all(i.principal >= 0 and i.interest >= 0 for i in plan.instalments)


@given(amounts, rates, terms, methods, days)
def test_due_days_rise_and_end_at_the_term(amount, rate, months, method, start):
    plan = money.schedule(amount, rate, months, method, start)
    dues = [i.due_on for i in plan.instalments]
    assert dues == sorted(set(dues))
    assert plan.matures_on == money.add_months(start, months)


@given(amounts, rates, st.integers(2, 60), days)
def test_equal_instalments_are_level_but_for_the_last(amount, rate, months, start):
    plan = money.schedule(amount, rate, months, RepaymentMethod.EQUAL_INSTALMENTS, start)
    levels = {i.payment for i in plan.instalments[:-1]}
    assert len(levels) == 1
    # Each rounding is at most half a fen, carried with interest to the end.
    assert abs(plan.instalments[-1].payment - levels.pop()) <= 3 * months


@given(amounts, rates, terms, st.sampled_from(["equal_instalments", "equal_principal"]), days)
@settings(max_examples=60)
def test_without_charges_the_all_in_cost_is_the_rate(amount, rate, months, method, start):
    plan = money.schedule(amount, rate, months, RepaymentMethod(method), start)
    # Rounding to fen moves the rate of the smallest loan of 100 yuan by a few basis points at most.
    tolerance = Decimal("0.0000011") + Decimal(70) / amount
    assert abs(money.cost(plan).annualised - rate) < tolerance


@given(st.integers(1_000_00, 500_000_00), rates, st.integers(1, 24), days)
@settings(max_examples=60)
def test_interest_by_days_costs_its_rate_whatever_the_months(amount, rate, months, start):
    for method in (RepaymentMethod.ON_DEMAND, RepaymentMethod.INTEREST_FIRST):
        plan = money.schedule(amount, rate, months, method, start)
        assert abs(money.cost(plan).annualised - rate) <= Decimal("0.0000011") + Decimal(20) / amount


@given(amounts, rates, st.integers(1, 12), days)
@settings(max_examples=60)
def test_a_360_day_year_costs_more_than_it_says(amount, rate, months, start):
    plan = money.schedule(
        amount, rate, months, RepaymentMethod.INTEREST_FIRST, start, day_count=DayCount.ACTUAL_360
    )
    fair = money.schedule(amount, rate, months, RepaymentMethod.INTEREST_FIRST, start)
    assert money.cost(plan).annualised >= money.cost(fair).annualised


@given(st.integers(1_000_00, 50_000_00), rates, terms, methods, st.integers(100_00, 500_00), days)
@settings(max_examples=60)
def test_any_charge_raises_the_all_in_cost(amount, rate, months, method, charged, start):
    plan = money.schedule(amount, rate, months, method, start)
    fee = Charge(code="x", name="担保费", amount=charged, due_on=start, collected_by="某担保公司")
    with_fee = money.cost(plan, [fee])
    assert with_fee.annualised > money.cost(plan).annualised
    assert with_fee.total_charges == charged


@given(amounts, rates, st.integers(1, 36), methods, days)
@settings(max_examples=60)
def test_the_internal_rate_makes_the_flows_worth_nothing(amount, rate, months, method, start):
    plan = money.schedule(amount, rate, months, method, start)
    annual = money.cost(plan).effective
    worth = Decimal(amount)
    for each in plan.instalments:
        days = Decimal((each.due_on - start).days)
        years = days / 365 if method.is_bullet else Decimal(each.number) / 12
        worth -= each.payment * (1 + annual) ** -years
    assert abs(worth) <= amount * Decimal("0.00002") + 1


def test_the_effective_rate_agrees_with_the_spreadsheet_documentation():
    # The worked example of the XIRR function in spreadsheets: 0.373362535.
    flows = [
        (date(2008, 3, 1), 2_750_00),
        (date(2008, 10, 30), 4_250_00),
        (date(2009, 2, 15), 3_250_00),
        (date(2009, 4, 1), 2_750_00),
    ]
    plan = money.schedule(10_000_00, Decimal(0), 15, RepaymentMethod.ON_DEMAND, date(2008, 1, 1))
    lines = [msgspec.structs.replace(plan.instalments[0], due_on=day, principal=paid) for day, paid in flows]
    plan = msgspec.structs.replace(plan, instalments=tuple(lines))
    assert money.cost(plan).effective == Decimal("0.373363")


def test_a_known_loan_has_its_known_instalment():
    # 100,000 yuan, 12 months, 7.2 %: the annuity formula at 0.6 % a month.
    plan = money.schedule(
        100_000_00, Decimal("0.072"), 12, RepaymentMethod.EQUAL_INSTALMENTS, date(2026, 11, 23)
    )
    rate = 0.006
    assert plan.instalments[0].payment == round(100_000_00 * rate / (1 - (1 + rate) ** -12))
    assert plan.instalments[0].interest == 600_00
    assert plan.instalments[0].due_on == date(2026, 12, 23)


def test_interest_first_pays_actual_days_and_the_principal_last():
    plan = money.schedule(50_000_00, Decimal("0.073"), 3, RepaymentMethod.INTEREST_FIRST, date(2026, 1, 31))
    assert [i.due_on for i in plan.instalments] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    assert [i.interest for i in plan.instalments] == [280_00, 310_00, 300_00]
    assert [i.principal for i in plan.instalments] == [0, 0, 50_000_00]


@pytest.mark.parametrize(("principal", "fen"), [(500, 1), (1500, 2), (2500, 3), (499, 0)])
def test_half_a_fen_of_interest_is_a_whole_one_every_time(principal, fen):
    assert money.interest(principal, Decimal("0.365"), 1, DayCount.ACTUAL_365) == fen


def test_on_demand_shows_the_dearest_case():
    plan = money.schedule(10_000_00, Decimal("0.0365"), 12, RepaymentMethod.ON_DEMAND, date(2026, 3, 1))
    assert len(plan.instalments) == 1
    assert plan.total_interest == 365_00


def test_a_fee_deducted_at_the_start_is_measured_on_what_was_really_lent():
    # 10,000 for a month at 12 %, 100 taken at once: 200 on 9,900 in one month is 24.24 % a year.
    plan = money.schedule(10_000_00, Decimal("0.12"), 1, RepaymentMethod.EQUAL_INSTALMENTS, date(2026, 4, 1))
    fee = Charge(code="fee", name="服务费", amount=100_00, due_on=date(2026, 4, 1), collected_by="平台")
    assert money.cost(plan, [fee]).annualised == Decimal("0.242424")


@given(st.integers(-(10**12), 10**12))
def test_fen_and_yuan_are_inverse(fen):
    assert money.fen(money.yuan(fen)) == fen


@pytest.mark.parametrize("text", ["1.005", "NaN", "Infinity"])
def test_an_amount_below_a_fen_is_refused(text):
    with pytest.raises(ValueError):
        money.fen(text)


@given(days, st.integers(0, 120))
def test_months_later_never_skips_a_month(day, months):
    later = money.add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_flows_one_way_have_no_rate():
    """The charge at the start eats up the loan."""
    start = date(2026, 1, 1)
    plan = money.schedule(100_00, Decimal("0.12"), 3, RepaymentMethod.EQUAL_INSTALMENTS, start)
    fee = Charge(code="fee", name="服务费", amount=100_00, due_on=start, collected_by="平台")
    with pytest.raises(ValueError):
        money.cost(plan, [fee])
