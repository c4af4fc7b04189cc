"""Loading, wiping and exporting a practice county (演练县, N20) for `./xiaodai seed --county`.

The owner's connection makes tables nobody sees, two connections COPY into them while the next slice is computed,
and one transaction puts keys on them and shows them as a whole. An interrupted load leaves nothing to see.
"""

import asyncio
import contextlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import polars as pl

from backend import wiring
from backend.core import clock
from backend.core.errors import Conflict, NotFound
from backend.sandbox.county import answers, calibrate, plan, tables
from backend.sandbox.county.plan import AS_OF, PREFIXES, Check, Plan
from backend.settings import Settings

Say = Callable[[str], None]
LANES = 2
"""COPY connections: one per core of the smallest machine."""


class NoRoom(Conflict):
    code = "practice_counties_full"
    message = "演练县已经有 {count} 个，先用 --wipe 去掉一个"


class OtherCounty(Conflict):
    code = "practice_county_differs"
    message = "已经有一个叫“{name}”的演练县，户数或种子不同；先用 --wipe 去掉它"


class NotLoaded(NotFound):
    code = "practice_county_unknown"
    message = "没有叫“{name}”的演练县"


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What `seed --county --json` prints: sizes, seconds, every total against A10."""

    county: str
    name: str
    seed: int
    households: int
    people: int
    officers: int
    ring_members: int
    rows: dict[str, int]
    default_rate: float
    seconds: dict[str, float]
    checks: list[Check]
    ok: bool


async def load(settings: Settings, name: str, households: int | None, seed: int | None, say: Say) -> Loaded:
    """Make the county and load it; one that is there is restored from its own plan. Raises `NoRoom`,
    `OtherCounty`, `NotLoaded` (no size given for a county that is not there)."""
    owner = await _owner(settings)
    try:
        wanted = await _plan(owner, name, households, seed)
        began = time.monotonic()
        made = await asyncio.to_thread(calibrate.calibrated, wanted)
        await owner.execute("select practice.open_county($1)", made.prefix)
        answers.forget(settings.data, made.prefix)
        try:
            loading = _Loading(made, say)
            await loading.run(settings)
            copied = time.monotonic()
            checks = calibrate.checks(made, loading.totals)
            await _show(owner, made, loading.totals, checks, say)
        except BaseException:
            with contextlib.suppress(
                Exception
            ):  # the connection may be gone: the next load clears what is left
                await owner.execute("select practice.drop_county($1)", made.prefix)
            raise
        answers.save(settings.data, made)
        seconds = {"copied": copied - began, "all": time.monotonic() - began}
        return _loaded(made, loading, checks, seconds)
    finally:
        await owner.close()


async def wipe(settings: Settings, name: str) -> None:
    """Forget a county in the tables and in the sandbox. Raises `NotLoaded`."""
    owner = await _owner(settings)
    try:
        code = await owner.fetchval("select county from practice.counties where name = $1", name)
        if code is None:
            raise NotLoaded(name=name)
        await owner.execute("select practice.drop_county($1)", code)
        answers.forget(settings.data, code)
    finally:
        await owner.close()


def export(name: str, households: int, seed: int, path: Path) -> int:
    """Facts and outcome of a county as one CSV or Parquet file, without a database. Returns the rows."""
    made = calibrate.calibrated(Plan(name=name, prefix=PREFIXES[0], households=households, seed=seed))
    parts = [tables.facts_of(made, first, end) for first, end in _ranges(made)]
    frame = pl.concat(parts).with_columns(pl.selectors.boolean().cast(pl.Int8))
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return frame.height


async def _owner(settings: Settings) -> Any:
    return await asyncpg.connect(wiring.dsns(settings)[1], timeout=15)


async def _plan(owner: Any, name: str, households: int | None, seed: int | None) -> Plan:
    rows = await owner.fetch("select county, name, households, seed from practice.counties")
    known = {row["name"]: row for row in rows}.get(name)
    if known is not None:
        same = households in (None, known["households"]) and seed in (None, known["seed"])
        if not same:
            raise OtherCounty(name=name)
        return Plan(name=name, prefix=known["county"], households=known["households"], seed=known["seed"])
    if households is None:
        raise NotLoaded(name=name)
    free = [prefix for prefix in PREFIXES if prefix not in {row["county"] for row in rows}]
    if not free:
        raise NoRoom(count=len(rows))
    return Plan(name=name, prefix=free[0], households=households, seed=1 if seed is None else seed)


def _ranges(made: Plan) -> Iterator[tuple[int, int]]:
    for first in range(0, made.households, tables.CHUNK):
        yield first, min(made.households, first + tables.CHUNK)


class _Loading:
    """One load: slices are computed in a thread while others are copied."""

    def __init__(self, made: Plan, say: Say) -> None:
        self._plan, self._say = made, say
        self.totals = calibrate.Totals()
        self.rows: dict[str, int] = {}
        self._queue: asyncio.Queue[tuple[str, pl.DataFrame] | None] = asyncio.Queue(maxsize=20)

    async def run(self, settings: Settings) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(self._copy(settings))
            group.create_task(self._make())

    async def _make(self) -> None:
        began = time.monotonic()
        for first, end in _ranges(self._plan):
            made = await asyncio.to_thread(tables.slice_of, self._plan, first, end)
            self.totals.add(made.totals)
            for table, frame in made.frames.items():
                await self._queue.put((table, frame))
            self._say(f"{end:,} / {self._plan.households:,} 户，{time.monotonic() - began:.0f} 秒")
        await self._queue.put(("villages", tables.villages(self._plan)))
        await self._queue.put(("officers", tables.officers(self._plan, self.totals.officers)))
        for _ in range(LANES):
            await self._queue.put(None)

    async def _copy(self, settings: Settings) -> None:
        connection = await _owner(settings)
        try:
            # A county that is half loaded is thrown away, so its rows need not be on disk row by row.
            await connection.execute("set synchronous_commit = off")
            while (item := await self._queue.get()) is not None:
                table, frame = item
                text = io.BytesIO()
                await asyncio.to_thread(frame.write_csv, text, include_header=False)
                text.seek(0)
                await connection.copy_to_table(
                    f"{table}_{self._plan.prefix}",
                    schema_name="practice", columns=frame.columns, source=text, format="csv",
                )  # fmt: skip
                self.rows[table] = self.rows.get(table, 0) + frame.height
        finally:
            await connection.close()


async def _show(owner: Any, made: Plan, totals: calibrate.Totals, checks: list[Check], say: Say) -> None:
    say("建索引…")
    async with owner.transaction():
        await owner.execute("set local maintenance_work_mem = '256MB'")
        await owner.execute("select practice.close_county($1)", made.prefix)
        await owner.execute(
            "insert into practice.counties values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            made.prefix, made.name, made.seed, made.households, totals.people, AS_OF,
            msgspec.json.encode(plan.as_record(made)).decode(), msgspec.json.encode(checks).decode(),
            clock.now(),
        )  # fmt: skip


def _loaded(made: Plan, loading: _Loading, checks: list[Check], seconds: dict[str, float]) -> Loaded:
    totals = loading.totals
    return Loaded(
        county=made.prefix,
        name=made.name,
        seed=made.seed,
        households=totals.households,
        people=totals.people,
        officers=len(totals.officers),
        ring_members=totals.ring_members,
        rows=dict(sorted(loading.rows.items())),
        default_rate=round(totals.defaulted / totals.households, 5),
        seconds={name: round(value, 1) for name, value in seconds.items()},
        checks=checks,
        ok=all(check.ok for check in checks),
    )
