"""Which terms may be published, and how far a county may go (D1, D2, A8)."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.money import RepaymentMethod
from backend.domains.products import demo, rules
from backend.domains.products.model import Fee, Overrides, Repayment, Terms
from backend.domains.regulation.model import InForce, Parameter

DAY = date(2026, 11, 23)


def in_force(**changed) -> InForce:
    values = {
        "age.minimum": ("count", 18),
        "age.maximum": ("count", 65),
        "purposes.forbidden": ("words", ("house_purchase", "shares")),
        "marketing.forbidden_words": ("words", ("秒批", "低风险")),
        "internet_consumer.cap": ("fen", 200_000_00),
        "internet_consumer.bullet_months": ("count", 12),
        "consumer.term_months": ("count", 60),
        "business.term_months": ("count", 120),
        "all_in_cost.cap": ("rate", Decimal("0.24")),
    } | changed
    return InForce(
        DAY,
        {
            key: Parameter(
                key=key, effective_from=DAY, effective_to=None, unit=unit, value=value, title="", source="",
                row_id="",
            )
            for key, (unit, value) in values.items()
        },
    )  # fmt: skip


def suixiang(**changed) -> Terms:
    terms = next(e.terms for e in demo.catalogue() if e.code == "SXD")
    return msgspec.structs.replace(terms, **changed)


def rows(terms: Terms, **parameters) -> set[str]:
    return {b.row_id for b in rules.breaches(terms, in_force(**parameters))}


def test_the_demo_terms_break_no_rule():
    assert rows(suixiang()) == set()


def test_d1_01_consumer_cap_holds_to_the_fen():
    assert rows(suixiang(amount_max=200_000_00)) == set()
    assert rows(suixiang(amount_max=200_000_01)) == {"D1-01"}


def test_a10_02_the_legacy_product_stops_at_three_hundred_thousand():
    legacy = next(e.terms for e in demo.catalogue() if e.code == "JYED")
    assert legacy.amount_max == 300_000_00
    assert not legacy.is_internet_loan
    assert rows(legacy) == set()


def test_d1_06_a_loan_judged_offline_is_no_internet_loan():
    offline = suixiang(judgement="offline", mode="online_offline", amount_max=300_000_00)
    assert not offline.is_internet_loan
    assert rows(offline) == set()
    assert not suixiang(pledge_appraisal="offline").is_internet_loan


def test_d1_03_the_temporary_cap_needs_the_switch_and_good_credit():
    off = in_force()
    on = in_force(**{"internet_consumer.cap.temporary": ("fen", 300_000_00)})
    assert rules.consumer_cap(off, good_credit=True) == 200_000_00
    assert rules.consumer_cap(on) == 200_000_00
    assert rules.consumer_cap(on, good_credit=True) == 300_000_00


@pytest.mark.parametrize("method", [RepaymentMethod.INTEREST_FIRST, RepaymentMethod.ON_DEMAND])
def test_d1_01_a_bullet_loan_ends_within_a_year(method):
    assert rows(suixiang(repayments=(Repayment(method=method, months=(12,)),))) == set()
    assert rows(suixiang(repayments=(Repayment(method=method, months=(13,)),))) == {"D1-01"}


def test_d2_05_consumer_terms_end_at_five_years_and_business_at_ten():
    level = RepaymentMethod.EQUAL_INSTALMENTS
    at = lambda months: (Repayment(method=level, months=(months,)),)  # noqa: E731
    assert rows(suixiang(repayments=at(60))) == set()
    assert rows(suixiang(repayments=at(61))) == {"D2-05"}
    business = {"purpose_class": "business", "purposes": ("planting",)}
    assert rows(suixiang(repayments=at(120), **business)) == set()
    assert rows(suixiang(repayments=at(121), **business)) == {"D2-05"}


def test_d2_04_all_in_cost_over_the_cap_is_refused_even_by_a_fee():
    dear = suixiang(rate_max=Decimal("0.2400"), repayments=(
        Repayment(method=RepaymentMethod.EQUAL_INSTALMENTS, months=(12,)),))  # fmt: skip
    assert rows(dear) == set()
    assert rows(msgspec.structs.replace(dear, rate_max=Decimal("0.2401"))) == {"D2-04"}
    fee = Fee(code="f", name="手续费", rate=Decimal("0.01"), payer="borrower", payee=rules.LENDER)
    assert rows(msgspec.structs.replace(dear, fees=(fee,))) == {"D2-04"}


def test_d2_03_a_fee_collected_by_someone_else_is_refused():
    fee = Fee(code="c", name="咨询费", rate=Decimal("0.001"), payer="borrower", payee="某平台")
    assert rows(suixiang(fees=(fee,))) == {"D2-03"}


def test_d1_07_forbidden_purposes_are_refused():
    assert rows(suixiang(purposes=("travel", "shares"))) == {"D1-07"}


def test_d6_02_seventeen_is_too_young():
    assert rows(suixiang(age_min=17)) == {"D6-02"}


def test_d4_02_inducing_words_are_refused():
    texts = msgspec.structs.replace(suixiang().texts, tagline="秒批到账")
    assert rows(suixiang(texts=texts)) == {"D4-02"}


@pytest.mark.parametrize("axis", ["target_customers", "data_sources", "risk_mitigation"])
def test_a8_23_each_of_the_three_axes_must_be_stated(axis):
    assert "A8-23" in rows(suixiang(**{axis: "" if axis == "target_customers" else ()}))


def test_every_breach_is_told_at_once():
    bad = suixiang(age_min=16, purposes=("shares",), amount_max=500_000_00)
    assert rows(bad) == {"D6-02", "D1-07", "D1-01"}


def test_a8_14_a_county_may_only_tighten_opened_fields():
    parent = suixiang()
    assert rules.looser(parent, Overrides(amount_max=100_000_00)) == []
    assert rules.looser(parent, Overrides(amount_max=200_000_01))
    assert rules.looser(parent, Overrides(rate_max=Decimal("0.10")))
    assert rules.looser(parent, Overrides(age_min=17))
    assert rules.looser(parent, Overrides(purposes=("travel", "planting")))
    # rate_min is not opened by the union
    assert [b.field for b in rules.looser(parent, Overrides(rate_min=Decimal("0.05")))] == ["rate_min"]


money_fen = st.integers(1, 300_000_00)
bands = st.decimals("0.01", "0.24", places=4)


@given(
    st.builds(
        Overrides,
        amount_min=st.none() | money_fen,
        amount_max=st.none() | money_fen,
        rate_min=st.none() | bands,
        rate_max=st.none() | bands,
        age_min=st.none() | st.integers(0, 80),
        age_max=st.none() | st.integers(0, 80),
        purposes=st.none() | st.lists(st.sampled_from(["travel", "shares", "medical"])).map(tuple),
        repayments=st.none()
        | st.lists(
            st.builds(
                Repayment,
                method=st.sampled_from(RepaymentMethod),
                months=st.lists(st.sampled_from([3, 6, 12, 48])).map(tuple),
            ),
            unique_by=lambda r: r.method,
        ).map(tuple),
    )
)
def test_a1_01_no_override_can_be_looser_than_head_office(overrides):
    parent = suixiang()
    joined = rules.meet(parent, overrides)
    if joined is None:
        return
    assert parent.amount_min <= joined.amount_min <= joined.amount_max <= parent.amount_max
    assert parent.rate_min <= joined.rate_min <= joined.rate_max <= parent.rate_max
    assert parent.age_min <= joined.age_min <= joined.age_max <= parent.age_max
    assert set(joined.purposes) <= set(parent.purposes)
    assert all(set(r.months) <= set(parent.terms_of(r.method)) for r in joined.repayments)
    assert set(joined.required_features) >= set(parent.required_features)


def test_a1_08_a_county_may_ask_for_more_guarantors_never_for_fewer_and_only_for_a_surety():
    parent = msgspec.structs.replace(
        suixiang(), risk_mitigation=("credit", "surety"), guarantors=1, opened_fields=("guarantors",)
    )
    assert parent.online_road
    assert not msgspec.structs.replace(parent, guarantors=0).online_road, "dealt with at the branch"
    assert rules.looser(parent, Overrides(guarantors=2)) == []
    assert rules.meet(parent, Overrides(guarantors=2)).guarantors == 2
    assert rules.meet(parent, Overrides(guarantors=0)).guarantors == 1
    assert [b.field for b in rules.looser(parent, Overrides(guarantors=0))] == ["guarantors"]
    alone = msgspec.structs.replace(suixiang(), guarantors=1)
    assert [b.field for b in rules.breaches(alone, in_force())] == ["guarantors"]


def test_n3_without_fees_the_all_in_range_is_the_rate_band():
    assert rules.all_in_range(suixiang()) == (Decimal("0.0435"), Decimal("0.0960"))


def test_every_product_of_the_catalogue_may_be_published():
    parents = {e.code: e.terms for e in demo.catalogue() if e.terms}
    for entry in demo.catalogue():
        if entry.overrides is None:
            assert rules.breaches(entry.terms, in_force()) == [], entry.code
        else:
            assert rules.looser(parents[entry.parent], entry.overrides) == [], entry.code
            assert rules.breaches(rules.meet(parents[entry.parent], entry.overrides), in_force()) == []
