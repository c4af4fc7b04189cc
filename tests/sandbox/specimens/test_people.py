from datetime import date

import pytest

from backend.core import check_digits, hanzi
from backend.sandbox import specimens
from backend.sandbox.specimens import people

MANY = [specimens.person(seed) for seed in range(400)]
TODAY = date(2026, 11, 23)


def age(person: specimens.Person, on: date = TODAY) -> int:
    return on.year - person.born_on.year - ((on.month, on.day) < (person.born_on.month, person.born_on.day))


def test_the_same_seed_is_the_same_person() -> None:
    assert specimens.person(7) == specimens.person(7)
    assert specimens.person(7) != specimens.person(8)


def test_numbers_are_valid_and_agree_with_birth_and_sex() -> None:
    for person in MANY:
        assert check_digits.is_id_number(person.id_number)
        assert person.id_number.startswith(person.region_code)
        assert check_digits.id_number_born_on(person.id_number) == person.born_on
        assert check_digits.id_number_is_male(person.id_number) == (person.sex == "男")
    assert len({person.id_number for person in MANY}) == len(MANY)
    assert len({person.phone for person in MANY}) == len(MANY)


def test_people_are_grown_up_and_not_too_old_for_a_loan() -> None:
    assert {age(person) for person in MANY} <= set(range(22, 59))


def test_cards_hold_for_years_after_they_are_drawn() -> None:
    assert all(person.valid_until is None or person.valid_until >= date(2030, 12, 1) for person in MANY)


def test_terms_follow_the_law() -> None:
    """居民身份证法 第五条."""
    for person in MANY:
        issued_at = age(person, person.valid_from)
        if person.valid_until is None:
            assert issued_at >= 46
        else:
            years = person.valid_until.year - person.valid_from.year
            assert years == (20 if issued_at >= 26 else 10)


def test_under_age_and_expired_on_demand() -> None:
    for seed in range(60):
        assert age(specimens.person(seed, under_age=True)) < 18
        expired = specimens.person(seed, expired=True).valid_until
        assert expired is not None
        assert expired.year == 2025


def test_a_county_on_demand() -> None:
    assert specimens.person(3, county="411702").institution_id == "4102"


def test_there_are_56_ethnicities_and_some_rare_characters() -> None:
    assert len(set(hanzi.ETHNICITIES)) == 56
    common = set(hanzi.standard()[: hanzi.COMMON])
    rare = [person.name for person in MANY if set(person.name) - common - {"·"}]
    assert len(rare) > 25
    assert len({person.ethnicity for person in MANY}) > 20


def test_firms_and_cards_have_valid_numbers() -> None:
    for seed in range(200):
        assert check_digits.is_credit_code(specimens.business(seed).credit_code)
        assert check_digits.is_card_number(specimens.bank_card(seed).number)


@pytest.mark.parametrize("on", [people.DRAWN_ON, TODAY])
def test_nobody_is_under_age_by_default(on: date) -> None:
    assert min(age(person, on) for person in MANY) >= 22
