"""Reads asked together say what they say one by one, in one statement."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg
import pytest

from backend.core.errors import NotFound
from backend.db.database import Tx
from backend.db.together import Together
from backend.domains.applications import repository
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, ApplicationMoved, ApplicationNotFound
from backend.domains.institutions import service as institutions
from backend.domains.relations import service as relations
from backend.outbox import effects
from backend.outbox.effects import Q as outbox

NOBODY = "00000000-0000-7000-8000-000000000000"


class Counting:
    """A connection that counts what is fetched of it."""

    def __init__(self, connection: Any) -> None:
        self._connection, self.asked = connection, 0

    def __getattr__(self, name: str) -> Any:
        if name in {"fetch", "fetchrow", "fetchval", "execute"}:
            self.asked += 1
        return getattr(self._connection, name)


@pytest.fixture
async def counted(tx: Tx) -> Counting:
    tx.reviewed = Counting(tx.reviewed)
    return tx.reviewed


async def begun(tx: Tx) -> Application:
    return await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")


async def test_the_answers_are_those_of_one_by_one_in_one_statement(tx: Tx, counted: Counting) -> None:
    one, two = await begun(tx), await begun(tx)
    alone = [await applications.get(tx, one.id), await applications.get(tx, two.id)]
    events, areas = await applications.events(tx, one.id), await institutions.areas(tx, "4101")
    for _ in range(2):  # the second time their columns are known
        counted.asked = 0
        async with Together(tx) as also:
            first, second = also(applications.get(tx, one.id)), also(applications.get(tx, two.id))
            told, places = also(applications.events(tx, one.id)), also(institutions.areas(tx, "4101"))
        assert [first.result(), second.result()] == alone
        assert (told.result(), places.result()) == (events, areas)
        assert counted.asked == 1


async def test_every_row_reads_as_the_drivers_own(tx: Tx) -> None:
    """Every type our tables have, by name, by place, as a list and as a dict."""
    query = repository.Q.get
    made = await begun(tx)
    own = await query(tx, institution_id="4101", id=made.id)
    async with Together(tx) as also:
        ours, none = (
            also(query(tx, institution_id="4101", id=made.id)),
            also(query(tx, institution_id="4101", id=NOBODY)),
        )
    row = ours.result()
    assert none.result() is None
    assert dict(row) == dict(own)
    assert list(row) == list(own)
    assert row["id"] == own["id"] == made.id
    assert row[1] == own[1]
    with pytest.raises(KeyError):
        row["no such column"]


async def test_the_same_question_is_asked_once(tx: Tx, counted: Counting) -> None:
    made = await begun(tx)
    counted.asked = 0
    async with Together(tx) as also:
        asked = [also(applications.get(tx, made.id)) for _ in range(3)]
    assert {each.result().id for each in asked} == {made.id}
    assert counted.asked == 1


async def test_who_asks_twice_asks_twice_beside_the_others(tx: Tx, counted: Counting) -> None:
    made = await begun(tx)

    async def twice() -> int:
        await applications.get(tx, made.id)
        return len(await applications.events(tx, made.id))

    async def inside() -> list[int]:
        async with Together(tx) as also:
            asked = [also(twice()), also(twice())]
        return [each.result() for each in asked]

    counted.asked = 0
    async with Together(tx) as also:
        nested, plain, nothing = also(inside()), also(twice()), also(_nothing())
    assert (nested.result(), plain.result(), nothing.result()) == ([1, 1], 1, None)
    assert counted.asked == 2
    assert tx.together is None


async def _nothing() -> None:
    """Asks nothing."""


async def test_who_waits_for_anything_else_is_waited_for(tx: Tx, counted: Counting) -> None:
    """A bundle that is built on a thread, on the way of a decision: also within a block of its own."""
    made = await begun(tx)

    async def built() -> str:
        read = await applications.get(tx, made.id)
        return await asyncio.to_thread(lambda: read.application_no)

    async def inside() -> str:
        async with Together(tx) as also:
            work = also(built())
            also(asyncio.sleep(0))
        return work.result()

    counted.asked = 0
    async with Together(tx) as also:
        slept, one = also(asyncio.sleep(0.01, "slept")), also(built())
        two, read = also(inside()), also(applications.events(tx, made.id))
    assert (slept.result(), one.result(), two.result()) == ("slept", made.application_no, made.application_no)
    assert len(read.result()) == 1
    assert counted.asked == 1


async def test_who_waits_for_anything_else_hears_of_what_becomes_of_it(tx: Tx) -> None:
    made = await begun(tx)

    async def fail() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        async with Together(tx) as also:
            also(fail())
            read = also(applications.get(tx, made.id))
    assert read.result() == made
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), Together(tx) as also:
            also(asyncio.sleep(60))
            never = also(applications.get(tx, made.id))
    with pytest.raises(RuntimeError, match="not ended"):
        never.result()


async def test_nothing_has_come_of_it_before_the_block_ends(tx: Tx) -> None:
    with pytest.raises(RuntimeError, match="not ended"):
        async with Together(tx) as also:
            also(applications.get(tx, NOBODY)).result()


async def test_what_one_raises_is_raised_the_first_of_several(tx: Tx) -> None:
    made = await begun(tx)

    async def fail(number: int) -> None:
        await applications.get(tx, made.id)
        raise NotFound(number=number)

    with pytest.raises(ApplicationNotFound):
        async with Together(tx) as also:
            also(applications.get(tx, made.id))
            also(applications.get(tx, NOBODY))
            also(fail(2))
    assert tx.together is None
    assert await applications.get(tx, made.id) == made  # the transaction goes on


async def test_a_statement_that_fails_fails_for_all(tx: Tx) -> None:
    with pytest.raises(asyncpg.DataError):
        async with Together(tx) as also:
            also(applications.get(tx, "no uuid"))
            also(applications.events(tx, NOBODY))


async def test_what_writes_or_locks_is_refused(tx: Tx) -> None:
    made = await begun(tx)
    for work in (
        applications.get(tx, made.id, lock=True),
        applications.move(tx, made, "submitted", "submitted"),
    ):
        with pytest.raises(RuntimeError, match="together"):
            async with Together(tx) as also:
                also(work)


async def test_the_writes_of_one_change_are_one_statement_and_say_what_they_say_one_by_one(
    tx: Tx, counted: Counting
) -> None:
    """With parts of their own (`with … as`), with and without rows that come back, and a function that writes."""
    one, two = await begun(tx), await begun(tx)
    counted.asked = 0
    async with Together(tx, writing=True) as also:
        moved = also(applications.move(tx, one, "submitted", "submitted", "now"))
        added = also(effects.add(tx, kind="k", case_id=one.id, payload={"a": 1}, first=True))
        again = also(_named(tx, "w"))
        met = also(relations.connect(tx, NOBODY, "device", "d", source="application"))
    assert counted.asked == 1
    assert moved.result() == await applications.get(tx, one.id)
    assert moved.result().status == "submitted"
    assert met.result() is None
    assert [event.event for event in await applications.events(tx, one.id)][-1] == "submitted"
    assert [each.id for each in await effects.of_case(tx, one.id)] == [added.result()]
    assert [each.id for each in await effects.of_case(tx, NOBODY)] == [again.result()]
    async with Together(tx, writing=True) as also:
        twice, gone = also(_named(tx, "w")), also(applications.move(tx, two, "submitted", "submitted"))
        count = also(outbox.delivered(tx, institution_id="4101", id=added.result(), now=tx.now))
    assert (twice.result(), gone.result().status, count.result()) == (None, "submitted", 1)
    async with Together(tx, writing=True) as also:  # alone, it counts its rows too
        none = also(outbox.delivered(tx, institution_id="4101", id=NOBODY, now=tx.now))
    assert none.result() == 0


async def _named(tx: Tx, key: str) -> str | None:
    return await effects.add(tx, kind="k", case_id=NOBODY, key=key, payload={}, wake=False)


async def test_a_race_that_one_of_the_writes_meets_is_raised(tx: Tx) -> None:
    made = await begun(tx)
    await applications.move(tx, made, "submitted", "submitted")
    with pytest.raises(ApplicationMoved):
        async with Together(tx, writing=True) as also:
            also(applications.move(tx, made, "submitted", "submitted"))
            also(_named(tx, "w"))


async def test_two_changes_of_one_table_are_refused_together(tx: Tx) -> None:
    """PostgreSQL would let one of them fall where they meet in a row."""
    one, two = await begun(tx), await begun(tx)
    with pytest.raises(RuntimeError, match="change one table"):
        async with Together(tx, writing=True) as also:
            also(applications.move(tx, one, "submitted", "submitted"))
            also(applications.move(tx, two, "submitted", "submitted"))
    with pytest.raises(RuntimeError, match="change one table"):
        async with Together(tx, writing=True) as also:
            also(outbox.delivered(tx, institution_id="4101", id=NOBODY, now=tx.now))
            also(outbox.forget_payload(tx, institution_id="4101", id=NOBODY, payload=b""))


async def test_nothing_is_written_among_reads_and_no_worker_woken_among_writes(tx: Tx) -> None:
    made = await begun(tx)

    async def write() -> None:
        async with Together(tx, writing=True) as also:
            also(applications.move(tx, made, "submitted", "submitted"))

    with pytest.raises(RuntimeError, match="among reads"):
        async with Together(tx) as also:
            also(write())
    with pytest.raises(RuntimeError, match="by itself"):
        async with Together(tx, writing=True) as also:
            also(effects.add(tx, kind="k", case_id=NOBODY, payload={}))


async def test_a_block_that_fails_leaves_nobody_reading(tx: Tx) -> None:
    made = await begun(tx)
    with pytest.raises(ZeroDivisionError):
        async with Together(tx) as also:
            also(applications.get(tx, made.id))
            1 / 0  # noqa: B018
    assert await applications.get(tx, made.id) == made


async def test_who_is_cancelled_while_they_wait_is_cancelled_and_nothing_else(tx: Tx) -> None:
    asking = asyncio.Event()

    class Slow(Counting):
        async def fetchrow(self, *_: Any) -> None:
            asking.set()
            await asyncio.sleep(60)

    tx.reviewed = Slow(tx.reviewed)
    ends: list[str] = []

    async def noted(read: Coroutine[Any, Any, object]) -> None:
        try:
            await read
        except BaseException as error:
            ends.append(type(error).__name__)
            raise

    async def both() -> None:
        async with Together(tx) as also:
            also(noted(applications.get(tx, NOBODY)))
            also(noted(applications.events(tx, NOBODY)))

    task = asyncio.create_task(both())
    await asyncio.wait_for(asking.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ends == ["CancelledError", "CancelledError"]
    assert tx.together is None
