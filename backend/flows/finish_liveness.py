"""人脸核对, coming back: what the provider says counts, never what the browser brings (A5-04)."""

from typing import Literal

from backend.core import failpoints
from backend.core.actor import Actor
from backend.domains.applications import service as applications
from backend.flows import card_on_file, start_liveness
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.integrations.identity_check.port import Match
from backend.integrations.liveness.port import LivenessStatus, Outcome

HEARD = failpoints.declare("liveness.heard", "the provider told how it ended; we have not recorded it")
Ending = Literal["passed", "pending", "failed", "mismatch", "cancelled", "expired", "stranger"]


async def finish_liveness(context: Context, actor: Actor, application_id: str, session_id: str) -> Ending:
    """How it ended; the draft goes on to the details only when it was passed and the face is the card's.

    `stranger`: not the session this application sent out last (replay). Coming back twice is fine. Raises
    `StepMissing`, `LivenessUnavailable`.
    """
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, application_id)
        applications.require_at(application, "liveness")
        started = await applications.last_event(tx, application, start_liveness.STARTED)
    if started is None or started.why != session_id:
        return "stranger"
    try:
        outcome = await context.clients.liveness.result(session_id, key=f"liveness-result:{session_id}")
    except OutsideRefused:
        return "stranger"
    ending = judged(outcome)
    if ending == "pending":
        return ending
    failpoints.hit(HEARD)
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "liveness")
        await applications.note(tx, application, f"liveness_{ending}", session_id)
        if ending == "passed":
            await applications.set_liveness(tx, application, "passed")
            if application.customer_id is not None:
                await card_on_file.proved(tx, application.customer_id, application)
            await applications.reach(tx, application, "details")
    return ending


def judged(outcome: Outcome) -> Ending:
    """A living face counts only when it is the card's."""
    if outcome.status is LivenessStatus.PASSED and outcome.face_match is not Match.MATCH:
        return "mismatch"
    return outcome.status.value
