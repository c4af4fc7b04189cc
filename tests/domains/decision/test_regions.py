"""Boxes against brute force: what the algebra says of a table is what trying every point says."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.domains.decision import regions

LOW, HIGH = 0, 6
SPANS = st.lists(st.tuples(st.integers(LOW, HIGH), st.integers(LOW, HIGH)), min_size=1, max_size=3).map(
    regions.span
)
BOXES = st.tuples(SPANS, SPANS, SPANS)
WHOLE = (((LOW, HIGH),),) * 3


def holds(box, point):
    return all(any(a <= at <= b for a, b in part) for part, at in zip(box, point, strict=True))


@given(SPANS, SPANS)
def test_meet_and_without_are_set_operations(first, second):
    for at in range(LOW, HIGH + 1):
        in_first, in_second = holds((first,), (at,)), holds((second,), (at,))
        assert holds((regions.meet(first, second),), (at,)) == (in_first and in_second)
        assert holds((regions.without(first, second),), (at,)) == (in_first and not in_second)


@given(st.lists(BOXES, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_gap_is_found_exactly_when_there_is_one_and_is_a_gap(covers):
    left = regions.uncovered(WHOLE, covers)
    gaps = [p for p in product(range(LOW, HIGH + 1), repeat=3) if not any(holds(c, p) for c in covers)]
    assert (left is None) == (not gaps)
    if left is not None:
        assert regions.lowest(left) in gaps


def test_a_question_with_too_many_pieces_is_given_up_not_answered():
    """Nine pigeons in eight holes: two share one, but finding that out piece by piece takes for ever."""
    pigeons, holes = 9, 8
    everywhere = ((0, holes - 1),)
    covers = [
        tuple(((hole, hole),) if n in (first, second) else everywhere for n in range(pigeons))
        for first in range(pigeons)
        for second in range(first)
        for hole in range(holes)
    ]
    with pytest.raises(regions.TooLarge):
        regions.uncovered((everywhere,) * pigeons, covers)
