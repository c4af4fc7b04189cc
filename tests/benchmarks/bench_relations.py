"""The live question to the graph at 1,000,000 customers of one institution, over a bare indexed lookup (N9).

A county nobody has, so that nothing is spared: homes of one to six, shared telephones, traders' accounts with up to
thousands of borrowers, guarantors, and two wireless networks with 100,000 customers each. Edges go in by COPY, the
state comes from the nightly look itself, which must then find nothing to repair.
"""

import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

import asyncpg

from backend import wiring
from backend.core.actor import system
from backend.db.database import Database
from backend.domains.relations import rules
from backend.domains.relations import service as relations
from backend.domains.relations.model import Velocity
from backend.settings import Settings
from tests.benchmarks import figure
from tests.benchmarks.arena import database
from tests.benchmarks.figure import Figure

COUNTY, CUSTOMERS, ASKED = "4101", 1_000_000, 3_000
COLUMNS = ["institution_id", "customer_id", "kind", "key", "role", "source", "first_at", "last_at"]
BARE = "select component from relations.members where institution_id = $1 and customer_id = $2"


def run() -> list[Figure]:
    """Some minutes, most of them for the load."""
    with database() as (server, settings):
        nightly = asyncio.run(load(server.dsn(), CUSTOMERS))
        ours, bare = asyncio.run(_ask(server.dsn(), settings))
    p50, p99 = percentiles(ours)
    bare50, bare99 = percentiles(bare)
    return [
        figure.at_most("graph: one applicant, p50", p50, "ms", 20, bare50, "bare indexed lookup, p50"),
        figure.at_most("graph: one applicant, p99", p99, "ms", 20, bare99, "bare indexed lookup, p99"),
        figure.at_most("graph: nightly look over all", nightly, "s", 600, 1, "one second"),
    ]


def person(number: int) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.blake2b(number.to_bytes(8), digest_size=16).digest())


def key(kind: str, number: int) -> bytes:
    return hashlib.blake2b(f"{kind} {number}".encode(), digest_size=32).digest()


def edges(customers: int, seed: int = 7) -> Iterator[tuple[Any, ...]]:
    """Rows of `relations.edges`; the same for the same seed."""
    draw, number, home = random.Random(seed), 0, 0
    now = datetime(2026, 11, 1, tzinfo=UTC)
    traders, networks = max(1, customers // 500), 10
    while number < customers:
        home += 1
        for _ in range(min(draw.choice((1, 2, 3, 3, 4, 6)), customers - number)):
            at = now - timedelta(minutes=draw.randrange(500_000))
            shared = draw.random()
            yield from _person(number, home, shared, at)
            if draw.random() < 0.25:
                # The few large traders have most customers, as everywhere.
                yield _edge(number, "payee", int(traders * draw.random() ** 3), "used", at)
            if draw.random() < 0.03:
                surety = draw.randrange(customers)
                yield _edge(number, "guarantor", surety, "used", at)
            if number % (customers // (networks * 20_000) or 1) == 0:
                yield _edge(number, "device", -1 - number % networks, "used", at)
            number += 1


def _person(number: int, home: int, shared: float, at: datetime) -> Iterator[tuple[Any, ...]]:
    yield _edge(number, "address", home, "used", at)
    yield _edge(number, "phone", home if shared < 0.05 else 10**7 + number, "own", at)
    yield _edge(number, "openid", number // 4 if shared > 0.96 else 10**7 + number, "own", at)
    yield _edge(number, "guarantor", number, "own", at)


def _edge(number: int, kind: str, thing: int, role: str, at: datetime) -> tuple[Any, ...]:
    return COUNTY, person(number), kind, key(kind, thing), role, "application", at, at


async def load(dsn: str, customers: int) -> float:
    """Edges in, state from the nightly look; seconds that a second look takes, which finds nothing."""
    connection = await asyncpg.connect(dsn, command_timeout=3600)
    try:
        await connection.execute("drop index relations.edges_by_node, relations.edges_by_age")
        rows = (
            {row[1:4]: row for row in edges(customers)}.values() if customers < 10_000 else _unique(customers)
        )
        await connection.copy_records_to_table(
            "edges", schema_name="relations", columns=COLUMNS, records=rows
        )
        await connection.execute(
            "create index edges_by_node on relations.edges (institution_id, kind, key, first_at desc) "
            "include (customer_id, role, application_id);"
            "create index edges_by_age on relations.edges (institution_id, last_at)"
        )
        await connection.execute("analyze relations.edges")
        async with connection.transaction():
            await _look(connection)
            await connection.execute(
                "insert into relations.nodes select $1, kind, key, customers, allowed from look_nodes", COUNTY
            )
            await connection.execute(
                "insert into relations.members select $1, customer_id, label, home from look_done", COUNTY
            )
            await connection.execute("drop table look_nodes, look_edges, look_labels, look_done")
        await connection.execute("vacuum analyze relations.edges, relations.nodes, relations.members")
        started = time.perf_counter()
        async with connection.transaction():
            await _look(connection)
            differing = await connection.fetchval("select relations.look_repair($1)", COUNTY)
        assert differing == 0, differing
        return time.perf_counter() - started
    finally:
        await connection.close()


def _unique(customers: int) -> Iterator[tuple[Any, ...]]:
    """A person may name the same trader or surety twice by chance; only within a person, so only they are kept."""
    last, seen = None, set[tuple[Any, ...]]()
    for row in edges(customers):
        if row[1] != last:
            last, seen = row[1], set()
        if row[2:4] not in seen:
            seen.add(row[2:4])
            yield row


async def _look(connection: asyncpg.Connection) -> None:
    await connection.fetchval("select relations.look_members($1)", COUNTY)
    await connection.fetchval("select relations.look_nodes($1)", COUNTY)
    while await connection.fetchval("select relations.look_spread()"):
        pass
    await connection.execute("select relations.look_homes($1)", COUNTY)


async def _ask(dsn: str, settings: Settings) -> tuple[list[float], list[float]]:
    """Milliseconds of each question and of each bare lookup, taking turns."""
    draw = random.Random(1)
    asked = [str(person(draw.randrange(CUSTOMERS))) for _ in range(ASKED)]
    db = wiring.database(settings)
    await db.open()
    bare = await asyncpg.connect(dsn)
    ours: list[float] = []
    lookups: list[float] = []
    try:
        for warm in (True, False):
            for one in asked[:200] if warm else asked:
                started = time.perf_counter()
                await bare.fetchval(BARE, COUNTY, one)
                between = time.perf_counter()
                await question(db, one)
                if not warm:
                    lookups.append((between - started) * 1000)
                    ours.append((time.perf_counter() - between) * 1000)
    finally:
        await bare.close()
        await db.close()
    return ours, lookups


async def question(db: Database, customer_id: str) -> rules.Facts:
    """The whole neighbourhood of an applicant and what it means, in a transaction of its own as the door begins one."""
    async with db.begin(system(COUNTY, "bench"), durable=False, same_plans=True) as tx:
        around = await relations.neighbourhood(tx, customer_id)
    return rules.facts(around, Velocity({}), [], now=tx.now, staff_number=False)


def percentiles(samples: list[float]) -> tuple[float, float]:
    cut = quantiles(samples, n=100)
    return cut[49], cut[98]
