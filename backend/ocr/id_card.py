"""居民身份证: both sides, by the geometry of the printed labels (GA 448)."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from backend.core import check_digits, hanzi
from backend.ocr import fields, labels, places
from backend.ocr.labels import Piece
from backend.ocr.lines import SURE, Character
from backend.ocr.locate import Word
from backend.ocr.reading import BACK_LABELS, FRONT_LABELS, Field

# Middle of each printed label in tenths of a millimetre, to guess where a label that was not read must be.
_PLACES = {
    "姓名": (80, 78),
    "性别": (80, 142),
    "民族": (264, 142),
    "出生": (80, 206),
    "住址": (80, 270),
    "公民身份号码": (138, 470),
}
_LABEL_ENDS, _VALUES_NEAR = 40, 50  # from the middle of a label of two characters; values begin 28 later
_TEXT_ENDS = 548  # the portrait begins here
_LEGIBLE = 0.35  # what is read less surely is no line of an address
_LOW = 0.3  # of its row, the box of a single character at an address's end
_MARKS = ("样张", "样本")
_TITLES = ("中华人民共和国", "居民身份证")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]")


def front(words: Sequence[Word]) -> dict[str, Field]:
    """Fields of the side with the portrait; a label whose value was not found is missing."""
    pieces = labels.split(words, FRONT_LABELS, torn=True)
    card = _Layout(pieces)
    found: dict[str, Field] = {}
    number = _number(card)
    if number:
        found["公民身份号码"] = number
    name = _name(card)
    if name:
        found["姓名"] = name
    ethnicity = _ethnicity(card)
    if ethnicity:
        found["民族"] = ethnicity
    address = _address(card)
    if address:
        found["住址"] = address
    return {**found, **_cross_checked(card, number)}


class _Layout:
    """The labels that were found, and where the others must be."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.values = [piece for piece in pieces if not piece.label and piece.text not in _MARKS]
        self.labels: dict[str, Piece] = {}
        for piece in pieces:
            if piece.label and piece.label not in self.labels:
                self.labels[piece.label] = piece
        self._unit, self._turn, self._shift = self._fit()

    def _fit(self) -> tuple[float, complex, complex]:
        """Similarity from tenths of a millimetre to level pixels: (pixels per tenth, rotation × scale, shift)."""
        known = [
            (complex(*_PLACES[name]), complex(piece.middle, piece.word.y))
            for name, piece in self.labels.items()
        ]
        if len(known) < 2:
            scale = (known[0][1] and self.labels[next(iter(self.labels))].word.height / 42) if known else 1.0
            unit = float(abs(scale))
            return unit, complex(unit), known[0][1] - unit * known[0][0] if known else 0j
        source = np.array([place for place, _ in known])
        target = np.array([seen for _, seen in known])
        centred = source - source.mean()
        turn = complex((np.conj(centred) * (target - target.mean())).sum() / (np.abs(centred) ** 2).sum())
        return abs(turn), turn, complex(target.mean() - turn * source.mean())

    def x(self, tenths: float, y: float) -> float:
        """Level x of a place on the card."""
        return float((self._turn * complex(tenths, y) + self._shift).real)

    def row(self, name: str, until: str = "") -> list[Piece]:
        """What stands right of a label, before the label `until` or the portrait."""
        place = _PLACES[name]
        limit = self.x(_TEXT_ENDS if name != "公民身份号码" else 900, place[1])
        if until and until in self.labels:
            limit = self.labels[until].word.left
        label = self.labels.get(name)
        if label is None:
            return self._row_without_label(name, limit)
        row = labels.row(label, self.values, limit)
        return self._behind(label.middle, name, row, _VALUES_NEAR) if len(self.labels) > 1 else row

    def _behind(self, middle: float, name: str, row: Iterable[Piece], tenths: float) -> list[Piece]:
        """The row without what stands nearer than that to the middle of its label (level x), that is where the label
        or nothing is printed: half of 址 is no 上, a stroke between label and name no 一."""
        start = middle + tenths * self._unit * (1 if len(name) == 2 else 2.5)
        return [labels.right_of(piece, start) for piece in row if piece.middle > start]

    def _row_without_label(self, name: str, limit: float) -> list[Piece]:
        """What stands where the value must be; the rest of a label that was not read whole is cut off."""
        seen = self._turn * complex(*_PLACES[name]) + self._shift
        reach = 26 * self._unit
        row = [
            piece for piece in self.values if abs(piece.word.y - seen.imag) < reach and piece.middle < limit
        ]
        return sorted(self._behind(seen.real, name, row, _LABEL_ENDS), key=lambda piece: piece.word.left)

    def address(self) -> list[Piece]:
        """The address row and the lines under it, above the number, left of the portrait."""
        first = [piece for piece in self.row("住址") if piece.word.line.confidence > _LEGIBLE]
        label = self.labels.get("住址")
        anchor = first[0] if first else label
        if anchor is None:
            return []
        left = first[0].word.left if first else anchor.word.right
        height = anchor.word.height
        # A crooked first line has a box as high as two lines; the label is too short for that.
        row_height = min(height, label.word.height) if label else height
        limit = self.x(_TEXT_ENDS, 300)
        lines = [
            (labels.below(piece, anchor), piece)
            for piece in labels.outside(self.values, first)
            if piece.word.left > left - 0.9 * height
            and piece.middle < limit
            and piece.word.height > (_LOW if piece.word.line.confidence > SURE else 0.45) * row_height
        ]
        reach = min(150 * self._unit, 3.4 * height)
        lower = [(down, piece) for down, piece in lines if 0.5 * row_height < down < reach]
        return first + labels.in_rows(sorted(lower, key=lambda pair: pair[0]), row_height)


def _name(card: _Layout) -> Field | None:
    read = [c for c in fields.characters(card.row("姓名")) if _HAN.match(c.text)]
    return fields.field(read, doubtful=len(read) < 2) if read else None


def _ethnicity(card: _Layout) -> Field | None:
    row = card.row("民族")
    if not row:
        return None
    read = fields.characters(row)
    text = "".join(character.text for character in read).removesuffix("族")
    if text in hanzi.ETHNICITIES:
        return fields.field(read[: len(text)])
    chosen, share = fields.choose(row[0].word.line, hanzi.ETHNICITIES)
    return fields.certain(chosen, share * 0.8, doubtful=True) if chosen else None


def _address(card: _Layout) -> Field | None:
    pieces = [piece for piece in card.address() if piece.word.line.confidence > _LEGIBLE]
    read = fields.characters(pieces, places.ADDRESS)
    cut = bool(read) and read[-1].text.isdigit()  # a 号 or 室 alone on the last line may not have been found
    return fields.field(read, doubtful=cut) if read else None


def valid_number(number: str) -> bool:
    """A number a living holder may have: GB 11643, born in the past."""
    if number[0] not in "12345678" or not check_digits.is_id_number(number):
        return False
    born_on = check_digits.id_number_born_on(number)
    return born_on is not None and born_on.year >= 1910


def _number(card: _Layout) -> Field | None:
    row = card.row("公民身份号码")
    if not row:
        row = [piece for piece in card.values if sum(c in "0123456789X" for c in piece.text) >= 15]
    lines = [piece.word.line for piece in sorted(row, key=lambda piece: -len(piece.text))]
    return fields.digits(lines, "0123456789X", 18, valid_number)


def _cross_checked(card: _Layout, number: Field | None) -> dict[str, Field]:
    """性别 and 出生 as printed, checked against the number: it fills what is missing, and a clear contradiction marks
    both."""
    sex, birth = _sex(card), _birth(card)
    found: dict[str, Field] = {}
    if sex:
        found["性别"] = sex
    if birth:
        found["出生"] = birth
    if number is None or not valid_number(number.text.ljust(18, "0")):
        return found
    born_on = check_digits.id_number_born_on(number.text)
    expected = {
        "性别": "男" if check_digits.id_number_is_male(number.text) else "女",
        "出生": born_on.isoformat() if born_on else "",
    }
    clash = False
    for name, value in expected.items():
        printed = found.get(name)
        if printed is not None and printed.text == value:
            if not number.doubtful:
                found[name] = fields.certain(value, max(printed.confidence, number.confidence))
            continue
        contradicted = printed is not None and not printed.doubtful
        clash = clash or contradicted
        if contradicted and printed is not None and number.doubtful:
            found[name] = Field(printed.text, printed.confidence, [], True)
        else:
            found[name] = fields.certain(value, number.confidence, doubtful=number.doubtful or contradicted)
    if clash:
        found["公民身份号码"] = Field(number.text, number.confidence, number.unsure, True)
    return found


def _sex(card: _Layout) -> Field | None:
    row = card.row("性别", until="民族")
    if not row:
        return None
    seen = [c for c in fields.characters(row) if c.text in ("男", "女")]
    if seen:
        return fields.field(seen[:1])
    chosen, share = fields.choose(row[0].word.line, ("男", "女"))
    return fields.certain(chosen, share * 0.8, doubtful=True) if chosen else None


def _birth(card: _Layout) -> Field | None:
    read: list[Character] = []
    for piece in card.row("出生"):
        read += piece.word.line.restricted("0123456789年月日")[0]
    match = fields.DATE.search("".join(character.text for character in read))
    born_on = _date(*match.groups()) if match else None
    if match is None or born_on is None:
        return None
    used = [c for c in read[match.start() : match.end()] if c.text.isdigit()]
    return fields.field(used, text=born_on.isoformat())


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def back(words: Sequence[Word]) -> dict[str, Field]:
    """Fields of the side with the emblem."""
    pieces = labels.split(words, (*BACK_LABELS, *_TITLES), torn=True)
    values = [piece for piece in pieces if not piece.label and piece.text not in _MARKS]
    printed = {piece.label: piece for piece in pieces if piece.label}
    found: dict[str, Field] = {}
    authority = _authority(printed, values)
    if authority:
        found["签发机关"] = authority
    validity = _validity(printed, values)
    if validity:
        found["有效期限"] = validity
    return found


def _authority(printed: dict[str, Piece], values: list[Piece]) -> Field | None:
    label = printed.get("签发机关")
    row = labels.row(label, values) if label else [p for p in values if p.text.endswith(("公安局", "分局"))]
    read = fields.characters(row, places.ADDRESS)
    if not read:
        return None
    text = "".join(character.text for character in read)
    return fields.field(read, doubtful=not text.endswith("局"))


_VALIDITY = re.compile(
    r"(\d{4})\.?(\d{2})\.?(\d{2})[-—]{0,2}(?:(\d{4})\.?(\d{2})\.?(\d{2})|长?期)"
)  # nothing else ends so


def _validity(printed: dict[str, Piece], values: list[Piece]) -> Field | None:
    label = printed.get("有效期限")
    row = labels.row(label, values) if label else [p for p in values if sum(c.isdigit() for c in p.text) >= 8]
    read: list[Character] = []
    for piece in row:
        read += piece.word.line.restricted("0123456789.-—长期")[0]
    match = _VALIDITY.search("".join(character.text for character in read))
    if not match:
        return fields.field(read, doubtful=True) if read else None
    start = _date(*match.groups()[:3])
    until = _date(*match.groups()[3:]) if match.group(4) else None
    if start is None or (match.group(4) and until is None):
        return fields.field(read, doubtful=True)
    used = [c for c in read[match.start() : match.end()] if c.text not in ".-—"]
    text = f"{start.isoformat()} 至 {until.isoformat() if until else '长期'}"
    return fields.field(used, text=text, doubtful=until is not None and not _lawful(start, until))


def _lawful(start: date, until: date) -> bool:
    """居民身份证法 第五条: five, ten or twenty years to the day (a 29 February may end a day aside)."""
    years = until.year - start.year
    same_day = (start.month, start.day) == (until.month, until.day) or (start.month, start.day) == (2, 29)
    return same_day and years in (5, 10, 20)
