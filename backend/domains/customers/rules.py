"""What an ID card must satisfy before anything of it is stored."""

from datetime import date

from backend.core import check_digits, clock
from backend.domains.customers.model import (
    Card,
    CardContradictsItself,
    CardExpired,
    IdNumberInvalid,
    NotYetAdult,
    UnderAge,
)
from backend.domains.regulation.model import InForce


def check_card(card: Card, today: date, rules: InForce) -> None:
    """Raises the first thing wrong: number, contradictions, age, expiry, in this order.

    Age comes before expiry, so that a child is never asked for a newer card (D3-05, D6-02).
    """
    if not check_digits.is_id_number(card.id_number):
        raise IdNumberInvalid(fields={"id_number": IdNumberInvalid.message})
    _contradictions(card)
    _age(card.birth_on, today, rules)
    if card.valid_until is not None and card.valid_until < today:
        day = card.valid_until
        raise CardExpired(
            expired_on=f"{day.year}年{day.month}月{day.day}日", fields={"valid_until": "身份证已过期"}
        )


def _contradictions(card: Card) -> None:
    fields = {}
    if check_digits.id_number_born_on(card.id_number) != card.birth_on:
        fields["birth_on"] = "出生日期与公民身份号码对不上"
    if (card.sex == "男") != check_digits.id_number_is_male(card.id_number) or card.sex not in ("男", "女"):
        fields["sex"] = "性别与公民身份号码对不上"
    if card.valid_until is not None and card.valid_until <= card.valid_from:
        fields["valid_until"] = "有效期的止期早于起期"
    if card.valid_from < card.birth_on:
        fields["valid_from"] = "有效期的起期早于出生日期"
    if fields:
        raise CardContradictsItself(fields=fields)


def _age(birth_on: date, today: date, rules: InForce) -> None:
    age = clock.years_between(birth_on, today)
    guardian, adult = rules.count("age.guardian"), rules.count("age.minimum")
    if age < guardian:
        raise UnderAge(age=guardian)
    if age < adult:
        raise NotYetAdult(age=adult)
