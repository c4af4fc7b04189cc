"""A key and its request belong together for ever (trust 1.3)."""

import pytest

from backend.core.actor import system
from backend.db.database import Database
from backend.outbox import idempotency
from backend.outbox.idempotency import KeyUsedForAnotherRequest, request_hash

JIA = system("4101", "test")


async def test_the_same_key_with_the_same_request_gets_the_saved_answer_and_works_once(db: Database) -> None:
    worked = []

    async def work() -> str:
        worked.append(1)
        return "/done"

    for _ in range(3):
        async with db.begin(JIA) as tx:
            answer = await idempotency.once(tx, "same", request_hash("amount", "20000"), work)
        assert answer == "/done"
    assert worked == [1]


async def test_the_same_key_with_another_request_is_refused_and_does_nothing(db: Database) -> None:
    async def first() -> str:
        return "/done"

    async def never() -> str:
        raise AssertionError("the other request was carried out")

    async with db.begin(JIA) as tx:
        await idempotency.once(tx, "other", request_hash("amount", "20000"), first)
    with pytest.raises(KeyUsedForAnotherRequest):
        async with db.begin(JIA) as tx:
            await idempotency.once(tx, "other", request_hash("amount", "50000"), never)
