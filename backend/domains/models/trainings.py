"""训练新模型 on a page: a training, its uploaded table, what it came to (A1-05, A3-37, D1-04).

An uploaded table is personal data: sealed, read by the training alone, deleted when its model is registered, by hand,
or `KEPT` after it came, whichever is first. Each start is a `turn`: the job of an earlier one finds that its turn is
over and keeps nothing.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from backend.core import errors, ids
from backend.core.lifecycle import Lifecycle
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.models.model import Drawn
from backend.domains.models.service import require_maker

Q = queries.load(__package__, "queries_trainings.sql")
_TABLES, _TRAININGS = "models.training_tables", "models.trainings"

TRAINING = Lifecycle(
    "training",
    {
        "prepared": "等您选列",
        "waiting": "等待开始",
        "running": "正在训练",
        "done": "训练好了",
        "refused": "没有训练成",
        "cancelled": "已取消",
        "registered": "已登记",
    },
    {
        "prepared": ("waiting",),
        "waiting": ("running", "cancelled"),
        "running": ("done", "refused", "cancelled"),
        "refused": ("waiting",),
        "cancelled": ("waiting",),
        "done": ("waiting", "registered"),
    },
)
OPEN = ("waiting", "running")
Source = Literal["table", "practice", "own"]
KINDS: dict[str, str] = {"scorecard": "评分卡", "trees": "梯度提升树"}
KEPT = timedelta(hours=24)
MOST_BYTES = 8 * 1024 * 1024
MOST_COLUMNS = 150
MOST_IN_LINE = 10
MOST_TABLES = 5
"""Uploaded tables that lie with us at a time."""
MOST_ATTEMPTS = 3
"""Workers a turn may cost before it is told that it cannot be done."""


class Column(msgspec.Struct, frozen=True):
    """A column of an uploaded table; `note` why it cannot predict, '' when it can."""

    name: str
    kind: Literal["number", "category", "none"]
    note: str = ""


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """How to train, and what the register is told of it. `monotone` and `out_of_time` as in training's `Options`;
    `group` columns are looked at for fairness and stay outside the model."""

    target: str
    kind: Literal["scorecard", "trees"]
    out_of_time: str = ""
    monotone: dict[str, str] = {}
    exclude: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    free: bool = False
    name: str
    type: str
    family: str
    purpose: str
    owner: str
    why: str


class Look(msgspec.Struct, frozen=True):
    """What a first look at a table found; `why` it is refused, '' when it is not."""

    why: str = ""
    columns: list[Column] = []
    cases: int = 0


class Order(msgspec.Struct, frozen=True):
    """For the process that trains: `table` CSV or Parquet."""

    table: bytes
    choices: Choices
    made_on: str


class Made(msgspec.Struct, frozen=True):
    """What the process that trains answers: `why` it came to nothing, or the rest."""

    why: str = ""
    artefact: bytes = b""
    report: dict[str, Any] = {}
    html: str = ""
    pdf: bytes = b""


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """`said`: why it came to nothing; `step`: what is being done; `forget_at` None: there is no table (any more)."""

    id: str
    institution_id: str
    source: Source
    county_name: str
    columns: list[Column]
    cases: int
    status: str
    choices: dict[str, Any] | None
    step: str
    said: str
    turn: int
    attempts: int
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    forget_at: datetime | None
    model_id: str | None

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def startable(self) -> bool:
        """It may be trained (again): not under way, and its table is still there."""
        return TRAINING.allows(self.status, "waiting") and (
            self.source != "table" or self.forget_at is not None
        )


class TrainingMissing(errors.NotFound):
    code = "training_not_found"
    message = "没有找到这次训练"


class TableRefused(errors.Invalid):
    code = "training_table_refused"
    message = "这份表不能用来训练：{why}"


class TooManyTrainings(errors.Conflict):
    code = "trainings_open"
    message = "已经有 {count} 次训练没做完，等做完几次，或者先取消几次"


class TooManyTables(errors.Conflict):
    code = "training_tables_kept"
    message = "已经存着 {count} 份上传的表，先把用完的删掉"


class NothingToRegister(errors.Invalid):
    code = "training_without_model"
    message = "没有等着登记的模型：可能刚才已经登记过，或者还没有训练好"


class TrainingMoved(errors.Conflict):
    code = "training_moved"
    message = "这次训练刚才已经变了，请看最新的状态"


async def require_room(tx: Tx) -> None:
    """For another table. Holds off other uploads until the transaction ends. Raises `TooManyTables`."""
    await Q.lock_training_room(tx, institution_id=tx.institution_id)
    count = int(await Q.tables_kept(tx, institution_id=tx.institution_id))
    if count >= MOST_TABLES:
        raise TooManyTables(count=count)


async def prepare(
    tx: Tx, source: Source, *, county_name: str = "", look: Look | None = None, table: bytes = b""
) -> Training:
    """Raises `NotYourJob`."""
    require_maker(tx.actor)
    training_id, found = ids.new(), look or Look()
    await Q.add_training(
        tx, institution_id=tx.institution_id, id=training_id, source=source, county_name=county_name,
        columns=msgspec.to_builtins(found.columns), cases=found.cases, asked_by=str(tx.actor),
        forget_at=tx.now + KEPT if table else None, now=tx.now,
    )  # fmt: skip
    if table:
        body = tx.vault.seal(_TABLES, "body", training_id, table)
        await Q.add_training_table(tx, institution_id=tx.institution_id, training_id=training_id, body=body)
    audit.add(tx, "training.prepared", training_id, source=source, cases=found.cases)
    return await get(tx, training_id)


async def get(tx: Tx, training_id: str, *, lock: bool = False) -> Training:
    """`lock` for who is about to move it. Raises `TrainingMissing`."""
    row = None
    if ids.is_uuid(training_id):
        if lock:
            await Q.lock_training(tx, institution_id=tx.institution_id, id=training_id)
        row = await Q.training(tx, institution_id=tx.institution_id, id=training_id)
    if row is None:
        raise TrainingMissing()
    return _training(tx, row)


async def listed(tx: Tx, most: int) -> list[Training]:
    return [_training(tx, row) for row in await Q.trainings(tx, institution_id=tx.institution_id, most=most)]


def _training(tx: Tx, row: Any) -> Training:
    said = "" if row["said"] is None else tx.vault.open(_TRAININGS, "said", row["id"], row["said"]).decode()
    columns = msgspec.convert(row["columns"], list[Column])
    return Training(**(dict(row) | {"said": said, "columns": columns}))


async def start(tx: Tx, training_id: str, choices: Choices) -> Training:
    """A new turn. Raises `NotYourJob`, `TrainingMoved`, `TooManyTrainings`."""
    require_maker(tx.actor)
    await Q.lock_training_room(tx, institution_id=tx.institution_id)
    run = await get(tx, training_id, lock=True)
    if not run.startable:
        raise TrainingMoved()
    if len(await in_line(tx)) >= MOST_IN_LINE:
        raise TooManyTrainings(count=MOST_IN_LINE)
    await Q.queue_training(
        tx, institution_id=tx.institution_id, id=run.id, from_status=run.status,
        choices=msgspec.to_builtins(choices), now=tx.now,
    )  # fmt: skip
    await Q.drop_training_result(tx, institution_id=tx.institution_id, training_id=run.id)
    audit.add(tx, "training.asked", run.id, source=run.source, kind=choices.kind, turn=run.turn + 1)
    return await get(tx, training_id)


async def in_line(tx: Tx) -> list[str]:
    """Trainings the worker has not come to the end of, in their turn: the first one is under way or about to be."""
    return [row["id"] for row in await Q.open_trainings(tx, institution_id=tx.institution_id)]


async def next_up(tx: Tx) -> Training | None:
    """The one that may begin; None while another is under way. Holds off who joins or leaves the line."""
    await Q.lock_training_room(tx, institution_id=tx.institution_id)
    waiting = await in_line(tx)
    first = await get(tx, waiting[0]) if waiting else None
    return first if first is not None and first.status == "waiting" else None


async def take(tx: Tx, training_id: str, turn: int) -> Training | None:
    """For a job of `turn`; None where that turn is over."""
    await Q.lock_training(tx, institution_id=tx.institution_id, id=training_id)
    taken = await Q.take_training(tx, institution_id=tx.institution_id, id=training_id, turn=turn)
    return await get(tx, training_id) if taken else None


async def tell(tx: Tx, run: Training, step: str) -> bool:
    """Whether the turn goes on."""
    return bool(
        await Q.tell_training(tx, institution_id=tx.institution_id, id=run.id, turn=run.turn, step=step)
    )


async def finish(tx: Tx, run: Training, made: Made) -> None:
    """The end of a turn, well or not; keeps nothing where somebody cancelled it meanwhile."""
    status = "refused" if made.why else "done"
    await Q.lock_training_room(tx, institution_id=tx.institution_id)  # before the row, as `start` takes them
    if not await _end(tx, run, "running", status, made.why):
        return
    if not made.why:
        await Q.put_training_result(
            tx, institution_id=tx.institution_id, training_id=run.id, artefact=made.artefact.decode(),
            report=made.report, html=made.html, pdf=made.pdf,
        )  # fmt: skip
    audit.add(tx, f"training.{status}", run.id, turn=run.turn)


async def cancel(tx: Tx, training_id: str) -> None:
    """One that is over stays as it is."""
    run = await under_way(tx, training_id)
    if run is not None and await _end(tx, run, run.status, "cancelled", ""):
        audit.add(tx, "training.cancelled", run.id, turn=run.turn)


async def open_everywhere(tx: Tx) -> list[tuple[str, str]]:
    """(institution, training) of all that are waited for."""
    return [(row["institution_id"], row["id"]) for row in await Q.open_trainings_everywhere(tx)]


async def under_way(tx: Tx, training_id: str) -> Training | None:
    """Held, and its line with it, until the transaction ends; None once it is over."""
    await Q.lock_training_room(tx, institution_id=tx.institution_id)  # before the row, as `start` takes them
    run = await get(tx, training_id, lock=True)
    return run if run.open else None


async def give_up(tx: Tx, run: Training, why: str) -> None:
    """For one held by `under_way` that nobody works on any more."""
    if await take(tx, run.id, run.turn) and await _end(tx, run, "running", "refused", why):
        audit.add(tx, "training.refused", run.id, turn=run.turn)


async def _end(tx: Tx, run: Training, old: str, new: str, said: str) -> bool:
    sealed = tx.vault.seal(_TRAININGS, "said", run.id, said.encode()) if said else None
    return bool(
        await Q.end_training(
            tx, institution_id=tx.institution_id, id=run.id, turn=run.turn, from_status=old, to_status=new,
            said=sealed, now=tx.now,
        )
    )  # fmt: skip


async def table(tx: Tx, run: Training) -> bytes | None:
    """What was uploaded; None once it is deleted."""
    body = await Q.training_table(tx, institution_id=tx.institution_id, training_id=run.id)
    return None if body is None else tx.vault.open(_TABLES, "body", run.id, body)


async def forget_table(tx: Tx, training_id: str) -> None:
    """The uploaded table is gone for good; what came of it stays."""
    if await Q.forget_training_table(tx, institution_id=tx.institution_id, training_id=training_id):
        audit.add(tx, "training.forgotten", training_id)


async def to_forget_everywhere(tx: Tx, before: datetime) -> list[tuple[str, str]]:
    """(institution, training) whose table's time is over."""
    return [(row["institution_id"], row["id"]) for row in await Q.tables_to_forget(tx, before=before)]


async def result(tx: Tx, run: Training) -> Made | None:
    """Model and report of the newest turn, until it is registered."""
    row = await Q.training_result(tx, institution_id=tx.institution_id, training_id=run.id)
    return None if row is None else Made(**(dict(row) | {"artefact": row["artefact"].encode()}))


async def registered(tx: Tx, run: Training, model_id: str) -> None:
    """Model and report stand in the register: neither they nor the table are kept here. Raises `TrainingMoved`."""
    if not await Q.register_training(tx, institution_id=tx.institution_id, id=run.id, model_id=model_id):
        raise TrainingMoved()
    await Q.drop_training_result(tx, institution_id=tx.institution_id, training_id=run.id)
    await forget_table(tx, run.id)


def drawn(made: Made) -> Drawn:
    return Drawn(made.html, made.pdf)
