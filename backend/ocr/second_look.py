"""More looks at a line that was read unsurely or with a hole: cropped tighter, so that its characters are larger, and
where that is not enough by the unquantised recogniser, which knows rare characters better, at two heights.

Boxes of a crooked photograph hold pieces of the neighbouring rows, and the recogniser then loses characters without a
doubt about the rest. Readings are joined character by character. Measured on the `tune` seeds of
tests/benchmarks/ocr_figures.py: the tighter look brings hard fronts from 82 to 89 % whole, the careful ones easy and
medium fronts from 98 to 99.5 %; the median card needs neither.
"""

from itertools import pairwise

import numpy as np

from backend.ocr import reading
from backend.ocr.lines import SURE, Line, is_han, run

TIGHTER = 0.7
"""Height of the second crop, as a share of the first."""
CAREFULLY = (1.0, 1.15)
"""Heights of the crops for the unquantised recogniser."""
_CLEAR = 0.9
_HOLE = 1.55
_END = 1.8
_SELF_EMPLOYED = ("经营者", "经营场所", "注册日期", "组成形式", "登记机关")
_PRINTED = (*reading.FRONT_LABELS, *reading.BACK_LABELS, *reading.LICENCE_LABELS, *_SELF_EMPLOYED)


def needed(line: Line) -> bool:
    """Whether a Chinese character of the line is unsure, or one is missing by the distances of its neighbours."""
    if len(line.characters) < 2 or line.confidence < 0.5:
        return False
    unsure = any(each.probability < _CLEAR for each in line.characters if is_han(each.text))
    return unsure or bool(holes(line))


def unsure(line: Line) -> bool:
    """Whether a person would be asked about a Chinese character of the line as it stands."""
    if len(line.characters) < 2 or line.confidence < 0.5:
        return False
    return any(each.probability < SURE for each in line.characters if is_han(each.text))


def joined(first: Line, second: Line) -> Line:
    """The second reading with, at each of its characters, the mean of both posteriors; the first one when the second
    lost characters or saw a mark (> or —) where the first saw one. Both must show the same stretch of the picture.
    Where both saw as many, they are the same ones in order: digits stand closer than the places of two looks agree."""
    if _written(second) < _written(first):
        return first
    posteriors = second.posteriors.copy()
    best = posteriors.argmax(axis=1)
    places = np.array([(each.column + 0.5) / first.columns for each in first.characters])
    reach = 0.45 / len(second.characters)
    alike = len(first.characters) == len(second.characters)
    for at, each in enumerate(second.characters):
        away = np.abs(places - (each.column + 0.5) / second.columns)
        nearest = at if alike else int(away.argmin())
        if away[nearest] < (2 * reach if alike else reach):
            column = int(first.characters[nearest].column)
            start, end = run(best, int(each.column))
            posteriors[start:end] = (second.posteriors[int(each.column)] + first.posteriors[column]) / 2
    return Line(posteriors, second.alphabet)


def _written(line: Line) -> int:
    """How many of its characters stand for something: all but punctuation, the dot inside a name counted."""
    return sum(each.text.isalnum() or each.text == "·" for each in line.characters)


def holes(line: Line) -> list[int]:
    """Where a character is missing: positions it would have. Characters of one value stand at even distances; labels
    are spaced by other rules and say nothing. A character that is not in the alphabet leaves nothing but its place."""
    characters = line.characters
    if len(characters) < 2:
        return []
    printed = _in_labels(line.text)
    steps = [(right.column - left.column) for left, right in pairwise(characters)]
    between = [(is_han(left.text), is_han(right.text)) for left, right in pairwise(characters)]
    even = [step for at, step in enumerate(steps) if all(between[at]) and not printed[at]]
    if len(even) < 2:
        return _short_holes(line) if even and not any(printed) else []
    usual = sorted(even)[(len(even) - 1) // 2]
    most = _HOLE * usual
    found = [at + 1 for at, step in enumerate(steps) if step > most and any(between[at]) and not printed[at]]
    starts_late = not printed[0] and is_han(characters[0].text) and characters[0].column > most
    ends_early = not printed[-1] and _ends_early(line, usual)
    return [*[0] * starts_late, *found, *[len(characters)] * ends_early]


def _short_holes(line: Line) -> list[int]:
    """The same for two characters: their distance against what the box leaves at its ends, about a character."""
    first, last = line.characters[0], line.characters[-1]
    if len(line.characters) > 2 or not (is_han(first.text) and is_han(last.text)):
        return []
    step = last.column - first.column
    usual = min(step, (first.column + line.columns - last.column) / 2)
    return [*[1] * (step > _HOLE * usual), *[2] * _ends_early(line, usual)]


def _ends_early(line: Line, usual: float) -> bool:
    """Whether the box goes on for a character after a last Chinese one."""
    last = line.characters[-1]
    return is_han(last.text) and line.columns - last.column > _END * usual


def _in_labels(text: str) -> list[bool]:
    """Which characters belong to a printed label."""
    marked = [False] * len(text)
    for label in _PRINTED:
        at = text.find(label)
        if at >= 0:
            marked[at : at + len(label)] = [True] * len(label)
    return marked
