"""The form of a survey, what it is held against, and what of it counts (A6-20)."""

from datetime import date, timedelta

import msgspec
import pytest

from backend.core import clock, ids
from backend.domains.decision import facts
from backend.domains.surveys import rules
from backend.domains.surveys.model import YUAN, Survey, SurveyRefused, Told
from tests.h5.scene import SEEN

TODAY = date(2026, 11, 26)
VILLAGES = ("柳林镇 柳林村", "柳林镇 垸子村")
FORM = {**SEEN, "visited_on": "2026-11-20"}


def survey(**changed: object) -> Survey:
    whole = Survey(
        id=ids.new(), application_id=ids.new(), customer_id=ids.new(), officer_id=ids.new(), status="confirmed",
        form=FORM, consent_id=ids.new(), visited_on=date(2026, 11, 20), begun_at=clock.now(), saved_at=clock.now(),
        submitted_at=clock.now(), checked_by=ids.new(), checked_at=clock.now(), in_place=True, checker_said="",
        photos=4,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changed)


def read(photos: int = 3, **changed: str):
    return rules.read({**FORM, **changed}, photos, VILLAGES, TODAY)


def test_amounts_are_typed_in_yuan_as_people_write_them_and_kept_in_fen() -> None:
    answers = read(annual_income="60,000", stock="3 0000")
    assert (answers.annual_income, answers.stock, answers.land_mu) == (6_000_000, 3_000_000, 12)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *((name, "") for name in (*YUAN, "household_members", "land_mu", "place", "met", "reputation", "visited_on")),
        ("annual_income", "六万"), ("annual_income", "-1"), ("annual_income", "1.5"), ("annual_income", "٣"),
        ("household_members", "0"), ("household_members", "21"), ("village", "乙县 石桥村"), ("place", "moon"),
        ("visited_on", "2026-11-27"), ("visited_on", "2026-10-26"), ("visited_on", "昨天"),
    ],
)  # fmt: skip
def test_each_field_that_cannot_be_used_gets_its_sentence(field: str, text: str) -> None:
    with pytest.raises(SurveyRefused) as refused:
        read(**{field: text})
    assert list(refused.value.fields) == [field]


def test_too_few_photographs_cannot_be_handed_in() -> None:
    with pytest.raises(SurveyRefused) as refused:
        read(photos=2)
    assert "至少拍 3 张" in refused.value.fields["photos"]


def test_a_place_is_kept_only_with_the_customers_own_consent_to_it() -> None:
    """D3-04: location is sensitive; refusing it costs nothing."""
    here = "34.12345,113.12345 ±20 米"
    assert read().location == ""
    assert read(location=here, location_agreed="yes").location == here
    with pytest.raises(SurveyRefused) as refused:
        read(location=here)
    assert "没有同意" in refused.value.fields["location_agreed"]


def differing(told: Told, **changed: str) -> set[tuple[str, str]]:
    return {(check.label, check.source) for check in rules.compare(read(**changed), told) if check.differs}


def test_what_differs_from_other_sources_is_marked_and_what_nobody_says_is_not_compared() -> None:
    assert rules.compare(read(), Told()) == []
    agreed = Told(
        villages=("柳林镇 柳林村",),
        income=(5_000_000, 8_000_000),
        inflow=4_000_000,
        household_members=5,
        bank_debt=0,
    )
    assert differing(agreed) == set()
    assert len(rules.compare(read(), agreed)) == 5
    assert differing(agreed, village="柳林镇 垸子村") == {("地点", "客户填的和身份证上的")}
    assert differing(agreed, annual_income="150000") == {
        ("年收入", "客户自己填的"),
        ("年收入", "本行账户流入"),
    }
    assert differing(agreed, annual_income="20000") == {("年收入", "客户自己填的")}
    assert differing(agreed, household_members="1") == {("家庭人口", "大数据平台")}
    assert differing(msgspec.structs.replace(agreed, bank_debt=9_000_000)) == {("银行欠款", "征信")}


def test_figures_of_the_bureau_and_of_the_account_are_compared_and_never_shown() -> None:
    checks = rules.compare(read(), Told(inflow=123_456_00, bank_debt=765_432_00))
    shown = "".join(check.told for check in checks)
    assert (shown, [check.source for check in checks]) == ("", ["本行账户流入", "征信"])


def test_what_counts_are_exactly_the_catalogues_facts_of_this_source() -> None:
    found = rules.facts(survey(), read(), Told(household_members=9))
    known = facts.catalogue()
    assert set(found) == {fact.name for fact in known.facts.values() if fact.source == "officer_survey"}
    assert [name for name, value in found.items() if known[name].problem(value)] == []
    assert (found["survey_failed_cross_checks"], found["survey_photos"]) == (1, 4)
    assert rules.observed_at(survey()) <= clock.now() - timedelta(days=0)


@pytest.mark.parametrize("status", ["draft", "submitted", "returned"])
def test_a_survey_nobody_confirmed_never_becomes_a_fact(status: str) -> None:
    with pytest.raises(ValueError, match="confirmed"):
        rules.facts(survey(status=status), read(), Told())
