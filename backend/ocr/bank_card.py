"""银行卡: the number (Luhn), the bank's name and 有效期."""

import re
from collections.abc import Sequence

from backend.core import check_digits
from backend.ocr import fields
from backend.ocr.lines import Character
from backend.ocr.locate import Word
from backend.ocr.reading import Field

_UNTIL = re.compile(r"(0[1-9]|1[0-2])/(\d{2})")
_BANK = re.compile(r"[\u4e00-\u9fff]*(?:银行|信用社联合社|信用社|信用联社|信用合作联社)")


def looks_like(words: Sequence[Word]) -> bool:
    """A line, or a row of groups, of 15 to 19 digits that satisfies Luhn, or a bank's name with many digits."""
    number = _number(words)
    named = any(_BANK.search(word.line.text) for word in words)
    return number is not None and (not number.doubtful or named)


def card(words: Sequence[Word]) -> dict[str, Field]:
    """卡号, 发卡行 and 有效期 (MM/YY) as far as they are printed."""
    found: dict[str, Field] = {}
    number = _number(words)
    if number:
        found["卡号"] = number
    bank = _bank(words)
    if bank:
        found["发卡行"] = bank
    until = _until(words)
    if until:
        found["有效期"] = until
    return found


def _number(words: Sequence[Word]) -> Field | None:
    """The row with most digits; its groups may be boxes of their own."""
    rows: list[tuple[list[Character], list[Word]]] = []
    for word in words:
        row = [
            other for other in words if abs(other.y - word.y) < 0.45 * word.height and _mostly_digits(other)
        ]
        row.sort(key=lambda each: each.left)
        rows.append(([c for each in row for c in each.line.restricted("0123456789")[0]], row))
    rows = [pair for pair in rows if 15 <= len(pair[0]) <= 19]
    if not rows:
        return None
    digits, row = max(rows, key=lambda pair: len(pair[0]))
    text = "".join(character.text for character in digits)
    if check_digits.is_card_number(text):
        return fields.field(digits)
    if len(row) == 1:
        return fields.digits([row[0].line], "0123456789", len(text), check_digits.is_card_number)
    return fields.field(digits, doubtful=True)


def _mostly_digits(word: Word) -> bool:
    text = word.line.text
    return len(text) >= 3 and sum(c.isdigit() for c in text) >= 0.7 * len(text) and "/" not in text


def _bank(words: Sequence[Word]) -> Field | None:
    for word in words:
        match = _BANK.search(word.line.text)
        if match:
            return fields.field(word.line.characters[match.start() : match.end()])
    return None


def _until(words: Sequence[Word]) -> Field | None:
    for word in words:
        read = word.line.restricted("0123456789/")[0]
        match = _UNTIL.search("".join(character.text for character in read))
        if match and "/" in word.line.text:
            return fields.field(read[match.start() : match.end()])
    return None
