"""Two models over the same cases: the same share passes, who changes sides, how the scores lie (A3-33, A3-37)."""

import random

from backend.domains.models import comparing, drift
from backend.domains.models.comparing import Pair


def pairs(count: int, shift: int = 0, noise: int = 0, seed: int = 3) -> list[Pair]:
    draw = random.Random(seed)
    made = []
    for number in range(count):
        score = draw.randint(450, 700)
        other = score + shift + draw.randint(-noise, noise)
        made.append(Pair(("4101", "4102")[number % 2], score, other, score >= 560, score < 480 or None))
    return made


def test_another_scale_alone_changes_nobody_s_side():
    found = comparing.agreement(pairs(1000, shift=40))
    assert found is not None
    assert (found.same, found.apart) == (1.0, 40.0)
    assert found.cells["swapped_in"].cases == found.cells["swapped_out"].cases == 0
    assert found.shape.drift.level == drift.MOVED
    assert found.by_county == [("4101", 500, 40.0), ("4102", 500, 40.0)]


def test_as_many_come_in_as_go_out_and_what_is_known_of_them_is_counted():
    made = pairs(1000, noise=60)
    found = comparing.agreement(made)
    assert found is not None
    cells = found.cells
    assert cells["swapped_in"].cases == cells["swapped_out"].cases > 20
    assert sum(cell.cases for cell in cells.values()) == 1000
    assert cells["both"].cases + cells["swapped_out"].cases == round(1000 * found.passing)
    assert sum(cell.known for cell in cells.values()) == sum(pair.bad is not None for pair in made)
    assert cells["neither"].bad == cells["neither"].known > 0


def test_few_cases_say_nothing():
    assert comparing.agreement(pairs(drift.FEWEST - 1)) is None
    assert comparing.agreement(pairs(drift.FEWEST)) is not None


def test_a_side_has_a_ks_only_with_enough_of_each_kind():
    rows = [(700 - at, True, at % 2 == 0) for at in range(58)]
    assert comparing.side(rows).ks is None
    rows = [(500 if bad else 600, True, bad) for bad in (True, False) * 30] + [(1, False, None)]
    found = comparing.side(rows)
    assert (found.cases, found.approved, found.known, found.bad, found.ks) == (61, 60, 60, 30, 1.0)
