"""What is remembered is asked for once a span, by key, and never after a failure."""

from datetime import timedelta

import pytest

from backend.core import clock
from backend.web import remembered


class Asked:
    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> int:
        self.times += 1
        return self.times


async def test_a_fact_is_asked_for_once_until_its_span_is_over() -> None:
    known, ask, now = remembered.Remembered[int](1), Asked(), clock.now()
    for later, expected in ((0, 1), (999, 1), (1000, 2), (1500, 2), (-1, 3)):
        with clock.at(now + timedelta(milliseconds=later)):
            assert await known.get("a", ask) == expected, later
    with clock.at(now):
        assert await known.get("b", ask) == 4


async def test_nothing_is_kept_of_an_asking_that_failed() -> None:
    known, ask = remembered.Remembered[int](60), Asked()

    async def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        await known.get("a", fail)
    assert await known.get("a", ask) == 1


async def test_strangers_cannot_make_it_grow_without_end() -> None:
    known, ask = remembered.Remembered[int](60), Asked()
    for key in range(3 * remembered.MOST):
        await known.get(key, ask)
    assert len(known._kept) <= remembered.MOST
