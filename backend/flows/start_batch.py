"""Start a batch of scores of the own customers, and go on with one that was stopped or failed (issue 3 section 8)."""

from backend.core import ids
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.decision import scorecard
from backend.domains.models import service as register
from backend.domains.models.model import ModelMissing
from backend.domains.trials import batch_runs, models
from backend.domains.trials.batch_runs import Batch, NobodyToScore, Purpose
from backend.domains.trials.model import ModelNotTried
from backend.flows import step_batch
from backend.flows.context import Context
from backend.outbox import effects
from backend.overview import batch_customers, decided

NOBODY = {
    "pre_approval": "要先有审批过的申请",
    "early_warning": "要先有还没还清的借据",
}


async def start_batch(context: Context, actor: Actor, purpose: Purpose, model_id: str) -> Batch:
    """`model_id` '' for the model in use: the champion of all products, else the shipped card. Raises
    `NobodyToScore`, `TooManyBatches`, `ModelMissing`, `ModelNotTried`."""
    async with context.db.read(decided.reader_of(actor)) as tx:
        total = await batch_customers.count(tx, purpose)
    if not total:
        raise NobodyToScore(why=NOBODY[purpose])
    async with context.db.begin(actor) as tx:
        await batch_runs.require_room(tx)
        name, held, artefact = await _model(tx, model_id)
        run = await batch_runs.create(
            tx, purpose, model=name, model_id=held, artefact=artefact, cases_total=total
        )
        await _queue(tx, run)
    return run


async def resume_batch(context: Context, actor: Actor, batch_id: str) -> None:
    """Raises `BatchNotFound`, `TooManyBatches`; one that is under way or done stays as it is."""
    async with context.db.begin(actor) as tx:
        run = await batch_runs.resume(tx, batch_id)
        if run is not None:
            await _queue(tx, run)


async def _queue(tx: Tx, run: Batch) -> None:
    await effects.add(
        tx,
        kind=step_batch.KIND,
        case_id=run.id,
        payload={"turn": run.turn},
        key=f"batch:{run.id}:{run.turn}:",
    )


async def _model(tx: Tx, model_id: str) -> tuple[str, str | None, str]:
    """(what people call it, its id in the register, its SHA-256)."""
    if model_id:
        if not ids.is_uuid(model_id):
            raise ModelMissing()
        held = await register.get(tx, model_id)
        if not held.decides or held.status == "retired":
            raise ModelNotTried()
        return held.name, held.id, held.artefact
    line_up = await register.current(tx, "*")
    if line_up is not None and line_up.champion and await register.champion(tx, "*") is not None:
        held = await register.get(tx, line_up.champion)
        return held.name, held.id, held.artefact
    return "系统自带的评分卡", None, models.of_card(scorecard.seeded()).hash
