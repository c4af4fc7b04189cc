"""One line of text as the recogniser saw it: characters with posteriors, and other ways of reading the same columns."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLANK = 0
SURE = 0.85
"""What holds a character below this posterior is shown to the person to confirm."""
_DOUBTED = 0.8


class Character(NamedTuple):
    """`probability` is the posterior at its best column; `column` runs from 0 to the line's columns."""

    text: str
    probability: float
    column: float


class Alphabet:
    """The recogniser's classes: blank first, then the characters, then the space."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = ["", *characters, " "]
        self.index = {character: number for number, character in enumerate(self.characters) if character}

    def classes(self, text: str) -> NDArray[np.int64]:
        """Class numbers of the characters of `text` that the recogniser knows."""
        return np.array([self.index[character] for character in text if character in self.index], np.int64)


class Line:
    """Posteriors (columns × classes) of one line, read greedily on demand."""

    def __init__(self, posteriors: Floats, alphabet: Alphabet) -> None:
        self.posteriors = posteriors
        self.alphabet = alphabet

    @property
    def columns(self) -> int:
        return len(self.posteriors)

    @cached_property
    def characters(self) -> list[Character]:
        """The most likely text, without spaces."""
        best = self.posteriors.argmax(axis=1)
        return self._runs(best, self.posteriors[np.arange(self.columns), best], self.alphabet.characters)

    @cached_property
    def text(self) -> str:
        return "".join(character.text for character in self.characters)

    @cached_property
    def confidence(self) -> float:
        """Mean posterior of its characters, 0 when nothing was read."""
        if not self.characters:
            return 0.0
        return float(np.mean([character.probability for character in self.characters]))

    def between(self, start: float, end: float) -> "Line":
        """The part of the line between two columns."""
        first, last = max(round(start), 0), min(round(end), self.columns)
        return Line(self.posteriors[first:last], self.alphabet)

    def weighted(self, weights: Mapping[str, float]) -> "Line":
        """The line under a prior: posteriors of these characters multiplied by their weights, then made to sum to 1."""
        classes = self.alphabet.classes("".join(weights))
        factors = np.array(
            [weights[self.alphabet.characters[number]] for number in classes.tolist()], np.float32
        )
        changed = self.posteriors.copy()
        changed[:, classes] *= factors
        return Line(changed / changed.sum(axis=1, keepdims=True), self.alphabet)

    def favouring(self, text: str, column: int, weight: float) -> "Line":
        """The line with this character made `weight` times likelier where another one or itself is read, that is in
        the run of columns that answer the same class as `column`."""
        number = self.alphabet.index.get(text)
        if number is None:
            return self
        changed = self.posteriors.copy()
        start, end = run(self.posteriors.argmax(axis=1), column)
        changed[start:end, number] *= weight
        changed[start:end] /= changed[start:end].sum(axis=1, keepdims=True)
        return Line(changed, self.alphabet)

    def doubted(self, column: int) -> "Line":
        """The line with what is read there less sure, so that a person is asked; the rest goes to the blank, so that
        posteriors still sum to 1."""
        changed = self.posteriors.copy()
        start, end = run(self.posteriors.argmax(axis=1), column)
        changed[start:end] *= _DOUBTED
        changed[start:end, BLANK] += 1 - _DOUBTED
        return Line(changed, self.alphabet)

    def likely(self, column: int, most: int, least: float) -> list[str]:
        """At most `most` characters with a posterior of at least `least` there, the likeliest first."""
        row = self.posteriors[column]
        numbers = [number for number in np.argsort(-row)[: most + 1].tolist() if row[number] >= least]
        names = [self.alphabet.characters[number] for number in numbers if number != BLANK]
        return [name for name in names if name != " "][:most]

    def chosen(self, column: int, weights: Mapping[str, float]) -> "Line":
        """The line with one of these characters where one character is read now: the one whose posterior at `column`
        times its weight is largest, in doubt."""
        classes = self.alphabet.classes("".join(weights))
        scored = self.posteriors[column, classes] * np.array(list(weights.values()), np.float32)
        row = np.zeros(self.posteriors.shape[1], np.float32)
        row[classes] = scored / scored.sum()
        changed = self.posteriors.copy()
        start, end = run(self.posteriors.argmax(axis=1), column)
        changed[start:end] = row
        return Line(changed, self.alphabet).doubted(column)

    def restricted(self, allowed: str) -> tuple[list[Character], Floats]:
        """Read with only the characters of `allowed`; also returns, for each character read, the posteriors of all of
        `allowed` there (rows sum to at most 1, the rest was something else)."""
        classes = self.alphabet.classes(allowed)
        kept = self.posteriors[:, np.concatenate([[BLANK], classes])]
        total = kept.sum(axis=1, keepdims=True)
        scaled = kept / np.maximum(total, 1e-9)
        scaled[total[:, 0] < 0.02] = np.eye(1, kept.shape[1], dtype=np.float32)
        best = scaled.argmax(axis=1)
        names = ["", *(self.alphabet.characters[number] for number in classes)]
        runs = self._runs(best, kept[np.arange(self.columns), best], names)
        rows = [kept[int(run.column), 1:] for run in runs]
        return runs, np.array(rows, np.float32).reshape(len(runs), len(classes))

    def likelihood(self, text: str) -> float:
        """Mean log posterior per column of exactly this text (CTC forward, best path); -inf when impossible."""
        classes = self.alphabet.classes(text)
        if len(classes) != len(text) or not self.columns:
            return float("-inf")
        labels = np.zeros(2 * len(classes) + 1, np.int64)
        labels[1::2] = classes
        logs = np.log(np.maximum(self.posteriors[:, labels], 1e-12))
        skip = np.zeros(len(labels), bool)
        skip[3::2] = labels[3::2] != labels[1:-2:2]
        score = np.full(len(labels), -np.inf)
        score[:2] = logs[0, :2]
        for row in logs[1:]:
            stepped = np.concatenate([[-np.inf], score[:-1]])
            jumped = np.where(skip, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
            score = np.maximum(np.maximum(score, stepped), jumped) + row
        return float(score[-2:].max() / self.columns)

    def _runs(self, best: NDArray[np.int64], probability: Floats, names: Sequence[str]) -> list[Character]:
        """Collapse repeated classes and drop blanks and spaces."""
        runs: list[Character] = []
        previous = BLANK
        for column, number in enumerate(best.tolist()):
            name = names[number]
            if number != BLANK and name != " ":
                found = Character(name, float(probability[column]), column)
                if number != previous and runs and _crowded(runs[-1], found):
                    runs[-1] = max(runs[-1], found, key=lambda each: each.probability)
                elif number != previous:
                    runs.append(found)
                elif found.probability > runs[-1].probability:
                    runs[-1] = found
            previous = number
        return runs


def run(best: NDArray[np.int64], column: int) -> tuple[int, int]:
    """First and last (exclusive) column that answer the same class as `column`."""
    start, end = column, column + 1
    while start > 0 and best[start - 1] == best[column] != BLANK:
        start -= 1
    while end < len(best) and best[end] == best[column] != BLANK:
        end += 1
    return start, end


def _crowded(left: Character, right: Character) -> bool:
    """Two Chinese characters cannot stand within two columns (a third of their width): one was read as both."""
    return right.column - left.column <= 2 and is_han(left.text) and is_han(right.text)


def is_han(text: str) -> bool:
    """Whether this is a Chinese character; wide brackets and letters (from U+FF01) are none."""
    return "\u3400" <= text < "\uff00" or text >= "\U00020000"
