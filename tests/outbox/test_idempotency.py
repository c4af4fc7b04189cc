"""A key and its request belong together for ever (trust 1.3); what a request does under its key, it does once."""

import asyncio
import contextvars
from datetime import timedelta

import pytest

from backend.core import clock, failpoints
from backend.core.actor import system
from backend.db.database import COMMITTED, Database, Tx
from backend.outbox import idempotency
from backend.outbox.effects import Q
from backend.outbox.idempotency import (
    ANSWERS_KEPT,
    LEASE,
    AnsweredMeanwhile,
    Claim,
    KeyReused,
    Refused,
    StillRunning,
    request_hash,
)

JIA = system("4101", "test")
WHO, KEY, REQUEST = "visit 1", "one-page", request_hash("amount", "20000")


class Shop:
    """Makes things that no state guards."""

    def __init__(self, db: Database) -> None:
        self.db, self.made = db, 0

    async def ask(self, key: str = KEY, request: bytes = REQUEST, who: str = WHO) -> str:
        claim = Claim(self.db, who, key, request)
        answered, before = await claim.look()
        if answered:
            return (before or b"gone").decode()
        with claim.open():
            async with self.db.begin(JIA) as tx:
                said = await idempotency.once(tx, self._make)
        await claim.answered(said.encode())
        return said

    async def _make(self) -> str:
        self.made += 1
        return f"thing {self.made}"


@pytest.fixture
def shop(db: Database) -> Shop:
    return Shop(db)


async def test_the_same_key_with_the_same_request_gets_the_saved_answer_and_works_once(shop: Shop) -> None:
    assert [await shop.ask() for _ in range(3)] == ["thing 1"] * 3
    assert shop.made == 1


async def test_the_same_key_with_another_request_is_refused_and_does_nothing(shop: Shop) -> None:
    await shop.ask()
    with pytest.raises(KeyReused):
        await shop.ask(request=request_hash("amount", "50000"))
    assert shop.made == 1


async def test_the_same_key_of_somebody_else_is_another_key(shop: Shop) -> None:
    assert [await shop.ask(who="visit 1"), await shop.ask(who="visit 2")] == ["thing 1", "thing 2"]


async def test_two_at_once_of_which_both_saw_nothing_are_one(shop: Shop, db: Database) -> None:
    """The second waits at the claim, is rolled back, and gets the answer of the first."""
    second, entered = Claim(db, WHO, KEY, REQUEST), asyncio.Event()
    assert await second.look() == (False, None)

    async def late() -> None:
        entered.set()
        with second.open():
            async with db.begin(JIA):
                raise AssertionError("both went in")

    first = Claim(db, WHO, KEY, REQUEST)
    apart = contextvars.copy_context()
    with first.open():
        async with db.begin(JIA):
            other = asyncio.create_task(late(), context=apart)
            await entered.wait()
            await asyncio.sleep(0.2)
            assert not other.done()
    await first.answered(b"said")
    with pytest.raises(AnsweredMeanwhile) as found:
        await other
    assert found.value.answer == b"said"


async def test_while_the_first_is_at_work_a_second_is_told_so(
    shop: Shop, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    first, second = Claim(db, WHO, KEY, REQUEST), Claim(db, WHO, KEY, REQUEST)
    await second.look()
    with first.open():
        async with db.begin(JIA):
            pass
    with pytest.raises(StillRunning):
        await shop.ask()
    with pytest.raises(Refused), second.open():
        async with db.begin(JIA):
            raise AssertionError("both went in")
    assert shop.made == 0


async def test_what_is_rolled_back_leaves_no_claim(shop: Shop, db: Database) -> None:
    claim = Claim(db, WHO, KEY, REQUEST)
    with pytest.raises(LookupError), claim.open():
        async with db.begin(JIA):
            raise LookupError
    assert not claim.held
    await claim.answered(b"refused")
    assert await shop.ask(request=request_hash("mended")) == "thing 1"


async def test_a_death_after_the_commit_is_taken_over_and_makes_nothing_twice(shop: Shop) -> None:
    failpoints.configure(f"{COMMITTED}=error")  # each time: another task of this process may commit before us
    try:
        with pytest.raises(failpoints.FailpointError):
            await shop.ask()
    finally:
        failpoints.configure("")
    with clock.at(clock.now() + LEASE):
        assert await shop.ask() == "thing 1"
        assert await shop.ask() == "thing 1"
    assert shop.made == 1


async def test_after_an_error_of_ours_a_repeat_runs_at_once(shop: Shop, db: Database) -> None:
    claim = Claim(db, WHO, KEY, REQUEST)
    with claim.open():
        async with db.begin(JIA):
            pass
    await claim.release()
    assert await shop.ask() == "thing 1"


async def test_an_old_answer_is_emptied_and_its_key_stays(shop: Shop, db: Database) -> None:
    await shop.ask()
    assert await idempotency.forget_answers(db, clock.now()) == 0
    assert await idempotency.forget_answers(db, clock.now() + ANSWERS_KEPT + timedelta(seconds=1)) == 1
    assert await shop.ask() == "gone"
    with pytest.raises(KeyReused):
        await shop.ask(request=request_hash("another"))
    assert shop.made == 1


async def test_what_is_asked_beside_a_key_is_as_fresh_as_the_answer_about_the_key(
    shop: Shop, db: Database
) -> None:
    """In the same statement each time: whoever waited for the one before goes on with what is so afterwards."""
    first, second, said = Claim(db, WHO, KEY, REQUEST), Claim(db, WHO, KEY, REQUEST), list[bool]()
    asked = asyncio.Event()

    async def beside(tx: Tx) -> None:
        row = await Q.request_with(tx, key=first.key)
        said.append(row is not None and row["answered_at"] is not None)
        asked.set()

    with first.open():
        async with db.begin(JIA):
            pass
    waiting = asyncio.create_task(second.look(beside))
    await asked.wait()
    await first.answered(b"said")
    assert await waiting == (True, b"said")
    assert (said[0], said[-1]) == (False, True)
