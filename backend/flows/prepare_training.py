"""What a modeller brings to train on: a table of their own, or our cases (A1-05, A3-37)."""

import msgspec

from backend.core.actor import Actor
from backend.domains.models import apart, trainings
from backend.domains.models import service as models
from backend.domains.models.trainings import Look, Source, TableRefused, Training
from backend.domains.trials import service as trials
from backend.flows.context import Context


async def prepare_training(
    context: Context, actor: Actor, source: Source, *, county: str = "", table: bytes = b""
) -> Training:
    """`county` the name of a practice county. A table is looked at in a process of its own; of one that is refused
    nothing is kept. Raises `TableRefused`, `TooManyTables`, `CountyNotLoaded`, `NotYourJob`, `ApartFailed`."""
    if source == "table":
        _require_size(table)
    models.require_maker(actor)
    look = await _look(table) if source == "table" else Look()
    async with context.db.begin(actor) as tx:
        if source == "practice":
            await trials.county_named(tx, county)
        if source == "table":
            await trainings.require_room(tx)
            return await trainings.prepare(tx, source, look=look, table=table)
        return await trainings.prepare(tx, source, county_name=county if source == "practice" else "")


def _require_size(table: bytes) -> None:
    if not table:
        raise TableRefused(why="没有选文件，或者文件是空的")
    if len(table) > trainings.MOST_BYTES:
        raise TableRefused(why="文件超过 8 MB；请抽一部分案例，或者存成 Parquet，同样的内容会小得多")


async def _look(table: bytes) -> Look:
    answer = await apart.run("backend.domains.models.training.look", table)
    look = msgspec.msgpack.decode(answer, type=Look)
    if look.why:
        raise TableRefused(why=look.why)
    return look
