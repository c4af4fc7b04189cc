"""Two models over the same cases, or over two shares of the cases: who agrees, who would change sides, how the scores
lie (A3-33, A3-37). Pure, no heavy library.

Both are cut where the same share passes, so that a model is not called milder for another scale. The share is what
the machine let pass of these cases. Few cases say nothing (`drift.FEWEST`).
"""

from collections.abc import Sequence

import msgspec

from backend.domains.models import drift, monitors

BANDS = 10


class Pair(msgspec.Struct, frozen=True):
    """One decided case: what decided scored it, what the other would have; `bad` None while its end is unknown."""

    institution_id: str
    score: int
    other: int
    approved: bool
    bad: bool | None


class Cell(msgspec.Struct, frozen=True):
    """`known` are the cases whose end is known, `bad` those of them that went bad."""

    cases: int
    known: int
    bad: int


class Shape(msgspec.Struct, frozen=True):
    """Counts of both between `edges`, and how far the second lies from the first."""

    edges: list[int]
    first: list[int]
    second: list[int]
    drift: drift.Drift


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """`same`: share of the cases on the same side; `cells` by both, swapped_in, swapped_out, neither; `passing` the
    share both were cut at; `apart` the mean distance of the two scores in points."""

    cases: int
    passing: float
    same: float
    apart: float
    cells: dict[str, Cell]
    shape: Shape
    by_county: list[tuple[str, int, float]]


def agreement(pairs: Sequence[Pair]) -> Agreement | None:
    """None for too few cases."""
    if len(pairs) < drift.FEWEST:
        return None
    passing = sum(pair.approved for pair in pairs) / len(pairs)
    seats = round(len(pairs) * passing)
    first, second = _inside([p.score for p in pairs], seats), _inside([p.other for p in pairs], seats)
    sides: dict[str, list[Pair]] = {"both": [], "swapped_in": [], "swapped_out": [], "neither": []}
    for at, pair in enumerate(pairs):
        sides[_SIDE[at in second, at in first]].append(pair)
    same = len(sides["both"]) + len(sides["neither"])
    return Agreement(
        cases=len(pairs),
        passing=passing,
        same=same / len(pairs),
        apart=sum(abs(p.score - p.other) for p in pairs) / len(pairs),
        cells={name: _cell(found) for name, found in sides.items()},
        shape=shape([p.score for p in pairs], [p.other for p in pairs]),
        by_county=_by_county(pairs),
    )


_SIDE = {
    (True, True): "both",
    (True, False): "swapped_in",
    (False, True): "swapped_out",
    (False, False): "neither",
}
"""(passes with the other, passes with what decided)."""


def shape(first: Sequence[int], second: Sequence[int]) -> Shape:
    """In tenths of the first."""
    ordered = sorted(first)
    edges = sorted({ordered[len(ordered) * at // BANDS] for at in range(1, BANDS)}) if ordered else []
    counts = [_counted(edges, scores) for scores in (first, second)]
    return Shape(edges, counts[0], counts[1], drift.drift(*counts))


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one model did with its share of the cases; `ks` of those whose end is known, None for too few."""

    cases: int
    approved: int
    known: int
    bad: int
    ks: float | None


def side(rows: Sequence[tuple[int, bool, bool | None]]) -> Side:
    """From (score, approved, bad) of each case."""
    ended = [(score, int(bad)) for score, _, bad in rows if bad is not None]
    bads = sum(bad for _, bad in ended)
    enough = min(bads, len(ended) - bads) >= monitors.FEWEST_BAD
    found = drift.auc_ks([s for s, _ in ended], [b for _, b in ended]) if enough else None
    return Side(
        cases=len(rows),
        approved=sum(approved for _, approved, _ in rows),
        known=len(ended),
        bad=bads,
        ks=None if found is None else round(found[1], 4),
    )


def _inside(scores: Sequence[int], seats: int) -> set[int]:
    """Places of the best `seats`; equal scores in the order of the cases, for both models alike."""
    return set(sorted(range(len(scores)), key=lambda at: -scores[at])[:seats])


def _cell(found: Sequence[Pair]) -> Cell:
    ended = [pair.bad for pair in found if pair.bad is not None]
    return Cell(len(found), len(ended), sum(ended))


def _by_county(pairs: Sequence[Pair]) -> list[tuple[str, int, float]]:
    """(institution, cases, how many points the other gives more on average)."""
    found: dict[str, list[int]] = {}
    for pair in pairs:
        found.setdefault(pair.institution_id, []).append(pair.other - pair.score)
    return [(name, len(gaps), round(sum(gaps) / len(gaps), 1)) for name, gaps in sorted(found.items())]


def _counted(edges: Sequence[int], scores: Sequence[int]) -> list[int]:
    from bisect import bisect_right

    counts = [0] * (len(edges) + 1)
    for score in scores:
        counts[bisect_right(edges, score)] += 1
    return counts
