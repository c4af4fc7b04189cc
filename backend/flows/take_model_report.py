"""The validation report of a draft comes in: checked, drawn once as page and paper, and the draft is tested (D1-05)."""

import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.domains.models import apart, report
from backend.domains.models import service as models
from backend.domains.models.model import MODEL, Drawn, Model, ReportUnfit, WhyMissing
from backend.flows.context import Context

MOST_BYTES = 4 * 1024 * 1024


async def take_model_report(context: Context, actor: Actor, model_id: str, text: bytes, why: str) -> Model:
    """What is kept as files was drawn by us from the figures, so that no page or paper of others is ever served.

    Raises `ReportUnfit`, `WhyMissing`, `NotYourJob`, `ModelMissing`, `ForbiddenMove`, `ModelMoved`, `ApartFailed`.
    """
    if not why.strip():
        raise WhyMissing()
    if not text:
        raise ReportUnfit(why="没有选报告文件")
    if len(text) > MOST_BYTES:
        raise ReportUnfit(why="文件超过 4 MB")
    found = report.decode(text)
    models.require_maker(actor)
    async with context.db.read(actor) as tx:
        model = await models.get(tx, model_id)
    MODEL.check(model.status, "tested")
    models.require_report_of(model, found)
    message = msgspec.msgpack.encode({"report": found, "made_on": clock.today()})
    drawn = await apart.run("backend.domains.models.training.paper", message)
    files = msgspec.msgpack.decode(drawn, type=Drawn)
    async with context.db.begin(actor) as tx:
        return await models.test(tx, model_id, found, why, files)
