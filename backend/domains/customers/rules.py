"""What an ID card must satisfy before anything of it is stored."""

import re
from collections.abc import Collection
from datetime import date

from backend.core import check_digits, clock
from backend.domains.customers.model import (
    Card,
    CardContradictsItself,
    CardExpired,
    CardMistyped,
    IdNumberInvalid,
    NotYetAdult,
    UnderAge,
)
from backend.domains.regulation.model import InForce


def check_card(card: Card, today: date, rules: InForce, corrected: Collection[str] = ()) -> None:
    """Raises the first thing wrong: number, contradictions, age, expiry, in this order.

    `corrected`: the fields the person typed over; what contradicts only because of them raises `CardMistyped` with a
    sentence for each, the card's own contradictions `CardContradictsItself`.
    Age comes before expiry, so that a child is never asked for a newer card (D3-05, D6-02).
    """
    if not check_digits.is_id_number(card.id_number):
        raise IdNumberInvalid(fields={"id_number": IdNumberInvalid.message})
    _contradictions(card, corrected)
    _age(card.birth_on, today, rules)
    if card.valid_until is not None and card.valid_until < today:
        raise CardExpired(expired_on=card.valid_until, fields={"valid_until": "身份证已过期"})


def _contradictions(card: Card, corrected: Collection[str]) -> None:
    fields: dict[str, str] = {}
    if check_digits.id_number_born_on(card.id_number) != card.birth_on:
        fields["birth_on"] = "出生日期与身份证号对不上"
    if (card.sex == "男") != check_digits.id_number_is_male(card.id_number) or card.sex not in ("男", "女"):
        fields["sex"] = "性别与身份证号对不上"
    if card.valid_until is not None and card.valid_until <= card.valid_from:
        fields["valid_until"] = "有效期的止期早于起期"
    if card.valid_from < card.birth_on:
        fields["valid_from"] = "有效期的起期早于出生日期"
    issuing, living = _COUNTY_ISSUER.search(card.issuer), _COUNTY.search(card.address)
    if issuing and living and issuing[1] not in card.address:
        fields["issuer"] = f"签发机关是{issuing[1]}的，住址在{living[1]}，对不上"
    printed = {name: text for name, text in fields.items() if not _RESTS_ON[name] & set(corrected)}
    if printed:
        raise CardContradictsItself(fields=printed)
    if fields:
        told = ((typed, text) for name, text in fields.items() for typed in _RESTS_ON[name] & set(corrected))
        raise CardMistyped(fields=dict(told))


_RESTS_ON = {
    "birth_on": {"id_number"},
    "sex": {"id_number"},
    "valid_until": {"valid_from", "valid_until"},
    "valid_from": {"valid_from", "id_number"},
    "issuer": {"issuer", "address"},
}
"""Contradiction → the fields a person can type that it comes from."""

_COUNTY = re.compile(r"([^省市州盟区县]{1,6}县)")
_COUNTY_ISSUER = re.compile(rf"{_COUNTY.pattern}公安局$")
"""A card is issued where its holder is registered, so both sides name one county. Cities are not compared: their
bureaus, branches and districts go by too many names."""


def _age(birth_on: date, today: date, rules: InForce) -> None:
    age = clock.years_between(birth_on, today)
    guardian, adult = rules.count("age.guardian"), rules.count("age.minimum")
    if age < guardian:
        raise UnderAge(age=guardian)
    if age < adult:
        raise NotYetAdult(age=adult)
