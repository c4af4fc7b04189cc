"""Values out of pieces of lines: characters with posteriors, doubts, digits with their check sums."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from backend.ocr import second_look
from backend.ocr.labels import Piece
from backend.ocr.lines import SURE, Character, Line
from backend.ocr.reading import Field

_BESIDE_HOLE = 0.5
_FOLDED = {chr(code + 0xFEE0): chr(code) for code in range(33, 127) if chr(code).isalnum()}
_WIDE = {chr(code): chr(code + 0xFEE0) for code in range(33, 127) if not chr(code).isalnum()}
_OTHER_WIDTH = {**_WIDE, **{wide: narrow for narrow, wide in _WIDE.items()}}


def characters(pieces: Iterable[Piece], prior: Mapping[str, float] | None = None) -> list[Character]:
    """All characters of the pieces in their order, full-width digits and letters folded to ASCII. Both neighbours of a
    hole are in doubt; whether a bracket is wide or narrow is not."""
    lines = [piece.word.line.weighted(prior) if prior else piece.word.line for piece in pieces]
    found: list[Character] = []
    for line in lines:
        torn = {near for hole in second_look.holes(line) if hole for near in (hole - 1, hole)}
        for at, character in enumerate(line.characters):
            sure = character.probability + _of_other_width(line, character)
            probability = min(sure, _BESIDE_HOLE if at in torn else 1.0)
            text = _FOLDED.get(character.text, character.text)
            found.append(character._replace(text=text, probability=probability))
    return found


def _of_other_width(line: Line, character: Character) -> float:
    """The posterior of the same punctuation mark in its other width, 0 for everything else."""
    number = line.alphabet.index.get(_OTHER_WIDTH.get(character.text, ""))
    return float(line.posteriors[int(character.column), number]) if number is not None else 0.0


def field(found: Sequence[Character], *, doubtful: bool = False, text: str | None = None) -> Field:
    """A value made of these characters. `text` replaces what was read (positions then mean nothing)."""
    weakest = min((character.probability for character in found), default=0.0)
    unsure = [at for at, character in enumerate(found) if character.probability < SURE]
    written = "".join(character.text for character in found) if text is None else text
    return Field(
        written, round(float(weakest), 4), unsure if text is None else [], doubtful or weakest < SURE
    )


def certain(text: str, confidence: float = 1.0, *, doubtful: bool = False) -> Field:
    """A value that follows from another one."""
    return Field(text, round(confidence, 4), [], doubtful)


def digits(lines: Sequence[Line], allowed: str, length: int, valid: Callable[[str], bool]) -> Field | None:
    """A number of `length` characters that must satisfy `valid`; None when nothing like it was read.

    A number as read that is valid is taken. Otherwise every single substitution that makes it valid competes by
    posterior, and a clear winner is taken with a mark of doubt; without one the number as read is returned, marked.
    """
    best: Field | None = None
    for line in lines:
        found, rows = line.restricted(allowed)
        text = "".join(character.text for character in found)
        if len(text) == length and valid(text):
            return field(found)
        if len(text) == length and (best is None or not valid(best.text)):
            mended = _mend(text, rows, allowed, valid)
            best = _marked(found, mended)
        elif best is None and abs(len(text) - length) <= 3:
            best = field(found, doubtful=True)
    return best


def _marked(found: list[Character], mended: str | None) -> Field:
    read = field(found, doubtful=True)
    if mended is None:
        return read
    changed = [at for at, character in enumerate(found) if character.text != mended[at]]
    return Field(mended, read.confidence, sorted({*read.unsure, *changed}), True)


def _mend(
    text: str,
    rows: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    allowed: str,
    valid: Callable[[str], bool],
) -> str | None:
    """The single substitution that makes `text` valid and is far likelier than any other, or None."""
    logs = np.log(np.maximum(rows, 1e-6))
    candidates: list[tuple[float, str]] = []
    for at, digit in enumerate(text):
        loss = logs[at] - logs[at, allowed.index(digit)]
        for number, other in enumerate(allowed):
            changed = text[:at] + other + text[at + 1 :]
            if other != digit and valid(changed):
                candidates.append((float(loss[number]), changed))
    candidates.sort(reverse=True)
    if not candidates or candidates[0][0] < -7:
        return None
    if len(candidates) > 1 and candidates[0][0] - candidates[1][0] < 2:
        return None
    return candidates[0][1]


def choose(line: Line, options: Iterable[str]) -> tuple[str, float]:
    """The likeliest of `options` and its share of the likelihood of the two best (0.5 … 1)."""
    scored = sorted(((line.likelihood(option) * line.columns, option) for option in options), reverse=True)
    best = scored[0]
    if best[0] == float("-inf"):
        return "", 0.0
    second = scored[1][0] if len(scored) > 1 else float("-inf")
    return best[1], float(1 / (1 + np.exp(min(second - best[0], 0))))


DATE = re.compile(r"(\d{4})[年.\-/]?(\d{1,2})[月.\-/]?(\d{1,2})")
