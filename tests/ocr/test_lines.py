import numpy as np
import pytest

from backend.ocr.lines import Alphabet, Line

ALPHABET = Alphabet(list("0123456789X汉漢>·"))


def line(*columns: dict[str, float]) -> Line:
    """A line with these posteriors, the rest on blank."""
    posteriors = np.zeros((len(columns), len(ALPHABET.characters)), np.float32)
    for row, column in zip(posteriors, columns, strict=True):
        for character, chance in column.items():
            row[ALPHABET.index[character]] = chance
        row[0] = 1 - row.sum()
    return Line(posteriors, ALPHABET)


def test_repeated_columns_are_one_character_and_a_blank_between_makes_two() -> None:
    assert line({"1": 0.9}, {"1": 0.8}, {}, {"1": 0.7}).text == "11"


def test_a_characters_probability_is_that_of_its_best_column() -> None:
    assert line({"1": 0.6}, {"1": 0.8}).characters[0].probability == pytest.approx(0.8)


def test_reading_with_digits_only_ignores_a_likelier_letter() -> None:
    seen = line({"汉": 0.7, "8": 0.2})
    assert seen.text == "汉"
    assert "".join(character.text for character in seen.restricted("0123456789")[0]) == "8"


def test_restricted_posteriors_keep_what_was_lost_to_other_characters() -> None:
    (character,), rows = line({"汉": 0.7, "8": 0.2}).restricted("0123456789")
    assert character.probability == pytest.approx(0.2)
    assert rows[0][8] == pytest.approx(0.2)


def test_a_prior_settles_an_undecided_character_only() -> None:
    weights = {"汉": 4.0}
    assert line({"漢": 0.6, "汉": 0.39}).weighted(weights).text == "汉"
    assert line({"漢": 0.95, "汉": 0.04}).weighted(weights).text == "漢"


def test_likelihood_prefers_the_text_that_is_there() -> None:
    seen = line({"1": 0.9}, {}, {"2": 0.9})
    assert seen.likelihood("12") > seen.likelihood("13")
    assert seen.likelihood("龘") == float("-inf")


def test_one_chinese_character_read_as_two_look_alikes_is_the_likelier_one() -> None:
    assert line({}, {"漢": 0.5}, {"汉": 0.7}, {}, {}, {}).text == "汉"
    assert line({"汉": 0.9}, {}, {}, {}, {"漢": 0.8}).text == "汉漢"
