"""A model file comes in by a page: tried out in a process of its own, then registered as a draft (A3-33, D1-04)."""

import msgspec

from backend.core.actor import Actor
from backend.domains.models import apart
from backend.domains.models import service as models
from backend.domains.models.model import Model, ModelUnfit
from backend.flows.context import Context

MOST_BYTES = 8 * 1024 * 1024


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the person says of it; `family` '*' for all."""

    name: str
    type: str
    family: str
    purpose: str
    owner: str
    external: bool
    why: str


async def register_model(context: Context, actor: Actor, body: bytes, entry: Entry) -> Model:
    """Raises `ModelUnfit`, `ArtefactUnreadable`, `StrategyRefused`, `WhyMissing`, `NotYourJob`, `ApartFailed`."""
    models.require_maker(actor)
    if not body:
        raise ModelUnfit(why="没有选模型文件")
    if len(body) > MOST_BYTES:
        raise ModelUnfit(why="文件超过 8 MB")
    models.check_file(body)
    problem = (await apart.run("backend.domains.models.probe", body)).decode()
    if problem:
        raise ModelUnfit(why=problem)
    async with context.db.begin(actor) as tx:
        return await models.register(
            tx, body, name=entry.name, type=entry.type, purpose=entry.purpose, owner=entry.owner,
            family=entry.family, external=entry.external, why=entry.why,
        )  # fmt: skip
