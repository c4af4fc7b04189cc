"""批量评分 of a county's own customers: a run, its chunks, stopping it and going on (issue 3 sections 6 and 8).

A run that goes on after a death or a stop begins behind the last chunk that was kept. Each start is a `turn`: a step of
an earlier one finds that its turn is over and keeps nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from backend.core import errors, ids
from backend.core.lifecycle import Lifecycle
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit

Q = queries.load(__package__, "queries_batches.sql")
_PARTS = "trials.batch_parts"

BATCH = Lifecycle(
    "batch",
    {
        "waiting": "等待开始",
        "running": "正在评分",
        "stopped": "已停下",
        "done": "完成",
        "failed": "没有做完",
    },
    {
        "waiting": ("running", "stopped"),
        "running": ("done", "stopped", "failed"),
        "stopped": ("waiting",),
        "failed": ("waiting",),
    },
)
OPEN = ("waiting", "running")
Purpose = Literal["pre_approval", "early_warning"]
PURPOSES: dict[str, str] = {"pre_approval": "预授信", "early_warning": "贷后预警"}
MOST_OPEN = 2
"""Runs of an institution the worker has at a time."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """`cursor`: behind which customer the next chunk begins; `parts` chunks are kept."""

    id: str
    institution_id: str
    purpose: Purpose
    status: str
    model: str
    model_id: str | None
    artefact: str
    cases_total: int
    cases_done: int
    scored: int
    parts: int
    cursor: str
    turn: int
    error: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        return self.status in OPEN


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """`scores`: (customers, chance of default in basis points) by score; `problems`: customers without one, by what
    was wrong with the facts; `fell`: scores lower than at the newest decision."""

    scores: Mapping[int, tuple[int, int]]
    problems: Mapping[str, int]
    fell: int


class BatchNotFound(errors.NotFound):
    code = "batch_not_found"
    message = "没有找到这次批量评分"


class NobodyToScore(errors.Invalid):
    code = "batch_without_customers"
    message = "还没有可以评分的客户：{why}"


class TooManyBatches(errors.Conflict):
    code = "batches_open"
    message = "已经有 {count} 次批量评分没做完，等一等，或者先停下一次"


async def require_room(tx: Tx) -> None:
    """Holds off other starts until the transaction ends. Raises `TooManyBatches`."""
    await Q.lock_batch_room(tx, institution_id=tx.institution_id)
    count = int(await Q.open_batches(tx, institution_id=tx.institution_id))
    if count >= MOST_OPEN:
        raise TooManyBatches(count=count)


async def create(
    tx: Tx, purpose: Purpose, *, model: str, model_id: str | None, artefact: str, cases_total: int
) -> Batch:
    batch_id = ids.new()
    await Q.add_batch(
        tx,
        institution_id=tx.institution_id,
        id=batch_id,
        purpose=purpose,
        model=model,
        model_id=model_id,
        artefact=artefact,
        cases_total=cases_total,
        asked_by=str(tx.actor),
        now=tx.now,
    )
    audit.add(tx, "batch.asked", batch_id, purpose=purpose, model=model, cases=cases_total)
    return await get(tx, batch_id)


async def get(tx: Tx, batch_id: str, *, lock: bool = False) -> Batch:
    """`lock` for who is about to move it. Raises `BatchNotFound`, for a county also for another's."""
    row = None
    if ids.is_uuid(batch_id):
        if lock:
            await Q.lock_batch(tx, institution_id=tx.institution_id, id=batch_id)
        row = await Q.batch(tx, institution_id=tx.institution_id, id=batch_id)
    if row is None:
        raise BatchNotFound()
    return Batch(**dict(row))


async def listed(tx: Tx, most: int) -> list[Batch]:
    """The newest first: a county's own, all of them for head office's reader."""
    return [Batch(**dict(row)) for row in await Q.batches(tx, institution_id=tx.institution_id, most=most)]


async def begin(tx: Tx, batch_id: str, turn: int) -> Batch | None:
    """For a step of `turn`; None where that turn is over."""
    run = await get(tx, batch_id, lock=True)
    if run.turn != turn or not run.open:
        return None
    if run.status == "waiting":
        await _move(tx, run, "waiting", "running")
    return await get(tx, run.id)


async def keep(tx: Tx, run: Batch, cursor: str, found: Scores, body: bytes) -> Batch | None:
    """One chunk, once, whoever brings it; None where somebody stopped the run or another process has it."""
    scored = sum(count for count, _ in found.scores.values())
    number = await Q.advance_batch(
        tx, institution_id=tx.institution_id, id=run.id, turn=run.turn, cursor_from=run.cursor, cursor_to=cursor,
        cases=scored + sum(found.problems.values()), scored=scored,
    )  # fmt: skip
    if number is None:
        return None
    await Q.add_part(
        tx,
        institution_id=tx.institution_id,
        run_id=run.id,
        number=number,
        scores=msgspec.json.encode(found.scores).decode(),
        problems=msgspec.json.encode(found.problems).decode(),
        fell=found.fell,
        body=tx.vault.seal(_PARTS, "body", f"{run.id}/{number}", body),
    )
    return await get(tx, run.id)


async def end(tx: Tx, run: Batch, status: Literal["done", "failed"], error: str = "") -> None:
    """Changes nothing where the turn is over already."""
    if await _move(tx, run, "running", status, error=error):
        audit.add(tx, f"batch.{status}", run.id)


async def stop(tx: Tx, batch_id: str) -> Batch:
    """What is kept stays. One that is over stays as it is."""
    run = await get(tx, batch_id, lock=True)
    if run.open and await _move(tx, run, run.status, "stopped"):
        audit.add(tx, "batch.stopped", run.id)
    return await get(tx, batch_id)


async def resume(tx: Tx, batch_id: str) -> Batch | None:
    """A new turn behind the last chunk kept; None where there is nothing to go on with. Raises `TooManyBatches`."""
    run = await get(tx, batch_id, lock=True)
    if not BATCH.allows(run.status, "waiting"):
        return None
    await require_room(tx)
    await _move(tx, run, run.status, "waiting")
    audit.add(tx, "batch.resumed", run.id)
    return await get(tx, batch_id)


async def scores(tx: Tx, run: Batch) -> Scores:
    """All chunks together."""
    by_score: dict[int, tuple[int, int]] = {}
    problems: dict[str, int] = {}
    fell = 0
    for row in await Q.part_figures(tx, institution_id=run.institution_id, run_id=run.id):
        fell += row["fell"]
        for name, count in row["problems"].items():
            problems[name] = problems.get(name, 0) + count
        for score, (count, chance) in row["scores"].items():
            by_score[int(score)] = (by_score.get(int(score), (0, 0))[0] + count, chance)
    return Scores(scores=by_score, problems=problems, fell=fell)


async def bodies(tx: Tx, run: Batch) -> Sequence[bytes]:
    """What was kept of each chunk, opened on a thread: megabytes, while others' pages wait for the loop."""
    rows = await Q.part_bodies(tx, institution_id=run.institution_id, run_id=run.id)
    return await asyncio.to_thread(
        lambda: [tx.vault.open(_PARTS, "body", f"{run.id}/{row['number']}", row["body"]) for row in rows]
    )


async def _move(tx: Tx, run: Batch, old: str, new: str, error: str = "") -> bool:
    moved = await Q.move_batch(
        tx, institution_id=tx.institution_id, id=run.id, turn=run.turn, from_status=old, to_status=new, error=error,
        ended_at=None if new in OPEN else tx.now,
    )  # fmt: skip
    return bool(moved)
