"""The same key with the same request gets the saved answer; with another request it is refused (trust §1 no 3).

A request that changes something goes so, whoever sends it (`web/request_keys.py` does it for every door):

1. `Claim.look`: was it answered before? Then that is the answer. Is it being done? Then wait a little.
2. Its first transaction that commits carries the claim, so a claim is there exactly when a change is.
3. `Claim.answered`: the answer is written down, then sent.

A death between 2 and 3 leaves a claim whose lease runs out; the repeat takes it over and runs again, which changes
nothing twice: what the flows change is guarded by its state, and what they make anew is made through `once`.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.core.errors import Conflict, Invalid
from backend.db.database import Database, Tx, first_write
from backend.db.together import Together
from backend.outbox.effects import Q

LEASE = timedelta(seconds=30)
"""Longer than any request takes; then whoever claimed it is taken for dead."""
WAIT_SECONDS = 10.0
"""How long a repeat waits for the answer of the one that is at work."""
ANSWERS_KEPT = timedelta(days=2)

_TABLE, _NAME = "outbox.idempotency", "request"


Beside = Callable[[Tx], Coroutine[Any, Any, None]]
"""A question that a request begins with, asked in the round trip that asks for its key."""


class KeyReused(Invalid):
    code = "key_reused"
    message = "这份内容已经提交过一次，不能改了再交。请刷新页面，看最新的情况再办"


class StillRunning(Conflict):
    """The one before is at work, or died less than a lease ago."""

    code = "still_running"
    message = "刚才那一次还在办，请过一会儿再试，不会重复办理"
    retry_after = 3  # seconds: the other one is done by then, or its lease runs out after a few tries more


class AnsweredMeanwhile(Exception):
    """Two with one key at once, and the other was first: `answer` is what was saved, None when it is gone."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        super().__init__("another request with this key was first")


class Refused(Exception):
    """As `AnsweredMeanwhile`, when there is no answer to give: `problem` says why.

    Not a `Problem` itself, for this is raised in the middle of a flow whose callers answer problems of their own.
    """

    def __init__(self, problem: KeyReused | StillRunning) -> None:
        self.problem = problem
        super().__init__(problem.code)


class Claim:
    """One request with a key, until it is answered.

    `who` and `key` together name it: a key of somebody else is another key. `request` is everything the answer
    depends on (`request_hash`).
    """

    def __init__(self, db: Database, who: str, key: str, request: bytes) -> None:
        self._db = db
        self.key = db.vault.blind("idempotency", f"{who}\x00{key}").hex()
        # Under the index key: a request may be little more than a phone number, and those can be counted through.
        self._request = db.vault.blind(_NAME, request.hex())
        self._claiming = self.institution_id = ""
        self.outcome = ""
        """What an earlier attempt, whose answer was lost, had made already."""

    @property
    def held(self) -> bool:
        """Something was changed under this key and waits for its answer."""
        return bool(self.institution_id)

    async def look(self, beside: Beside | None = None) -> tuple[bool, bytes | None]:
        """(whether it was answered, the saved answer while it is kept).

        `beside`: what is to be asked with it, and again each time it is. Raises `KeyReused`, and `StillRunning` when
        the other one takes longer than we wait.
        """
        until = time.monotonic() + WAIT_SECONDS
        while True:
            async with self._db.alone(everywhere("idempotency")) as tx, Together(tx) as also:
                asked = also(Q.request_with(tx, key=self.key))
                if beside:
                    also(beside(tx))
            row = asked.result()
            if row is None:
                return False, None
            if not hmac.compare_digest(row["request_hash"], self._request):
                raise KeyReused()
            if row["answered_at"] is not None:
                return True, self._opened(row["answer"])
            if row["leased_until"] <= clock.now() and await self._taken_over(row):
                return False, None
            if time.monotonic() > until:
                raise StillRunning()
            await asyncio.sleep(0.1)

    async def began(self, tx: Tx) -> bool:
        """See `db.database.FirstWrite`."""
        if self.held or not tx.institution_id:
            return True
        claimed = await Q.claim_request(
            tx,
            institution_id=tx.institution_id,
            key=self.key,
            request_hash=self._request,
            now=tx.now,
            until=tx.now + LEASE,
        )
        self._claiming = tx.institution_id if claimed else ""
        return bool(claimed)

    def committed(self) -> None:
        self.institution_id = self.institution_id or self._claiming

    async def was_second(self) -> None:
        """Wait for the one who was first. Raises `AnsweredMeanwhile` or `Refused`."""
        with self._aside():
            try:
                answered, answer = await self.look()
            except (KeyReused, StillRunning) as problem:
                raise Refused(problem) from problem
        if answered:
            raise AnsweredMeanwhile(answer)
        await self.release()
        raise Refused(StillRunning())

    async def answered(self, answer: bytes | None) -> None:
        """Save it for repeats; None when it is too large to keep. Nothing was changed: nothing is saved.

        Not worth waiting for the disk: without it the repeat of a request runs again and changes nothing twice.
        """
        if not self.held:
            return
        async with self._db.alone(system(self.institution_id, "idempotency")) as tx:
            sealed = None if answer is None else tx.vault.seal(_TABLE, "answer", self.key, answer)
            await Q.answer_request(
                tx, institution_id=self.institution_id, key=self.key, answer=sealed, now=tx.now
            )

    async def release(self) -> None:
        """It came to no answer that lasts (an error of ours, a quota): the repeat runs again at once."""
        if not self.held:
            return
        with self._aside():
            async with self._db.begin(system(self.institution_id, "idempotency")) as tx:
                await Q.release_request(tx, institution_id=self.institution_id, key=self.key, now=tx.now)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Around the work: its first change carries the claim."""
        token = first_write.set(self)
        try:
            yield
        finally:
            first_write.reset(token)

    async def _taken_over(self, row: Any) -> bool:
        institution_id, seen = row["institution_id"], row["leased_until"]
        with self._aside():
            async with self._db.begin(system(institution_id, "idempotency")) as tx:
                done = await Q.take_over_request(
                    tx, institution_id=institution_id, key=self.key, seen=seen, until=clock.now() + LEASE
                )
        if done:
            self.institution_id, self.outcome = institution_id, row["outcome"] or ""
        return bool(done)

    def _opened(self, answer: bytes | None) -> bytes | None:
        return None if answer is None else self._db.vault.open(_TABLE, "answer", self.key, answer)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """For transactions about the claim itself."""
        token = first_write.set(None)
        try:
            yield
        finally:
            first_write.reset(token)


def request_hash(*parts: str | bytes) -> bytes:
    """Over the parts and their lengths, so that no two lists of parts have the same."""
    made = hashlib.sha256()
    for part in parts:
        plain = part.encode() if isinstance(part, str) else part
        made.update(len(plain).to_bytes(8, "big") + plain)
    return made.digest()


def outcome() -> str:
    """What an earlier attempt of this request had made before its answer was lost; empty for a first attempt."""
    claim = first_write.get()
    return claim.outcome if isinstance(claim, Claim) else ""


async def once(tx: Tx, work: Callable[[], Awaitable[str]]) -> str:
    """Make something that no state guards: `work`, or what this request had made in an earlier attempt.

    Once a request, in its first transaction. Without a key (a job, the bot) it is just `work`.
    """
    if before := outcome():
        return before
    made = await work()
    claim = first_write.get()
    if isinstance(claim, Claim):
        await Q.keep_outcome(tx, institution_id=tx.institution_id, key=claim.key, outcome=made)
    return made


async def forget_answers(db: Database, now: datetime) -> int:
    """Empty what no repeat will ask for any more. Returns how many."""
    before, emptied = now - ANSWERS_KEPT, 0
    async with db.read(everywhere("idempotency")) as tx:
        found = await Q.institutions_with_answers(tx, before=before)
    for row in found:
        async with db.begin(system(row["institution_id"], "idempotency")) as tx:
            emptied += len(await Q.forget_answers(tx, institution_id=row["institution_id"], before=before))
    return emptied
