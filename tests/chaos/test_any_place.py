"""A death at any place of the road, one place per walk: what was promised is kept, nothing is done twice (trust §1).

CI walks with every thirteenth place; `CHAOS_PLACES=all` takes each of them (about a quarter of an hour).
"""

import os

import pytest

from tests.chaos.walk import violations, walk
from tests.flows.conftest import Road

PLACES = 170
"""Failpoints passed on the road of a good customer, those around every commit included."""

CHOSEN = range(1, PLACES + 1) if os.environ.get("CHAOS_PLACES") == "all" else range(5, PLACES + 1, 13)


async def test_the_road_passes_this_many_places(road: Road) -> None:
    deaths = await walk(road)
    assert PLACES <= deaths.passed <= PLACES + 20
    assert await violations(road) == {}


@pytest.mark.slow
@pytest.mark.parametrize("place", CHOSEN)
async def test_a_death_at_this_place_leaves_no_question_open(road: Road, place: int) -> None:
    deaths = await walk(road, die_at=place)
    assert deaths.passed >= place
    assert await violations(road) == {}
