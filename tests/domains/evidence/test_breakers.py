"""The circuit breaker of a source: one row for all processes (N19)."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.core import clock
from backend.core.actor import everywhere
from backend.db.database import Database
from backend.domains.evidence import breakers, sources

CORE = msgspec.structs.replace(
    sources.every()["core_banking"], failures=3, window_seconds=60, pause_seconds=10, deadline_seconds=5
)


class Line:
    """One source and a clock of our own."""

    def __init__(self, db: Database) -> None:
        self._db, self.now = db, clock.now()

    async def _act(self, act, **delta):
        self.now += timedelta(**delta)
        with clock.at(self.now):
            async with self._db.begin(everywhere("test")) as tx:
                return await act(tx, CORE)

    async def fail(self, **delta):
        return await self._act(lambda tx, source: breakers.failed(tx, source, "timeout"), **delta)

    async def answer(self, **delta):
        return await self._act(breakers.answered, **delta)

    async def admit(self, **delta):
        return await self._act(breakers.admit, **delta)

    async def state(self):
        async with self._db.read(everywhere("test")) as tx:
            found = await breakers.every(tx)
        return found["core_banking"].state if found else "none"


@pytest.fixture
def line(db: Database) -> Line:
    return Line(db)


async def test_a_source_that_never_failed_is_asked_and_has_no_row(line):
    assert await line.admit()
    assert not await line.answer()
    assert await line.state() == "none"


async def test_it_opens_after_enough_failures_and_asks_nobody_until_the_pause_is_over(line):
    assert [await line.fail(seconds=1) for _ in range(3)] == [False, False, True]
    assert not await line.admit(seconds=9)
    assert await line.admit(seconds=1)
    assert await line.state() == "half_open"
    assert not await line.admit(seconds=1), "one call tries, the others wait for it"


async def test_a_failed_trial_opens_it_again_and_an_answer_closes_it(line):
    for _ in range(3):
        await line.fail()
    assert await line.admit(seconds=10)
    assert await line.fail(seconds=1)
    assert not await line.admit(seconds=9)
    assert await line.admit(seconds=1)
    assert await line.answer(seconds=1), "this answer is the one that closed it"
    assert not await line.answer()
    assert await line.state() == "closed"
    assert await line.admit()


async def test_who_tries_and_dies_is_followed_by_another(line):
    for _ in range(3):
        await line.fail()
    assert await line.admit(seconds=10)
    assert not await line.admit(seconds=14)
    assert await line.admit(seconds=1)


async def test_failures_of_long_ago_are_forgotten_and_answers_take_them_back(line):
    assert not await line.fail()
    assert not await line.fail()
    assert not await line.fail(seconds=61), "the window is over"
    await line.answer()
    assert not await line.fail()
    assert not await line.fail()
    assert await line.fail()


async def test_what_was_under_way_when_it_opened_does_not_push_the_trial_away(line):
    for _ in range(3):
        await line.fail()
    await line.fail(seconds=5)
    assert await line.admit(seconds=5)


async def test_of_twenty_that_want_to_try_at_once_one_does(line):
    for _ in range(3):
        await line.fail()
    line.now += timedelta(seconds=10)
    assert sum(await asyncio.gather(*(line.admit() for _ in range(20)))) == 1


async def test_twenty_failures_at_once_are_counted_and_open_it(line):
    opened = await asyncio.gather(*(line.fail() for _ in range(20)))
    assert sum(opened) >= 18
    assert await line.state() == "open"
