"""The model of a training goes into the register: a draft, and its report handed in, signed by a person (D1-04, D1-05).

The job that trained signs nothing: who registers a model has seen its report.
"""

import msgspec

from backend.core.actor import Actor
from backend.domains.models import service as models
from backend.domains.models import trainings
from backend.domains.models.model import Model, ModelUnfit
from backend.domains.models.trainings import Choices, NothingToRegister
from backend.flows.context import Context

HANDED_IN = "训练时的验证报告"


async def register_training(context: Context, actor: Actor, training_id: str) -> Model:
    """The same model again is handed in anew where it was sent back.

    Raises `TrainingMissing`, `NothingToRegister`, `ModelUnfit`, `ReportUnfit`, `NotYourJob`."""
    async with context.db.begin(actor) as tx:
        run = await trainings.get(tx, training_id, lock=True)
        made = await trainings.result(tx, run)
        if run.status != "done" or made is None:
            raise NothingToRegister()
        words = msgspec.convert(run.choices, Choices)
        model = await models.same(tx, made.artefact, words.type, words.family)
        if model is None:
            model = await models.register(
                tx, made.artefact, name=words.name, type=words.type, purpose=words.purpose, owner=words.owner,
                family=words.family, why=words.why,
            )  # fmt: skip
        elif model.status != "draft":
            raise ModelUnfit(why=f"一模一样的已经登记过，叫“{model.name}”")
        model = await models.test(tx, model.id, made.report, HANDED_IN, trainings.drawn(made))
        await trainings.registered(tx, run, model.id)
    return model
