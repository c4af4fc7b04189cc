"""What was read from an ID card and what the person made of it, brought together to a `Card`. Pure.

`read` has the printed labels as keys (姓名 … 有效期限, as backend.ocr.reading); `typed` the form's fields.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date

import msgspec

from backend.core import check_digits
from backend.core.errors import Invalid
from backend.domains.customers.model import Card, IdNumberInvalid

FOR_EVER = "长期"
EDITABLE = ("name", "id_number", "address", "issuer", "valid_from", "valid_until")
_LABELS = {"name": "姓名", "id_number": "公民身份号码", "address": "住址", "issuer": "签发机关"}
_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{1,20}(?:[·•][\u3400-\u9fff]{1,20}){0,6}")


class CardIncomplete(Invalid):
    code = "card_incomplete"
    message = "有 {count} 处要对着身份证改一下"


def read_fields(reading: Mapping[str, object] | None) -> dict[str, str]:
    """What a stored reading of one side says, by printed label."""
    found = (reading or {}).get("fields", {})
    assert isinstance(found, dict)
    return found


def values(read: Mapping[str, str]) -> dict[str, str]:
    """The form's fields as read; empty where nothing was read."""
    since, _, until = read.get("有效期限", "").partition(" 至 ")
    found = {field: read.get(label, "") for field, label in _LABELS.items()}
    return {**found, "valid_from": since, "valid_until": until}


def card(read: Mapping[str, str], typed: Mapping[str, str]) -> tuple[Card, list[str]]:
    """The card as confirmed, and the names of the fields the person changed (A5-03).

    Sex and birth come from the print where the number is as it was read, so that a contradiction is seen; where
    the person mended the number they follow from it. Raises `CardIncomplete` with a sentence per field,
    `IdNumberInvalid`.
    """
    given = {name: " ".join(typed.get(name, "").split()) for name in EDITABLE}
    given["id_number"] = given["id_number"].replace(" ", "").upper()
    given["name"] = given["name"].replace(" ", "")
    problems = _problems(given)
    if problems:
        raise CardIncomplete(fields=problems, count=len(problems))
    number = given["id_number"]
    born_on = check_digits.id_number_born_on(number)
    if not check_digits.is_id_number(number) or born_on is None:
        raise IdNumberInvalid(fields={"id_number": IdNumberInvalid.message})
    sex = "男" if check_digits.id_number_is_male(number) else "女"
    before = values(read)
    if number == before["id_number"]:
        sex, born_on = read.get("性别") or sex, a_date(read.get("出生", "")) or born_on
    since = a_date(given["valid_from"])
    assert since is not None, "_problems saw to it"
    confirmed = Card(
        name=given["name"],
        id_number=number,
        sex=sex,
        nation=read.get("民族") or "汉",
        birth_on=born_on,
        address=given["address"],
        issuer=given["issuer"],
        valid_from=since,
        valid_until=a_date(given["valid_until"]),
    )
    return confirmed, [name for name in EDITABLE if given[name] != before[name]]


class Printed(msgspec.Struct, frozen=True):
    """What the photographs alone say. `id_number` only where it was read beyond doubt, else empty."""

    id_number: str
    address: str
    until: str

    def holds(self, on: date) -> bool:
        """Whether the card can be seen to hold on a day; False for a date nobody could read."""
        last = a_date(self.until)
        return self.until == FOR_EVER or (last is not None and last >= on)


def printed(read: Mapping[str, str], doubtful: Collection[str]) -> Printed:
    """`read` and `doubtful` of both sides, by printed label."""
    found = values(read)
    number, label = found["id_number"], _LABELS["id_number"]
    clear = label not in doubtful and check_digits.is_id_number(number)
    return Printed(number if clear else "", found["address"], found["valid_until"])


def a_date(text: str) -> date | None:
    """2019-03-08, 2019.3.8, 20190308 or 2019年3月8日; None for anything else."""
    numbers = re.findall(r"\d+", text)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    if len(numbers) != 3 or len(numbers[0]) != 4:
        return None
    try:
        return date(*map(int, numbers))
    except ValueError:
        return None


def _problems(given: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not _NAME.fullmatch(given["name"]):
        found["name"] = "请对着身份证填姓名"
    number = given["id_number"]
    if len(number) != 18:
        found["id_number"] = f"身份证号是 18 位，现在是 {len(number)} 位，请对着证件改"
    if not 4 <= len(given["address"]) <= 120:
        found["address"] = "请对着身份证填住址"
    if not 2 <= len(given["issuer"]) <= 60:
        found["issuer"] = "请对着身份证填签发机关"
    since, until = a_date(given["valid_from"]), a_date(given["valid_until"])
    if since is None:
        found["valid_from"] = "请填开始日期，例如 2019-03-08"
    if until is None and given["valid_until"] != FOR_EVER:
        found["valid_until"] = "请填到期日期，例如 2039-03-08，或填“长期”"
    elif since and until and until <= since:
        found["valid_until"] = "到期日期要晚于开始日期"
    return found
