"""Where an address goes on: what boxes of a crooked photograph do to its rows."""

import numpy as np

from backend.ocr import id_card
from backend.ocr.lines import Alphabet, Line
from backend.ocr.locate import Box, Word
from backend.ocr.reading import FRONT_LABELS, Field

_ADDRESS = "甲县濉水镇西王庄村六组十二号楼三单元"
ALPHABET = Alphabet(list(dict.fromkeys("".join(FRONT_LABELS) + _ADDRESS + "上一1")))
_RIGHT, _DOWN = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
PITCH, HEIGHT = 30.0, 40.0


def word(text: str, left: float, y: float, height: float = HEIGHT) -> Word:
    """A line with a character every `PITCH` pixels in a box of that height; a pixel is a tenth of a millimetre."""
    posteriors = np.zeros((3 * len(text), len(ALPHABET.characters)), np.float32)
    posteriors[:, 0] = 1
    for at, character in enumerate(text):
        posteriors[3 * at + 1] = np.eye(len(ALPHABET.characters))[ALPHABET.index[character]]
    right = left + PITCH * len(text)
    box = Box(np.array([(left + right) / 2, y], np.float32), _RIGHT, _DOWN, (right - left) / 2, height / 2)
    return Word(Line(posteriors, ALPHABET), left, right, y, height, box, 0.0)


def address(*lines: Word, label_ends: float = 110) -> str:
    return address_field(*lines, label_ends=label_ends).text


def address_field(*lines: Word, label_ends: float = 110) -> Field:
    labels = [word(name, 50, y) for name, y in (("姓名", 78), ("出生", 206))]
    labels.append(word("住址", 50, 270)._replace(right=label_ends))
    number = word("公民身份号码", 48, 470)
    return id_card.front([*labels, *lines, number])["住址"]


def test_a_first_line_in_a_box_as_high_as_two_does_not_swallow_the_second() -> None:
    assert address(word("甲县濉水镇西王庄村", 150, 274, 79), word("六组十二号", 150, 308)) == _ADDRESS[:14]


def test_the_second_and_third_line_stay_two_rows() -> None:
    lines = [
        ("甲县濉水镇西王庄村", 150, 274, 79),
        ("六组十二号", 155, 310, HEIGHT),
        ("楼三单元", 150, 346, HEIGHT),
    ]
    read = address(*(word(*line) for line in lines))
    assert read == "".join(line[0] for line in lines)


def test_a_lone_last_character_in_a_small_box_belongs_to_an_address_in_a_high_one() -> None:
    lone = word("元", 155, 308, 20)
    assert address(word("甲县濉水镇西王庄村", 150, 274, 50), lone) == "甲县濉水镇西王庄村元"


def test_half_of_the_label_in_a_box_that_only_touches_the_labels_is_no_character_of_the_address() -> None:
    line = word("上甲县濉水镇", 96, 270)._replace(right=252)
    assert address(line, label_ends=96) == "甲县濉水镇"


def test_a_stroke_between_label_and_value_in_a_box_of_its_own_is_no_character() -> None:
    assert address(word("一", 112, 270, 19), word("甲县濉水镇", 148, 270)) == "甲县濉水镇"


def test_an_address_that_truly_begins_so_keeps_its_first_character() -> None:
    assert address(word("上甲县濉水镇", 148, 270)) == "上甲县濉水镇"


def test_a_single_sure_character_counts_in_the_lowest_box_and_a_speck_does_not() -> None:
    first = word("甲县濉水镇西王庄村", 150, 274)
    assert address(first, word("元", 155, 308, 13)) == "甲县濉水镇西王庄村元"
    assert address(first, word("元", 155, 308, 11)) == "甲县濉水镇西王庄村"


def test_an_address_that_ends_in_a_digit_is_asked_for() -> None:
    assert address_field(word("甲县濉水镇西王庄村11", 150, 270)).doubtful
    assert not address_field(word("甲县濉水镇西王庄村11号", 150, 270)).doubtful
