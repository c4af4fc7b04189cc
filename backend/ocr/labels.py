"""Printed labels inside lines that were read, and the values that stand to the right of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from backend.ocr.locate import Word

_APART, _SAME = 0.6, 0.3
"""Middles of neighbours stand a character apart, in heights of their box. Nearer than `_APART` in boxes that overlap is
a part of the neighbour, nearer than `_SAME` the neighbour itself."""


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


def split(words: Iterable[Word], labels: Sequence[str], *, torn: bool = False) -> list[Piece]:
    """Cut every line at the labels printed in it. Longer labels win over labels inside them. With `torn`, a label of
    four characters or more counts where any one of them was not read; only for papers whose values say nothing such.
    """
    forms = {label: label for label in labels}
    for label in labels if torn else ():
        for at in range(len(label) if len(label) >= 4 else 0):
            forms.setdefault(label[:at] + label[at + 1 :], label)
    ordered = sorted(forms, key=len, reverse=True)
    return [piece for word in words for piece in _cut(word, ordered, forms)]


def _cut(word: Word, labels: Sequence[str], meant: Mapping[str, str]) -> list[Piece]:
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
        pieces.append(Piece(meant[label], _slice(word, at, at + len(label))))
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


def part(piece: Piece, first: int, last: int) -> Piece:
    """Characters `first` to `last` (exclusive) of the piece."""
    return piece._replace(word=_slice(piece.word, first, last))


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
    """Unlabelled pieces on the row of `label`, right of it and left of `until` (level x), from left to right. A piece
    that begins inside the label loses what is the label's: a box that overlaps the label's may hold the right half of
    its last character, read as a character of its own."""
    height = label.word.height
    ends = max((label.word.x_of(each) for each in label.word.line.characters), default=label.word.left)
    found = [
        right_of(piece, ends + (_APART if _overlaps(label, piece) else _SAME) * height)
        for piece in pieces
        if not piece.label
        and not (
            piece.text == label.text[-1:] and piece.word.left < label.word.right
        )  # the label's end once more
        and piece.middle > label.word.right - 0.2 * height
        and piece.middle < until
        and piece.word.height > 0.45 * height
        and abs(below(piece, label)) < 0.55 * max(height, min(piece.word.height, 1.3 * height))
    ]
    return _each_once(sorted(found, key=_begins))


def _begins(piece: Piece) -> float:
    """Where its first character stands; the box of a value may begin before a half character at the end of its
    label's box (女 of 姚) that stands left of all it holds."""
    characters = piece.word.line.characters
    return piece.word.x_of(characters[0]) if characters else piece.word.left


def _overlaps(label: Piece, piece: Piece) -> bool:
    """Whether the piece stands in another box than the label, and that box begins inside the label's."""
    return piece.word.box is not label.word.box and piece.word.left < label.word.right


def _each_once(row: list[Piece]) -> list[Piece]:
    """Boxes of one row may overlap by a character; the one that begins with it keeps it."""
    kept: list[Piece] = []
    for at, piece in enumerate(row):
        characters = piece.word.line.characters
        after = row[at + 1].word if at + 1 < len(row) else None
        if characters and after and after.line.characters:
            apart = after.x_of(after.line.characters[0]) - piece.word.x_of(characters[-1])
            shared = piece.word.right - after.left > 0.5 * after.height
            same = shared and characters[-1].text == after.line.characters[0].text
            if same or apart < (_APART if shared else _SAME) * after.height:
                if len(characters) == 1:
                    continue
                piece = piece._replace(word=_slice(piece.word, 0, len(characters) - 1))
        kept.append(piece)
    return kept


def outside(pieces: Iterable[Piece], taken: Iterable[Piece]) -> list[Piece]:
    """The pieces of other boxes than those of `taken`."""
    boxes = [id(piece.word.box) for piece in taken]
    return [piece for piece in pieces if id(piece.word.box) not in boxes]


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
