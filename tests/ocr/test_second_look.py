import numpy as np

from backend.ocr import fields, second_look
from backend.ocr.labels import Piece
from backend.ocr.locate import Box, Word
from tests.ocr.test_lines import line


def spread(text: str, pitch: int = 3, probability: float = 0.98, **unsure: float):
    """A line with a character every `pitch` columns; a space leaves its place empty."""
    columns: list[dict[str, float]] = []
    for character in text:
        seen = {} if character == " " else {character: unsure.get(character, probability)}
        columns += [{}, seen, *({} for _ in range(pitch - 2))]
    return line(*columns)


def test_a_line_that_is_sure_and_even_is_read_once() -> None:
    assert not second_look.needed(spread("汉漢汉漢汉"))


def test_an_unsure_character_asks_for_a_second_look_but_an_unsure_digit_does_not() -> None:
    assert second_look.needed(spread("汉漢汉漢", 漢=0.8))
    assert not second_look.needed(spread("汉汉汉3汉", **{"3": 0.7}))


def test_a_missing_character_shows_in_the_distances() -> None:
    assert second_look.holes(spread("汉漢 汉漢汉")) == [2]
    assert second_look.holes(spread("  汉漢汉漢")) == [0]
    assert second_look.holes(spread("汉漢汉漢")) == []
    assert second_look.needed(spread("汉漢 汉漢汉"))


def test_both_readings_count_where_they_saw_the_same_character() -> None:
    first, second = spread("汉漢汉", 漢=0.6), spread("汉漢汉", 5, 漢=0.9)
    both = second_look.joined(first, second)
    assert both.text == "汉漢汉"
    assert abs(both.characters[1].probability - 0.75) < 1e-6


def test_the_surer_reading_wins_and_a_lost_character_returns() -> None:
    wrong = spread("汉8汉", **{"8": 0.55})
    assert second_look.joined(wrong, spread("汉漢汉", 5, 漢=0.95)).text == "汉漢汉"
    assert second_look.joined(spread("汉 汉"), spread("汉漢汉", 5)).text == "汉漢汉"


def test_close_digits_are_joined_with_themselves_and_not_with_their_neighbours() -> None:
    def number(three: int, eight: int, probability: float):
        seen = {2: {"汉": 0.98}, three: {"3": probability}, eight: {"8": probability}}
        return line(*(seen.get(column, {}) for column in range(20)))

    both = second_look.joined(number(10, 12, 0.98), number(12, 14, 0.9))  # 3 stands where 8 stood before
    assert both.text == "汉38"
    assert both.characters[1].probability > 0.9


def test_a_second_reading_that_lost_characters_does_not_count() -> None:
    first = spread("汉漢汉", 漢=0.6)
    assert second_look.joined(first, spread("汉 汉", 5)) is first


def test_a_second_reading_that_saw_a_mark_for_a_character_does_not_count() -> None:
    first = spread("汉漢汉", 漢=0.6)
    assert second_look.joined(first, spread("汉>汉", 5)) is first
    assert second_look.joined(spread("汉>汉", **{">": 0.5}), spread("汉漢汉", 5)).text == "汉漢汉"


def test_the_dot_inside_a_name_is_a_character_of_it() -> None:
    first = spread("汉漢汉", 漢=0.4)
    assert second_look.joined(first, spread("汉·汉", 5)).text == "汉·汉"


def test_a_hole_that_stays_puts_its_neighbours_in_doubt() -> None:
    box = Box(np.zeros(2, np.float32), np.array([1, 0], np.float32), np.array([0, 1], np.float32), 90, 12)
    torn = Piece("", Word(spread("汉漢 汉漢汉"), 0, 180, 0, 24, box, 0.0))
    found = fields.field(fields.characters([torn]))
    assert found.doubtful
    assert found.unsure == [1, 2]


def boxed(text: str):
    """A line as boxes are cut: nearly a character's room at both ends; a space is a character that was not read."""
    seen = [column for each in text for column in ([{}] if each == " " else [{each: 0.98}]) + [{}] * 4]
    return line(*[{}] * 4, *seen)


def test_a_character_the_alphabet_lacks_is_missed_in_a_name_of_three_and_at_its_end() -> None:
    assert second_look.holes(boxed("汉漢")) == second_look.holes(boxed("汉漢汉")) == []
    assert second_look.holes(boxed("汉 漢")) == [1]
    assert second_look.holes(boxed("汉漢 ")) == [2]
    assert second_look.holes(boxed("汉漢汉 ")) == [3]
    assert second_look.holes(boxed("汉 漢汉")) == [1]
