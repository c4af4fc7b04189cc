"""How long a customer waits for the decision, from the tap on 提交申请 until it stands in the database.

The whole of it at the doors `up` starts: the page's POST in the web process, the effect through the queue, the
worker that evaluates and records, with eight customers at once, each handing in the next application as soon as the
last is decided, while the notices of the earlier ones go out. What outside systems answer is kept beforehand (by the
same flow, asked of the sandbox), so no time of theirs is in the figure. A decision counts when another connection
sees it; it looks every few milliseconds.
"""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx
import msgspec

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
from backend.sandbox.app import create_app as create_sandbox
from backend.sandbox.forms import PageReader
from backend.settings import Settings
from backend.web import cookies
from tests.benchmarks import figure, load
from tests.benchmarks.arena import CLIENTS, ROOT, Served, database, environment, serving
from tests.benchmarks.bench_web import COUNTY
from tests.benchmarks.figure import Figure
from tests.flows.conftest import Road, id_number

WARM, MEASURED = 40, 400
LOOK_SECONDS = 0.003
LONGEST_SECONDS = 30
_NEW = "select application_id::text from decision.decisions where decided_at >= $1"


class Handed(msgspec.Struct, frozen=True):
    """One application ready to be handed in: its id and the request that does it."""

    application_id: str
    request: bytes


def run() -> list[Figure]:
    """On a database of its own; about two minutes."""
    with database() as (server, settings):
        raw_place = {"BENCH_DSN": server.dsn()}
        with (
            serving("tests.benchmarks.raw_app:create", settings, **raw_place) as raw,
            outside(settings) as place,
            serving("backend.serving:web", settings, **place) as ours,
        ):
            ready = asyncio.run(_prepare(settings, ours.port, WARM + MEASURED))
            with worker(settings, **place):
                asyncio.run(hand_in(server, ours.port, ready[:WARM]))
                seconds = asyncio.run(hand_in(server, ours.port, ready[WARM:]))
            bare = _bare(raw)
    late, typical = _at(seconds, 0.99), _at(seconds, 0.5)
    beside = "raw ASGI + asyncpg, one INSERT transaction"
    return [
        figure.at_most("submit to decision at the door, p50", typical, "ms", 100, _at(bare, 0.5), f"{beside}, p50"),
        figure.at_most("submit to decision at the door, p99", late, "ms", 100, _at(bare, 0.99), f"{beside}, p99"),
    ]  # fmt: skip


def _at(seconds: list[float], part: float) -> float:
    return sorted(seconds)[int(part * len(seconds))] * 1000


def _bare(raw: Served) -> list[float]:
    said = load.post("/said", b"{}", {})
    asyncio.run(load.send(raw.port, lambda: said, 100, CLIENTS))
    return asyncio.run(load.send(raw.port, lambda: said, MEASURED, CLIENTS))


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
    return Handed(draft.id, load.post(form.action, posted.content, headers | {"connection": "close"}))


async def _answered(context: Context, draft: Application) -> None:
    actor = system(COUNTY, "bench")
    async with context.db.read(actor) as tx:
        bundle = await decisions.bundle_for(tx, draft.product_code)
    asked = msgspec.structs.replace(draft, submitted_at=clock.now())
    gathered = await gather_facts.gather_facts(context, actor, asked, bundle, quiet=True)
    assert not gathered.down, gathered.down


@contextmanager
def outside(settings: Settings) -> Iterator[dict[str, str]]:
    """The sandbox, for the notices that follow a decision; the settings that name it."""
    with serving("backend.serving:sandbox", settings) as served:
        yield {"SANDBOX_BASE": f"http://127.0.0.1:{served.port}"}


@contextmanager
def worker(settings: Settings, **more: str) -> Iterator[None]:
    part = parts.worker(settings)
    process = subprocess.Popen(
        part.command,
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
        yield
    finally:
        process.terminate()
        process.wait(part.stop_seconds)


async def hand_in(server: Embedded, port: int, ready: list[Handed]) -> list[float]:
    """Seconds from each request's first byte until its decision is seen, `CLIENTS` at a time."""
    decided = {each.application_id: asyncio.Event() for each in ready}
    watching = asyncio.create_task(_watch(server, decided))
    left, seconds = iter(ready), list[float]()

    async def customer() -> None:
        for one in left:
            began = time.perf_counter()
            await _post(port, one.request)
            async with asyncio.timeout(LONGEST_SECONDS):
                await decided[one.application_id].wait()
            seconds.append(time.perf_counter() - began)

    try:
        await asyncio.gather(*(customer() for _ in range(CLIENTS)))
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return seconds


async def _post(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        answer = await reader.read()
    finally:
        writer.close()
    head = answer.partition(b"\r\n\r\n")[0]
    if not head.startswith(b"HTTP/1.1 303 ") or b"location: /my/" not in head.lower():
        raise RuntimeError(answer[:600])


async def _watch(server: Embedded, decided: dict[str, asyncio.Event]) -> None:
    connection: Any = await asyncpg.connect(server.dsn())
    try:
        since = await connection.fetchval("select now()")
        while True:
            for row in await connection.fetch(_NEW, since):
                decided[row["application_id"]].set()
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        connection.terminate()
