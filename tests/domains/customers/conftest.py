"""The cast: 张三 of 甲县."""

from datetime import date

import pytest

from backend.core import check_digits
from backend.domains.customers.model import Card


def number(born_on: date, *, male: bool = True, region: str = "411701", serial: int = 7) -> str:
    first17 = f"{region}{born_on:%Y%m%d}{serial:02d}{1 if male else 2}"
    return first17 + check_digits.id_number_check(first17)


def make_card(**changed) -> Card:
    born_on = changed.get("birth_on", date(1986, 5, 17))
    fields = {
        "name": "张三",
        "id_number": number(born_on, serial=changed.pop("serial", 7)),
        "sex": "男",
        "nation": "汉",
        "birth_on": born_on,
        "address": "河南省甲县柳林镇垸子村 3 组 12 号",
        "issuer": "甲县公安局",
        "valid_from": date(2019, 3, 1),
        "valid_until": date(2039, 3, 1),
    } | changed
    return Card(**fields)


@pytest.fixture
def card() -> Card:
    return make_card()
