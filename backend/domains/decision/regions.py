"""Exact sets of whole numbers and boxes of them: what a condition holds of, what no row of a table reaches.

A `Span` is a tuple of disjoint closed intervals in order; truth values and choices are counted from 0, so every
column is whole numbers. A `Box` is one span per column. Nothing here knows of facts or cells.
"""

from collections.abc import Sequence

Span = tuple[tuple[int, int], ...]
Box = tuple[Span, ...]
STEPS = 250_000
"""Comparisons of two boxes before a question is given up as too large; about half a second."""


class TooLarge(Exception):
    """The question has too many cases to be answered here; no claim is made."""


def span(intervals: Sequence[tuple[int, int]]) -> Span:
    """Intervals in any order, overlapping or empty, as a span."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(each for each in intervals if each[0] <= each[1]):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return tuple(found)


def meet(first: Span, second: Span) -> Span:
    """What is in both."""
    if first == second:
        return first
    return span([(max(a, c), min(b, d)) for a, b in first for c, d in second])


def without(first: Span, second: Span) -> Span:
    """What is in the first only."""
    left = list(first)
    for low, high in second:
        left = [
            piece
            for a, b in left
            for piece in ((a, min(b, low - 1)), (max(a, high + 1), b))
            if piece[0] <= piece[1]
        ]
    return tuple(left)


def common(first: Box, second: Box) -> Box | None:
    """The box in both, None where they do not touch."""
    found = []
    for mine, theirs in zip(first, second, strict=True):
        both = meet(mine, theirs)
        if not both:
            return None
        found.append(both)
    return tuple(found)


def uncovered(box: Box, covers: Sequence[Box], steps: int = STEPS) -> Box | None:
    """A part of the box no cover reaches, None when they cover it all. Raises `TooLarge`."""
    if not all(box):
        return None
    waiting: list[tuple[Box, int]] = [(box, 0)]
    while waiting:
        part, at = waiting.pop()
        start = at
        while at < len(covers) and common(part, covers[at]) is None:
            at += 1
        if at == len(covers):
            return part
        steps -= at - start + 1
        if steps < 0:
            raise TooLarge
        # The last piece is looked at first; pieces of the first columns stay for the end.
        waiting += [(piece, at + 1) for piece in reversed(_outside(part, covers[at]))]
    return None


def _outside(part: Box, cover: Box) -> list[Box]:
    """The part without the cover, as disjoint boxes."""
    pieces: list[Box] = []
    inside: list[Span] = []
    for column, (mine, theirs) in enumerate(zip(part, cover, strict=True)):
        rest = without(mine, theirs)
        if rest:
            pieces.append((*inside, rest, *part[column + 1 :]))
        inside.append(meet(mine, theirs))
    return pieces


def lowest(box: Box) -> tuple[int, ...]:
    """One point of a box."""
    return tuple(each[0][0] for each in box)
