"""不用人脸: the person proves who they are at the branch or at home; a person then decides (D3-04, D3-13)."""

from typing import Literal

from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.flows.context import Context

Way = Literal["branch", "visit"]


async def choose_other_way(context: Context, actor: Actor, application_id: str, way: Way) -> None:
    """The road goes on without the face; the decision will refer the case. Raises `StepMissing`."""
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "liveness")
        await applications.set_liveness(tx, application, "declined")
        await applications.note(tx, application, "other_way", way)
        await applications.reach(tx, application, "details")
