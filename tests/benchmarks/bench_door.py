"""How long a customer waits for the decision, from the tap on 提交申请 until it stands in the database, without outside
calls, as issue 3 §9 says it.

Inside: the page's POST in the web process, the effect that is called out, the worker or decider that reads, evaluates,
looks for the nearest change and records, PostgreSQL with every commit on the disk, the timetable, and this client, all
on the same two cores. Eight customers at once: without a pause, each handing in the next application as soon as the
last is decided; and paced, each handing in one about every second.

Not inside: what outside systems answer is kept beforehand (by the same flow, asked of the sandbox), and the notices,
which are outside calls, stay queued: the worker serves the lane of what people wait for and the timetable (`worker
--lane first --lane clock`), and one for the rest delivers them all after the measured windows. What it is with them is
told beside it: all lanes and the sandbox at work on the same cores.

A decision counts when another connection hears of its commit (a trigger of the bench's own; it asks nobody, so the
watching costs the cores little).
"""

import asyncio
import gc
import itertools
import os
import random
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import uvloop

from backend import wiring
from backend.commands import parts
from backend.core import clock, ids
from backend.core.actor import system
from backend.db.embedded import Embedded
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.decision import service as decisions
from backend.domains.identity import service as identity
from backend.flows import gather_facts
from backend.flows.context import Context
from backend.outbox import queue
from backend.sandbox.app import create_app as create_sandbox
from backend.sandbox.forms import PageReader
from backend.settings import Settings
from backend.web import cookies
from tests.benchmarks import figure, load
from tests.benchmarks.arena import CLIENTS, ROOT, Served, cpu_nanoseconds, database, environment, serving
from tests.benchmarks.bench_web import COUNTY
from tests.benchmarks.figure import Figure
from tests.flows.conftest import Road, id_number

WARM, MEASURED, PACED, WITH_NOTICES = 100, 400, 160, 160
"""`WARM`, twice: the tables hold something and the database has looked at how much (as its autovacuum does within a
minute), and every connection has planned by that what it asks."""
BARE_REQUESTS = 50
"""So many bare requests, each with its INSERT, a case may cost."""
PAUSE_SECONDS = 1.0
LONGEST_SECONDS = 30
_HEARD = "bench_decided"
_TELL = f"""
    create function bench_tell() returns trigger language plpgsql as
        $$ begin perform pg_notify('{_HEARD}', new.application_id::text); return null; end $$;
    create trigger bench_tell after insert on decision.decisions for each row execute function bench_tell()
"""


class Handed(msgspec.Struct, frozen=True):
    """One application ready to be handed in: its id and the request that does it."""

    application_id: str
    request: bytes


class Measured(msgspec.Struct, frozen=True):
    """Seconds of each case, and CPU milliseconds of a case by part."""

    seconds: list[float]
    cpu: dict[str, float]

    def at(self, part: float) -> float:
        return sorted(self.seconds)[int(part * len(self.seconds))] * 1000

    @property
    def spent(self) -> float:
        return sum(self.cpu.values())

    def with_(self, more: "Measured") -> "Measured":
        """Two rounds as one."""
        mean = {name: (self.cpu[name] + more.cpu[name]) / 2 for name in self.cpu}
        return Measured([*self.seconds, *more.seconds], mean)

    @property
    def parts(self) -> str:
        return " + ".join(f"{name} {spent:.1f}" for name, spent in self.cpu.items())


def run() -> list[Figure]:
    """On a database of its own; about three minutes."""
    with database() as (server, settings):
        raw_place = {"BENCH_DSN": server.dsn()}
        server.sql(_TELL)
        with (
            serving("tests.benchmarks.raw_app:create", settings, **raw_place) as raw,
            outside(settings) as place,
            serving("backend.serving:web", settings, **place) as ours,
        ):
            made = asyncio.run(_prepare(settings, ours.port, 2 * WARM + MEASURED + PACED + WITH_NOTICES))
            ready = iter(made)
            with deciding(settings, **place) as pids:
                bench = _Bench(server, ours, {"web": ours.pid, **pids, "database": ours.database_pid})
                bench.hand_in(itertools.islice(ready, WARM))
                server.sql("analyze")
                bench.hand_in(itertools.islice(ready, WARM))
                before = _bare(raw)
                closed = bench.hand_in(itertools.islice(ready, MEASURED))
                bare = before.with_(_bare(raw))
                paced = bench.hand_in(itertools.islice(ready, PACED), pause=PAUSE_SECONDS)
                with started(settings, parts.worker(settings), "--lane", queue.REST, **place) as rest:
                    _until_delivered(server)
                    bench.pids |= {"notices": rest}
                    noticed = bench.hand_in(ready)
                    _until_delivered(server)
    return _figures(closed, paced, noticed, bare)


def _figures(closed: Measured, paced: Measured, noticed: Measured, bare: Measured) -> list[Figure]:
    door, beside = "submit to decision at the door", "raw ASGI + asyncpg, one INSERT transaction"
    slowly = f"{door}, each of {CLIENTS} about every {PAUSE_SECONDS:g} s"
    found = []
    for label, part in (("p50", 0.5), ("p99", 0.99)):
        bound = (100, bare.at(part), f"{beside}, {label}")
        found += [
            figure.at_most(f"{door}, {label}", closed.at(part), "ms", *bound),
            figure.at_most(f"{slowly}, {label}", paced.at(part), "ms", *bound),
            figure.told(f"{door}, notices going out beside it, {label}", noticed.at(part), "ms"),
        ]
    mine = f"CPU of a case: {closed.parts}"
    found.append(figure.over(mine, closed.spent, "ms", BARE_REQUESTS, bare.spent, f"CPU of {beside}"))
    found.append(figure.told(f"CPU of a case and its notice: {noticed.parts}", noticed.spent, "ms"))
    return found


class _Bench:
    """Hands in and measures; `pids` by part."""

    def __init__(self, server: Embedded, ours: Served, pids: dict[str, int]) -> None:
        self.pids, self._server, self._ours = {"client": os.getpid(), **pids}, server, ours

    def hand_in(self, ready: Iterable[Handed], pause: float = 0) -> Measured:
        """Those of `ready`, `CLIENTS` at a time."""
        cases = list(ready)
        # A collection over all that was imported to prepare them would hold the clock of every customer at once.
        gc.collect()
        gc.freeze()
        before = self._spent()
        seconds = uvloop.run(hand_in(self._server, self._ours.port, cases, pause))
        after = self._spent()
        return Measured(seconds, {name: (after[name] - before[name]) / len(cases) / 1e6 for name in after})

    def _spent(self) -> dict[str, int]:
        return {name: cpu_nanoseconds(pid, alone=name == "client") for name, pid in self.pids.items()}


def _until_delivered(server: Embedded) -> None:
    """Every notice is out: nothing the figures leave aside was left undone."""
    end = time.monotonic() + 120
    while (
        server.sql(
            "select count(*) from outbox.effects where status not in ('delivered', 'overtaken')"
        ).strip()
        != "0"
    ):
        if time.monotonic() > end:
            raise RuntimeError("notices were not delivered")
        time.sleep(0.2)


def _bare(raw: Served) -> Measured:
    """The ceiling, beside the cases: the machine's own speed moves within minutes."""
    said = load.post("/said", b"{}", {})
    asyncio.run(load.send(raw.port, lambda: said, 100, CLIENTS))
    before = raw.spent()
    seconds = asyncio.run(load.send(raw.port, lambda: said, MEASURED, CLIENTS))
    return Measured(seconds, {"raw": (raw.spent() - before) / MEASURED / 1e6})


async def _prepare(settings: Settings, port: int, count: int) -> list[Handed]:
    """So many drafts of different people, complete but for the last tap, with the outside's answers kept."""
    outside: Any = create_sandbox(settings)
    base = f"http://127.0.0.1:{port}"
    async with (
        wiring.opened(settings, transport=httpx.ASGITransport(outside)) as context,
        httpx.AsyncClient(transport=httpx.ASGITransport(outside), base_url=settings.sandbox_base) as control,
    ):
        road = Road(context, control, control, outside.state.world)
        try:
            return [await _ready(road, base, number) for number in range(count)]
        finally:
            await outside.state.world.close()


async def _ready(road: Road, base: str, number: int) -> Handed:
    person = id_number(number % 1000, prefix=f"4117{1 + number // 1000:02d}")
    await road.person(person, preset="good", phone="match")
    draft = await road.draft(person)
    await _answered(road.context, draft)
    token = ids.token()
    async with road.db.begin(system(COUNTY, "bench")) as tx:
        session, _ = await identity.new_customer_session(tx, token=token)
        await applications.continue_from(tx, draft, session.id, None)
        await identity.set_session_application(tx, session.id, draft.id, draft.customer_id)
    kept = {cookies.name(road.context.settings, cookies.CUSTOMER): f"{COUNTY}.{token}"}
    async with httpx.AsyncClient(base_url=base, cookies=kept, trust_env=False) as phone:
        page = await phone.get("/apply/details")
        form = PageReader(page.text).form("/apply/submit")
        chosen = {name: form.values.get(name) or form.first_choice(name) for name in form.choices}
        posted = phone.build_request("POST", form.action, data=form.filled(**chosen))
    headers = {name: posted.headers[name] for name in ("cookie", "content-type")}
    return Handed(draft.id, load.post(form.action, posted.content, headers))


async def _answered(context: Context, draft: Application) -> None:
    actor = system(COUNTY, "bench")
    async with context.db.read(actor) as tx:
        bundle = await decisions.bundle_for(tx, draft.product_code)
        asked = msgspec.structs.replace(draft, submitted_at=clock.now())
        known = await gather_facts.known(tx, asked, bundle, await gather_facts.read(tx, asked))
    gathered = await gather_facts.gather_facts(context, actor, asked, bundle, known, quiet=True)
    assert not gathered.down, gathered.down


@contextmanager
def outside(settings: Settings) -> Iterator[dict[str, str]]:
    """The sandbox, for the notices that follow a decision; the settings that name it."""
    with serving("backend.serving:sandbox", settings) as served:
        yield {"SANDBOX_BASE": f"http://127.0.0.1:{served.port}"}


@contextmanager
def deciding(settings: Settings, **more: str) -> Iterator[dict[str, int]]:
    """The worker without the rest, and the deciders beside it, as `up` starts them; process ids by name."""
    lanes = "--lane", queue.FIRST, "--lane", queue.CLOCK
    with ExitStack() as all_of_them:
        running = {
            "worker": all_of_them.enter_context(started(settings, parts.worker(settings), *lanes, **more))
        }
        for part in parts.deciders(settings):
            running[part.name] = all_of_them.enter_context(started(settings, part, **more))
        yield running


@contextmanager
def started(settings: Settings, part: parts.Part, *options: str, **more: str) -> Iterator[int]:
    """A part with more options, ready; its process id."""
    Path(part.ready_path).unlink(missing_ok=True)
    process = subprocess.Popen(
        [*part.command, *options],
        cwd=ROOT,
        env={**environment(settings), **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while not parts.is_ready(part):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the worker did not start")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(part.stop_seconds)


async def hand_in(server: Embedded, port: int, ready: list[Handed], pause: float = 0) -> list[float]:
    """Seconds from each request's first byte until its decision is heard of, `CLIENTS` at a time; `pause` seconds
    from one case of a customer to the next, a quarter more or less."""
    decided = {each.application_id: asyncio.Event() for each in ready}
    left, seconds, chance = iter(ready), list[float](), random.Random(9)

    async def customer() -> None:
        await asyncio.sleep(pause * chance.random())
        async with load.connected(port) as phone:
            for one in left:
                began = time.perf_counter()
                async with asyncio.timeout(LONGEST_SECONDS):
                    _expect_result_page(await load.exchange(phone, one.request))
                    await decided[one.application_id].wait()
                took = time.perf_counter() - began
                seconds.append(took)
                await asyncio.sleep(max(0, pause * chance.uniform(0.75, 1.25) - took))

    async with _hearing(server, decided):
        await asyncio.gather(*(customer() for _ in range(CLIENTS)))
    return seconds


def _expect_result_page(head: bytes) -> None:
    if not head.startswith(b"HTTP/1.1 303 ") or b"location: /my/" not in head.lower():
        raise RuntimeError(head[:600])


@asynccontextmanager
async def _hearing(server: Embedded, decided: dict[str, asyncio.Event]) -> AsyncIterator[None]:
    connection: Any = await asyncpg.connect(server.dsn())
    try:
        await connection.add_listener(_HEARD, lambda *heard: decided[heard[-1]].set())
        yield
    finally:
        connection.terminate()
