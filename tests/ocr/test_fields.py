import numpy as np
import pytest

from backend.core import check_digits
from backend.ocr import bank_card, fields, id_card
from backend.ocr.labels import Piece
from backend.ocr.lines import Alphabet, Line
from backend.ocr.locate import Box, Word
from tests.ocr.test_lines import line

NUMBER = "41170119900307211"
NUMBER += check_digits.id_number_check(NUMBER)


def number_line(number: str, unsure: dict[int, dict[str, float]] | None = None):
    columns: list[dict[str, float]] = []
    for at, digit in enumerate(number):
        columns += [(unsure or {}).get(at, {digit: 0.98}), {}]
    return line(*columns)


def read(*lines):
    return fields.digits(lines, "0123456789X", 18, id_card.valid_number)


def test_a_valid_number_read_clearly_is_not_in_doubt() -> None:
    found = read(number_line(NUMBER))
    assert found is not None
    assert (found.text, found.doubtful) == (NUMBER, False)


def test_a_valid_number_with_a_weak_digit_is_in_doubt() -> None:
    found = read(number_line(NUMBER, {16: {NUMBER[16]: 0.6}}))
    assert found is not None
    assert found.doubtful
    assert found.unsure == [16]


@pytest.mark.parametrize("at", [3, 9, 15, 17])
def test_one_wrong_digit_is_corrected_by_the_check_sum_and_marked(at: int) -> None:
    wrong = "5" if NUMBER[at] != "5" else "6"
    found = read(number_line(NUMBER, {at: {wrong: 0.55, NUMBER[at]: 0.4}}))
    assert found is not None
    assert found.text == NUMBER
    assert found.doubtful
    assert at in found.unsure


def test_a_wrong_number_without_a_clear_correction_stays_as_read_and_is_marked() -> None:
    wrong = str((int(NUMBER[16]) + 1) % 10)
    misread = NUMBER[:16] + wrong + NUMBER[17]
    found = read(number_line(misread))
    assert found is not None
    assert found.doubtful
    assert found.text == misread


def test_a_number_with_a_digit_missing_is_marked() -> None:
    found = read(number_line(NUMBER[:-1]))
    assert found is not None
    assert found.doubtful


def test_nothing_like_a_number_is_no_number() -> None:
    assert read(number_line("1234")) is None


def test_credit_code_alphabet_has_no_letters_that_look_like_digits() -> None:
    assert not set("IOZSV") & set(check_digits.CREDIT_ALPHABET)


@pytest.mark.parametrize("code", ["91410100MA40ABCD1X", "9141170100000000", ""])
def test_a_credit_code_with_a_wrong_check_character_is_refused(code: str) -> None:
    assert not check_digits.is_credit_code(code)


def test_the_width_of_a_bracket_is_no_doubt() -> None:
    alphabet = Alphabet(list("种植()（）"))
    posteriors = np.zeros((5, len(alphabet.characters)), np.float32)
    for column, seen in enumerate(({"种": 1.0}, {}, {}, {}, {"）": 0.55, ")": 0.45})):
        for character, chance in seen.items():
            posteriors[column, alphabet.index[character]] = chance
    box = Box(np.zeros(2, np.float32), np.array([1, 0], np.float32), np.array([0, 1], np.float32), 40, 12)
    piece = Piece("", Word(Line(posteriors, alphabet), 0, 80, 0, 24, box, 0.0))
    found = fields.field(fields.characters([piece]))
    assert (found.text, found.doubtful) == ("种）", False)


def test_the_name_of_a_provinces_credit_union_is_read_to_its_end() -> None:
    printed = "甲省农村信用社联合社"
    alphabet = Alphabet(list(dict.fromkeys(printed)))
    posteriors = np.zeros((4 * len(printed), len(alphabet.characters)), np.float32)
    posteriors[[4 * at for at in range(len(printed))], [alphabet.index[each] for each in printed]] = 1
    box = Box(np.zeros(2, np.float32), np.array([1, 0], np.float32), np.array([0, 1], np.float32), 40, 12)
    found = bank_card.card([Word(Line(posteriors, alphabet), 0, 80, 0, 24, box, 0.0)])
    assert found["发卡行"].text == printed
