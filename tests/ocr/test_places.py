"""What is known of the union's towns settles an undecided character, and puts a clear contradiction in doubt."""

import json
from pathlib import Path

import numpy as np

from backend import demo
from backend.ocr import fields, places
from backend.ocr.labels import Piece
from backend.ocr.lines import Alphabet, Line
from backend.ocr.locate import Box, Word
from backend.sandbox.specimens import names

TOWNS = {"乙县": ["濉水镇", "石桥镇", "塆前乡"]}
ALPHABET = Alphabet(sorted(set("乙县濉滩水镇石桥塆湾前乡上甲")))


def line(text: str, **chances: float) -> Line:
    """A line sure of `text` but for the characters in `chances`, which share their column with another one:
    滩=0.4 is 滩 with 0.4 and 濉 with the rest."""
    other = {"滩": "濉", "湾": "塆"}
    columns = np.zeros((3 * len(text), len(ALPHABET.characters)), np.float32)
    columns[:, 0] = 1
    for at, character in enumerate(text):
        chance = chances.get(character, 0.99)
        row = columns[3 * at]
        row[:] = 0
        row[ALPHABET.index[character]] = chance
        row[ALPHABET.index[other[character]] if character in other else 0] += 1 - chance
    return Line(columns, ALPHABET)


def doubtful(seen: Line) -> bool:
    box = Box(np.zeros(2), np.array([1, 0]), np.array([0, 1]), 10.0, 2.0)
    return fields.field(fields.characters([Piece("", Word(seen, 0, 1, 0, 1, box, 0))])).doubtful


def test_an_undecided_character_is_that_of_the_town() -> None:
    seen = line("乙县湾前乡上", 湾=0.8)
    assert seen.text == "乙县湾前乡上"
    settled = places.settled(seen, TOWNS)
    assert settled.text == "乙县塆前乡上"
    assert not doubtful(settled)


def test_a_clear_reading_against_every_town_stands_in_doubt() -> None:
    seen = line("乙县滩水镇上", 滩=0.999)
    settled = places.settled(seen, TOWNS)
    assert settled.text == "乙县滩水镇上"
    assert doubtful(settled)
    assert not doubtful(seen)


def test_towns_of_another_county_and_names_far_from_any_change_nothing() -> None:
    for text in ("甲县湾前乡", "乙县上湾乡"):
        seen = line(text, 湾=0.8)
        assert places.settled(seen, TOWNS) is seen


def test_the_unions_own_list_wins_over_the_demos(tmp_path: Path) -> None:
    own = tmp_path / "gazetteer.json"
    demos = places.gazetteer(own)
    own.write_text(json.dumps(TOWNS))
    assert places.gazetteer(own) == TOWNS
    for county, *_, towns in demo.COUNTIES:
        named = next(c[3] for c in demo.COUNTIES if c[0] == county)
        assert set(towns) <= set(demos[named])
    for named, _, towns in names.COUNTIES.values():
        assert set(towns) <= set(demos[named])
