"""Printed labels inside lines that were read, and the values that stand to the right of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from backend.ocr.locate import Word


class Piece(NamedTuple):
    """Part of a line: a printed label (`label` set) or what stands between labels."""

    label: str
    word: Word

    @property
    def text(self) -> str:
        return self.word.line.text

    @property
    def middle(self) -> float:
        return (self.word.left + self.word.right) / 2


def split(words: Iterable[Word], labels: Sequence[str]) -> list[Piece]:
    """Cut every line at the labels printed in it. Longer labels win over labels inside them."""
    ordered = sorted(labels, key=len, reverse=True)
    return [piece for word in words for piece in _cut(word, ordered)]


def _cut(word: Word, labels: Sequence[str]) -> list[Piece]:
    text, characters = word.line.text, word.line.characters
    pieces: list[Piece] = []
    start = at = 0
    while at < len(text):
        label = next((label for label in labels if text.startswith(label, at)), "")
        if not label:
            at += 1
            continue
        if at > start:
            pieces.append(Piece("", _slice(word, start, at)))
        pieces.append(Piece(label, _slice(word, at, at + len(label))))
        start = at = at + len(label)
    if start < len(characters):
        pieces.append(Piece("", _slice(word, start, len(characters))))
    return pieces


def _slice(word: Word, first: int, last: int) -> Word:
    """Characters `first` to `last` (exclusive) with half the gap at both sides."""
    characters = word.line.characters
    start = 0.0 if first == 0 else (characters[first - 1].column + characters[first].column) / 2 + 0.5
    end = (
        float(word.line.columns)
        if last >= len(characters)
        else (characters[last - 1].column + characters[last].column) / 2 + 0.5
    )
    return word.part(start, end)


def right_of(piece: Piece, x: float) -> Piece:
    """The piece without the characters whose middle is left of `x` (level)."""
    characters = piece.word.line.characters
    first = sum(piece.word.x_of(character) < x for character in characters)
    return (
        piece
        if first in (0, len(characters))
        else piece._replace(word=_slice(piece.word, first, len(characters)))
    )


def below(piece: Piece, label: Piece) -> float:
    """How far `piece` lies under the row of `label`, along the label's own direction of text; pixels."""
    box = label.word.box
    along = box.along if box.aspect > 1.2 else piece.word.box.along
    slope = _slope(along, label)
    return (piece.word.y - label.word.y) - slope * (piece.middle - label.middle)


def _slope(along: np.ndarray[tuple[int], np.dtype[np.float32]], label: Piece) -> float:
    """Rise of the label's row in level coordinates."""
    level = label.word.level
    return float(np.tan(np.arctan2(along[1], along[0]) - level))


def row(label: Piece, pieces: Iterable[Piece], until: float = float("inf")) -> list[Piece]:
    """Unlabelled pieces on the row of `label`, right of it and left of `until` (level x), from left to right."""
    height = label.word.height
    found = [
        piece
        for piece in pieces
        if not piece.label
        and piece.middle > label.word.right - 0.2 * height
        and piece.middle < until
        and piece.word.height > 0.45 * height
        and abs(below(piece, label)) < 0.55 * max(height, min(piece.word.height, 1.3 * height))
    ]
    return sorted(found, key=lambda piece: piece.word.left)


def in_rows(lower: list[tuple[float, Piece]], height: float) -> list[Piece]:
    """Pieces sorted by row, then from left to right."""
    ordered: list[Piece] = []
    current: list[Piece] = []
    top = 0.0
    for down, piece in lower:
        if current and down - top > 0.5 * height:
            ordered += sorted(current, key=lambda each: each.word.left)
            current = []
        if not current:
            top = down
        current.append(piece)
    return ordered + sorted(current, key=lambda each: each.word.left)
