"""The 明示表: every item, one cost figure, one hash (D2-03, D2-09, D2-10, N3)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core import money
from backend.core.money import Charge, RepaymentMethod
from tests.documents.conftest import DAY, make_disclosure, make_schedule, replaced


def test_d2_09_every_required_entry_is_there(sheet):
    assert sheet.principal == 52_000_00
    (interest,) = sheet.lines
    assert (interest.item, interest.collected_by) == ("利息", "甲县农村商业银行")
    assert interest.amount == make_schedule().total_interest
    assert "6.15%" in interest.standard
    assert interest.method
    assert sheet.annualised == Decimal("0.061500")
    assert [c.item for c in sheet.contingent] == ["逾期罚息", "挪用罚息", "逾期利息的复利", "提前还款"]
    assert sheet.statement == "除上述外，不收取任何其他费用。"


def test_default_costs_state_their_rate(sheet):
    overdue, misuse, compound, early = sheet.contingent
    assert "9.23%" in overdue.standard  # 6.15 % × 1.5 = 9.225 %
    assert "12.30%" in misuse.standard
    assert "9.23%" in compound.standard
    assert early.amount == 0


def test_d2_03_a_charge_has_its_own_row_with_its_collector_and_raises_the_cost(sheet):
    fee = Charge(code="g", name="担保费", amount=520_00, due_on=DAY, collected_by="省农业担保公司")
    dearer = make_disclosure(charges=[fee])
    assert [(c.item, c.collected_by, c.amount) for c in dearer.lines][1] == (
        "担保费",
        "省农业担保公司",
        520_00,
    )
    assert dearer.annualised > sheet.annualised + Decimal("0.015")
    assert dearer.total == sheet.total + 520_00


@given(
    st.integers(1_000_00, 200_000_00),
    st.decimals("0.03", "0.24", places=4),
    st.sampled_from([3, 6, 12]),
    st.sampled_from(RepaymentMethod),
)
def test_n3_the_table_shows_the_engines_figure_to_the_digit(amount, rate, months, method):
    plan = money.schedule(amount, rate, months, method, date(2026, 11, 23))
    shown = make_disclosure(plan)
    assert shown.annualised == money.cost(plan).annualised
    assert shown.total == plan.total_repayment
    assert shown.total == shown.principal + sum(line.amount for line in shown.lines)


def test_the_same_loan_has_the_same_hash_and_any_change_another(sheet):
    assert make_disclosure().sha256 == sheet.sha256
    for changed in (
        {"principal": 52_000_01},
        {"annualised": Decimal("0.061501")},
        {"borrower": "李四"},
        {"statement": "除上述外，不收取任何其他费用"},
        {"lines": ()},
        {"version": "2026-2"},
    ):
        assert replaced(sheet, **changed).sha256 != sheet.sha256, changed


def test_d2_10_a_360_day_year_shows_what_it_costs():
    plan = money.schedule(
        52_000_00, Decimal("0.0615"), 12, RepaymentMethod.ON_DEMAND, DAY, day_count=money.DayCount.ACTUAL_360
    )
    shown = make_disclosure(plan)
    assert shown.annual_rate == Decimal("0.0615")
    assert shown.annualised == Decimal("0.062354")  # 6.15 % × 365 ÷ 360


@pytest.mark.parametrize("method", list(RepaymentMethod))
def test_every_method_is_explained_in_words(method):
    shown = make_disclosure(make_schedule(method=method))
    assert shown.method_label == method.label
    assert "计息" in shown.lines[0].method
