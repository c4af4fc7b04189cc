"""Labels that were read in pieces, boxes that overlap: what a crooked photograph does to a row."""

import numpy as np

from backend.ocr import labels
from backend.ocr.lines import Alphabet, Line
from backend.ocr.locate import Box, Word

ALPHABET = Alphabet(list(dict.fromkeys("姓名签发机关有效期限其格甲县公安局方财")))
_RIGHT, _DOWN = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
PITCH, HEIGHT = 30.0, 40.0


def word(text: str, left: float, y: float = 0.0) -> Word:
    """A line whose characters stand `PITCH` pixels apart, the first in the middle of its cell at `left`."""
    posteriors = np.zeros((3 * len(text), len(ALPHABET.characters)), np.float32)
    posteriors[:, 0] = 1
    for at, character in enumerate(text):
        posteriors[3 * at + 1] = 0
        posteriors[3 * at + 1, ALPHABET.index[character]] = 1
    right = left + PITCH * len(text)
    box = Box(np.array([(left + right) / 2, y], np.float32), _RIGHT, _DOWN, (right - left) / 2, HEIGHT / 2)
    return Word(Line(posteriors, ALPHABET), left, right, y, HEIGHT, box, 0.0)


def value(*words: Word, label: str, torn: bool = False) -> str:
    pieces = labels.split(words, (label,), torn=torn)
    found = next(piece for piece in pieces if piece.label)
    return "".join(piece.text for piece in labels.row(found, [p for p in pieces if not p.label]))


def test_a_long_label_counts_though_one_character_was_not_read() -> None:
    for printed in ("发机关", "签机关", "签发机"):
        assert value(word(f"{printed}甲县公安局", 0), label="签发机关", torn=True) == "甲县公安局"


def test_a_torn_label_counts_only_where_values_say_nothing_such() -> None:
    assert [piece.label for piece in labels.split([word("发机关甲县", 0)], ("签发机关",))] == [""]


def test_a_short_label_is_never_torn() -> None:
    assert [piece.label for piece in labels.split([word("姓方财", 0)], ("姓名",), torn=True)] == [""]


def test_a_value_that_begins_inside_its_label_loses_what_is_the_labels() -> None:
    assert value(word("姓名", 0), word("名方财", 32), label="姓名") == "方财"


def test_the_right_half_of_a_label_is_no_character_of_a_value_whose_box_begins_inside_it() -> None:
    assert value(word("姓名", 0), word("格甲县公", 45), label="姓名") == "甲县公"
    assert value(word("签发机关", 0), word("其甲县公安局", 106), label="签发机关") == "甲县公安局"


def test_a_value_whose_box_touches_its_label_keeps_its_first_character() -> None:
    assert value(word("姓名", 0), word("格甲县公", 57), label="姓名") == "格甲县公"
    assert value(word("姓名格甲县公", 0), label="姓名") == "格甲县公"


def test_the_left_half_of_a_value_in_its_labels_box_is_no_character_of_it() -> None:
    wide = word("格甲县", 58)._replace(right=178)  # its box begins before 其, its first character after it
    assert value(word("姓名其", 0), wide, label="姓名") == "格甲县"


def test_a_character_in_two_boxes_is_read_once_and_a_doubled_name_stays() -> None:
    assert value(word("姓名其", 0), word("其其格", 62), label="姓名") == "其其格"
    assert value(word("姓名其", 0), word("其格", 91), label="姓名") == "其其格"
