"""One customer's whole road in one process, with a death at any chosen place or a bad line (trust §1).

The places are all failpoints, those around every commit included, counted in the order in which the road passes
them: a walk with `die_at=n` dies at the n-th. Dying ends the call it happens in and nothing else; whoever waits
for it (customer, bank, queue) tries again, as in life.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.core import clock, failpoints
from backend.core.actor import everywhere
from backend.db.database import DatabaseDown
from backend.overview import invariants
from tests.chaos import ledgers
from tests.flows.conftest import Road, id_number

ME = id_number(123)


class Died(BaseException):
    """The process is gone. Not an Exception: nothing of ours may handle it."""


class Deaths:
    """Counts the places and dies at the chosen one, once."""

    def __init__(self, die_at: int | None) -> None:
        self.die_at, self.passed, self.names = die_at, 0, list[str]()

    def hit(self, name: str) -> None:
        self.passed += 1
        self.names.append(name)
        if self.passed == self.die_at:
            raise Died(name)


class Fragile(httpx.AsyncBaseTransport):
    """The line to our web process: when it dies, the other side sees a broken connection."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except Died as died:
            raise httpx.RemoteProtocolError(str(died)) from died


@contextlib.contextmanager
def mortal(road: Road, die_at: int | None) -> Iterator[Deaths]:
    deaths = Deaths(die_at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoints, "hit", deaths.hit)
        callbacks = road.outside.callbacks
        line = httpx.AsyncClient(transport=Fragile(road.outside.http._transport), timeout=10)
        patch.setattr(callbacks, "_http", line)
        patch.setattr(road.outside, "http", line)
        patch.setattr("backend.sandbox.callbacks.FIRST_PAUSE", 0.02)
        yield deaths


async def persist(step: Any) -> Any:
    """Once more after a death, as a person taps again; not for ever."""
    for _ in range(3):
        with contextlib.suppress(Died, DatabaseDown):
            return await step()
    raise AssertionError("the step never ended")


async def walk(
    road: Road, *, die_at: int | None = None, faults: tuple[tuple[str, str, str, float], ...] = ()
) -> Deaths:
    """From the last button to the repaid loan; every stop is worked on for a minute and no longer.

    `faults`: system, operation, fault, seconds (of a delay); each strikes once.
    """
    await road.person(ME, preset="good", phone="match")
    application = await road.draft(ME)
    time = _Time(road)
    with mortal(road, die_at) as deaths:
        for system_name, operation, fault, seconds in faults:
            await road.fault(system_name, operation, fault, times=1, seconds=seconds)
        await persist(lambda: road.submit(application))
        await time.work()
        if (await road.see(application)).status == "approved":
            await persist(lambda: road.confirm(application))
            await time.work()
        if (await road.see(application)).status == "handed_off":
            async with busy_worker(road):
                await at_the_bank(road, application.id)
                await road.outside.callbacks.idle(8)
        await time.work()
    return deaths


class _Time:
    """Runs on while the worker works, so that leases and back-off end."""

    def __init__(self, road: Road) -> None:
        self._road, self._seconds = road, 0.0

    async def work(self) -> None:
        """A worker that is started again when it dies; within a minute everything is done or it never is."""
        for pause in (0, 5, 15, 20, 20):
            self._seconds += pause
            with contextlib.suppress(Died), clock.at(clock.now() + timedelta(seconds=self._seconds)):
                await self._road.drain()


@contextlib.asynccontextmanager
async def busy_worker(road: Road) -> AsyncIterator[None]:
    """Delivers whatever is due as soon as it is, until the block ends."""

    async def deliver() -> None:
        while True:
            with contextlib.suppress(Died):
                await road.drain()
            await asyncio.sleep(0.05)

    worker = asyncio.create_task(deliver())
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def at_the_bank(road: Road, case: str) -> None:
    """Open, sign, draw, repay; the customer tries again when the bank could not reach us."""
    loan_no = ""
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 1_000_000}), ("repay", {})):
        body = {"id_number": ME, **more} | ({"loan_no": loan_no} if act == "repay" else {})
        for _ in range(3):
            reply = await road.sandbox.post(f"/bank/api/{case}/{act}", json=body)
            if reply.status_code == 200:
                break
        assert reply.status_code == 200, f"{act}: {reply.text}"
        loan_no = reply.json().get("loan_no", "")


async def violations(road: Road) -> dict[str, object]:
    """The questions of the smoke run, asked of this road."""
    problems: dict[str, object] = dict(await invariants.ask(road.db))
    async with road.db.read(everywhere("test")) as tx:
        cases = await tx.connection.fetch(
            "select id::text, application_no, status from applications.applications"
        )
        ordered = await tx.connection.fetch(
            "select kind, key, case_id from outbox.effects where status = 'delivered'"
        )
    problems |= ledgers.compare(
        (await road.sandbox.get("/control/ledger")).json(), {c["id"]: c["status"] for c in cases}, ordered
    )
    lost = [case["application_no"] for case in cases if case["status"] == "draft"]
    return problems | ({"acknowledged and lost": lost} if lost else {})
